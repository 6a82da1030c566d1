"""Rules of identity and values that name nobody, on their page and by the API."""

from __future__ import annotations

import re

import pytest
from tests.events import DAY, order, put
from tests.resolve.test_rules import changed, families, same

import shopkeeper
from shopkeeper.shop.working import Worker

HERE = "/identities/rules"


def post(http, path, **fields):
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', http.get(HERE).text)[1]
    return http.post(path, data={"csrf": mark, **fields})


@pytest.fixture
def strict(tmp_path):
    """A shop whose settings ask for other rules than those in force."""
    folder = tmp_path / "strict"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00Z") as shop:
        ids = [{"phone": "+447700900123", "email": f"p{n}@firm.com"} for n in range(5)]
        put(shop, *[order(f"o{n}", -20 * n * DAY, ids=one) for n, one in enumerate(ids)])
    changed(folder, identity_most="{ phone = 3 }")
    with shopkeeper.open(folder) as shop:
        yield shop


def test_the_page_shows_what_other_rules_would_change_and_puts_them_in_force(strict, visit):
    with visit(strict) as http:
        page = http.get(HERE).text
        assert "The settings ask for other rules" in page
        assert "5 customers would come apart" in page
        assert same(strict, "email:p0@firm.com", "email:p4@firm.com")
        done = post(http, HERE)
        assert "The settings ask for other rules" not in done.text
        assert not same(strict, "email:p0@firm.com", "email:p4@firm.com")


def test_an_agent_sees_the_rules_and_does_not_change_them(strict, visit):
    with visit(strict, role="agent") as http:
        page = http.get(HERE).text
        assert "Somebody who administers the shop" in page
        assert post(http, HERE).status_code == 403
        assert post(http, HERE + "/junk", apply="1").status_code == 403
        assert same(strict, "email:p0@firm.com", "email:p4@firm.com")


def test_values_of_many_families_are_looked_for_and_set_aside_on_the_page(shop, visit):
    put(shop, *families(9))
    with visit(shop) as http:
        found = post(http, HERE + "/junk").text
        assert "+447700900123" in found
        assert "Set them aside" in found
        assert same(shop, "email:p0@firm.com", "email:p8@firm.com")
        done = post(http, HERE + "/junk", apply="1").text
        assert "came apart" in done
        assert not same(shop, "email:p0@firm.com", "email:p8@firm.com")
        assert "1 value is set aside already" in post(http, HERE + "/junk").text


def test_programs_do_the_same_beside_a_worker_too(strict, visit):
    put(strict, *families(9, "+447700900999"))
    token = strict.add_api_key("crm", ["resolve", "administer"]).secret
    small = strict.add_api_key("desk", ["resolve", "see_contact"]).secret
    with Worker(strict.places), visit(strict, role=None) as http:
        http.headers["authorization"] = f"Bearer {small}"
        assert http.post("/api/v1/identity/rules", json={"apply": True}).status_code == 403
        assert http.post("/api/v1/identity/junk", json={"apply": True}).status_code == 403
        (row,) = http.post("/api/v1/identity/junk", json={}).json()["rows"]
        assert (row["identifier"]["value"], row["names"]) == ("+447700900999", 9)
        http.headers["authorization"] = f"Bearer {token}"
        (row,) = http.post("/api/v1/identity/junk", json={}).json()["rows"]
        assert "900999" not in row["identifier"]["value"], "this key does not see how to reach people"
        would = http.post("/api/v1/identity/rules", json={}).json()
        assert (would["applied"], would["shared"] >= 1, would["wanted"]["most.phone"]) == (False, True, 3)
        made = http.post("/api/v1/identity/rules", json={"apply": True}).json()
        assert (made["applied"], made["shared"]) == (True, would["shared"])
    assert strict.identity_rules().in_force["most.phone"] == 3


def test_a_shared_identifier_is_set_aside_from_the_list_after_a_try(shop, visit):
    put(shop, *[order(one, ids={"user_id": one, "email": "desk@firm.com"}) for one in ("71", "72")])
    with visit(shop) as http:
        listed = http.get("/identities").text
        reference = re.search(
            r'value="set_aside"><input type="hidden" name="one" value="(node:\d+)"', listed
        )[1]
        would = post(http, "/identities", what="set_aside", one=reference, **{"try": "1"}).text
        assert "This identifier names nobody." in would
        assert (
            "Settled: this identifier names nobody"
            in post(http, "/identities", what="set_aside", one=reference).text
        )
