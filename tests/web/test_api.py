"""The API says what the library says."""

from __future__ import annotations

import math

import msgspec
import pytest

from shopkeeper.domain.profile import Profile
from shopkeeper.domain.report import Report
from shopkeeper.domain.value import ValueReport
from shopkeeper.shop.showing import cursor_at


def test_health(client, sample_shop):
    body = client.get("/api/v1/health").json()
    assert body["status"] == "ok"
    assert body["lag"] == 0
    assert body["events"] == sample_shop.health()["events"] > 0


def test_a_profile_is_the_shops_profile(client, sample_shop, buyer):
    answer = client.get(f"/api/v1/profiles/{buyer.id}")
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.content, type=Profile).id == buyer.id
    assert answer.content == msgspec.json.encode(sample_shop.customer(buyer.id))


def test_every_identifier_leads_to_the_customer(client, sample_shop, buyer):
    for known in sample_shop.customer(buyer.id).identifiers:
        answer = client.get(f"/api/v1/profiles/{known.kind}:{known.value}")
        assert answer.status_code == 200, known.kind
        assert answer.json()["id"] == buyer.id, known.kind


def test_sub_resources(client, sample_shop, buyer):
    whole = client.get(f"/api/v1/profiles/{buyer.id}").json()
    assert client.get(f"/api/v1/profiles/{buyer.id}/traits").json()["data"] == whole["traits"]
    assert client.get(f"/api/v1/profiles/{buyer.id}/identifiers").json()["data"] == whole["identifiers"]


def test_events_are_paged_without_gap_or_repetition(client, sample_shop, buyer):
    expected = [entry.seq for entry in sample_shop.timeline(buyer.id, limit=20).entries]
    seen, cursor = [], None
    while len(seen) < len(expected):
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        body = client.get(f"/api/v1/profiles/{buyer.id}/events", params=params).json()
        assert body["cursor"]["limit"] == 7
        assert body["cursor"]["has_more"] == (body["cursor"]["next"] is not None)
        seen += [event["seq"] for event in body["data"]]
        cursor = body["cursor"]["next"]
        if not cursor:
            break
    assert seen[:20] == expected
    assert len(seen) == len(set(seen))


def test_customers_are_paged_to_the_end(client):
    seen, cursor = [], None
    while True:
        params = {"limit": 40, "sort": "margin"} | ({"cursor": cursor} if cursor else {})
        body = client.get("/api/v1/customers", params=params).json()
        seen += [row["id"] for row in body["data"]]
        cursor = body["cursor"]["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == body["total"]


@pytest.mark.parametrize("place", [(1, 1 << 63), (1 << 63, 1), (1.0, (1 << 64) - 1)])
def test_a_forged_cursor_is_refused(client, buyer, place):
    for path in ("/api/v1/customers?sort=orders", f"/api/v1/profiles/{buyer.id}/events?limit=5"):
        assert client.get(path, params={"cursor": cursor_at(place)}).status_code == 400


def test_customers_are_searched(client, buyer):
    word = buyer.name.split()[-1]
    body = client.get("/api/v1/customers", params={"search": word}).json()
    assert buyer.id in [row["id"] for row in body["data"]]
    everybody = client.get("/api/v1/customers").json()["total"]
    assert 0 < body["total"] < everybody


def same(one, other):
    """Whether plain data is equal but for the last digits of floats, whose sums depend on the order of adding."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_the_report(client, sample_shop):
    report = msgspec.json.decode(client.get("/api/v1/report").content, type=Report)
    assert same(msgspec.to_builtins(report), msgspec.to_builtins(sample_shop.report()))


def test_declared_traits_name_what_a_profile_holds(client, buyer):
    data = {trait["name"]: trait for trait in client.get("/api/v1/traits").json()["data"]}
    assert (data["state_since"]["day"], data["first_seen"]["day"]) == (True, False)
    assert "won back" in data["state"]["values"]
    assert data["p_alive"]["bounds"] == [0, 1]
    declared = set(data)
    assert client.get(f"/api/v1/profiles/{buyer.id}/traits").json()["currency"] == "GBP"
    assert set(client.get(f"/api/v1/profiles/{buyer.id}/traits").json()["data"]) <= declared


def test_openapi_describes_every_address_and_every_answer_can_be_read_by_it(client):
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {
        "/api/v1/health",
        "/api/v1/me",
        "/api/v1/report",
        "/api/v1/traits",
        "/api/v1/customers",
        "/api/v1/customers/query",
        "/api/v1/customers/size",
        "/api/v1/features",
        "/api/v1/insight/condition",
        "/api/v1/insight/compare",
        "/api/v1/insight/channels",
        "/api/v1/insight/overlaps",
        "/api/v1/insight/flows",
        "/api/v1/insight/suggestions",
        "/api/v1/insight/regulars",
        "/api/v1/insight/advocates",
        "/api/v1/flow",
        "/api/v1/sources",
        "/api/v1/profiles/{identifier}",
        "/api/v1/profiles/{identifier}/traits",
        "/api/v1/profiles/{identifier}/identifiers",
        "/api/v1/profiles/{identifier}/events",
        "/api/v1/profiles/{identifier}/household",
        "/api/v1/profiles/{identifier}/predictions",
        "/api/v1/value",
        "/api/v1/value/predicted",
        "/api/v1/value/worth",
        "/api/v1/profiles/{identifier}/advocacy",
        "/api/v1/segments",
        "/api/v1/segments/changes",
        "/api/v1/segments/recount",
        "/api/v1/segments/{name}",
        "/api/v1/segments/{name}/activate",
        "/api/v1/segments/{name}/pause",
        "/api/v1/segments/{name}/archive",
        "/api/v1/segments/{name}/members",
        "/api/v1/segments/{name}/changes",
        "/api/v1/identity/explain",
        "/api/v1/identity/match",
        "/api/v1/identity/turns",
        "/api/v1/identity/review",
        "/api/v1/identity/settle",
        "/api/v1/identity/rules",
        "/api/v1/identity/junk",
    }
    asks_the_lake = ("/customers/query", "/customers/size", "/value/worth", "/insight/compare", "/features")
    for path in asks_the_lake:
        (method,) = document["paths"][f"/api/v1{path}"].values()
        assert "504" in method["responses"], path
    shapes = document["components"]["schemas"]
    assert set(shapes["Profile"]["properties"]) == set(Profile.__struct_fields__)
    assert "in the shop's currency" in shapes["WorthRow"]["properties"]["value"]["description"]
    assert "Customers by ascending id" in shapes["PredictedRows"]["properties"]["data"]["description"]
    assert shapes["ValueReport"]["description"] == ValueReport.__doc__
    assert shapes["Held"]["properties"]["share"]["description"] == "Of the value of all customers."
    said = [(path, method) for path, methods in document["paths"].items() for method in methods.values()]
    for path, method in said:
        answers = method["responses"]
        assert "200" in answers, path
        for status, answer in answers.items():
            if status != "200":
                shape = answer["content"]["application/json"]["schema"]["$ref"]
                assert shape.endswith("/ErrorBody"), (path, status)


def test_the_docs_page_shows_every_address(client):
    page = client.get("/api/v1/docs").text
    for path in client.get("/api/v1/openapi.json").json()["paths"]:
        assert path in page
    assert client.get("/api/v1").url.path == "/api/v1/docs"
    asked = page[page.index('id="worth"') :]
    assert asked.index("<code>discount</code>") < asked.index("</section>")  # what is sent is shown, too


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_a_limit_out_of_range_is_refused(client, buyer, limit):
    answer = client.get(f"/api/v1/profiles/{buyer.id}/events", params={"limit": limit})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_input"
    assert "limit" in answer.json()["error"]["message"]
