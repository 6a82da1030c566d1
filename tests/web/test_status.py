"""Errors keep their meaning on the way out, and say nothing about persons."""

from __future__ import annotations

import logging

import pytest

from shopkeeper.domain import errors
from shopkeeper.shop import Shop
from shopkeeper.web.status import STATUS, status_of


def tree(root):
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_every_error_of_the_domain_has_a_status_of_its_own_row():
    classes = {cls for cls in tree(errors.ShopkeeperError) if cls.__module__ == errors.__name__}
    assert classes == set(STATUS)
    assert all(400 <= status < 600 for status in STATUS.values())


def test_trying_again_is_promised_only_where_it_may_help():
    for cls, status in STATUS.items():
        assert cls.retry == (status in {503, 507}), cls.__name__


def test_a_subclass_takes_the_status_of_its_ancestor():
    class Odd(errors.NotFound):
        pass

    assert status_of(Odd("nothing")) == 404


def test_nobody_by_that_name(client):
    answer = client.get("/api/v1/profiles/email:nobody@example.com")
    assert answer.status_code == 404
    body = answer.json()["error"]
    assert body["code"] == "not_found"
    assert body["hint"]
    assert body["retry"] is False
    assert "nobody@example.com" not in answer.text


def test_an_unknown_sort_names_the_nearest(client):
    answer = client.get("/api/v1/customers", params={"sort": "margn"})
    assert answer.status_code == 400
    assert "margin" in answer.json()["error"]["hint"]


def test_a_foreign_cursor_is_refused(client, buyer):
    answer = client.get(f"/api/v1/profiles/{buyer.id}/events", params={"cursor": "not-a-cursor"})
    assert answer.status_code == 400


def test_an_unknown_address(client):
    assert client.get("/api/v1/nothing").json()["error"]["code"] == "not_found"
    page = client.get("/nothing")
    assert page.status_code == 404
    assert "<h1>" in page.text
    assert 'href="/customers"' in page.text


def test_a_page_that_fails_is_a_page_and_a_piece_a_notice(client):
    page = client.get("/customers/c999999999")
    assert page.status_code == 404
    assert "<!doctype html>" in page.text
    piece = client.get("/customers/c999999999/timeline", headers={"hx-request": "true"})
    assert piece.status_code == 404
    assert 'role="alert"' in piece.text
    assert "<html" not in piece.text


def test_the_role_decides(sample_shop, buyer, visit):
    with visit(sample_shop, "analyst") as http:
        assert http.get("/").status_code == 200
        assert http.get("/customers").status_code == 403
        answer = http.get(f"/api/v1/profiles/{buyer.id}")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "not_permitted"


def test_who_may_not_see_personal_values_sees_them_masked(sample_shop, buyer, visit):
    clear = [i.value for i in sample_shop.customer(buyer.id).identifiers]
    clear.append(buyer.name)
    with visit(sample_shop, "marketer") as http:
        for path in (f"/customers/{buyer.id}", f"/api/v1/profiles/{buyer.id}", "/customers?sort=orders", "/"):
            text = http.get(path).text
            for value in clear:
                assert value not in text, path


def test_a_defect_is_logged_without_its_message(sample_shop, caplog, visit):
    class Broken(Shop):
        def as_actor(self, actor):
            return Broken(self.places, actor)

        def customer(self, who):
            raise RuntimeError(f"cannot read {who}")

    with caplog.at_level(logging.INFO), visit(Broken(sample_shop.places)) as http:
        answer = http.get("/api/v1/profiles/email:anna@example.com")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("shopkeeper")]
    assert any("RuntimeError" in line for line in ours)
    assert any("/api/v1/profiles/{identifier}" in line for line in ours)
    assert not any("anna" in line for line in ours)


@pytest.mark.parametrize("path", ["/customers?search=anna", "/customers/email:anna@example.com"])
def test_requests_are_logged_by_template_only(client, caplog, path):
    with caplog.at_level(logging.INFO, logger="shopkeeper.web"):
        client.get(path)
    lines = [record.getMessage() for record in caplog.records if record.name == "shopkeeper.web.access"]
    assert lines
    assert not any("anna" in line for line in lines)
