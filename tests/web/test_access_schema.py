"""The API keeps to its own description, whatever is sent: no answer is a defect, none is of another shape."""

from __future__ import annotations

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

EXAMPLES = 40
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def api(sample_shop, buyer, visit):
    """The operations that the API describes, and how to send one as a program with a key."""
    key = sample_shop.add_api_key("schema", ["look_up", "report", "collect", "see_name"]).secret
    with visit(sample_shop, None) as http:
        headers = {"authorization": f"Bearer {key}"}
        described = schemathesis.openapi.from_dict(http.get("/api/v1/openapi.json", headers=headers).json())
        operations = [result.ok() for result in described.get_all_operations()]

        def send(case, **more):
            """One request; credentials are ours, never made up."""
            asked = case.as_transport_kwargs(base_url=str(http.base_url))
            asked.pop("cookies", None)
            if isinstance(asked.get("data"), bytes | str):
                asked["content"] = asked.pop("data")  # a body that is no form, as httpx calls it
            made_up = dict(asked.pop("headers", None) or {})
            given = {
                name: value
                for name, value in made_up.items()
                if value.isascii() and value.isprintable() and name.lower() not in {"authorization", "cookie"}
            }
            return http.request(**asked, headers=given | more, follow_redirects=False)

        yield operations, lambda case: send(case, **headers), send


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_asked_the_answer_is_as_described(api, buyer, mode):
    operations, ask, _ = api

    @given(st.data())
    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def each(data):
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if "identifier" in (case.path_parameters or {}) and data.draw(st.booleans()):
            case.path_parameters["identifier"] = buyer.id  # nobody is known by chance
        answer = ask(case)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code < 500
        assert answer.status_code != 401

    each()


def test_without_a_key_every_operation_but_health_answers_401(api):
    operations, _, send = api
    assert len(operations) >= 9
    for operation in operations:
        named = re.findall(r"{(\w+)}", operation.path)
        answer = send(operation.Case(path_parameters=dict.fromkeys(named, "c1")))
        assert answer.status_code == (200 if operation.path.endswith("/health") else 401), operation.label
