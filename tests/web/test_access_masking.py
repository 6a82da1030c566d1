"""What each role sees of a person: by class of personal data, on every page and in every answer."""

from __future__ import annotations

import html
import re

import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.domain.actor import ROLES, Permission
from shopkeeper.domain.personal import EVERY_CLASS, Personal

VALUES = {
    Personal.NAME: ("Zebulon", "Quagmire"),
    Personal.CONTACT: (
        "zebulon.q@mailbox.example.com",
        "+447700900871",
        "9 Xylophone Row",
        "XQ7 7XQ",
        "handle-xyz",
    ),
    Personal.IDENTIFIER: ("LC77778888", "tok_payment_9999"),
    Personal.DEMOGRAPHIC: ("1971-07-19", "age-band-forty"),
    Personal.TEXT: ("a wedding of cousin Wilhelmina", "the screws of Wilhelmina are missing"),
}
"""Values of one customer that stand nowhere else, by class."""
LOOKERS = sorted(name for name, role in ROLES.items() if Permission.LOOK_UP in role.may)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A shop that knows one customer well, and the customer's id."""
    folder = tmp_path_factory.mktemp("known") / "shop"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00+00:00") as shop:
        yield shop, _told(shop)


def _told(shop):
    first, last = VALUES[Personal.NAME]
    email, phone, street, postcode, handle = VALUES[Personal.CONTACT]
    card, token = VALUES[Personal.IDENTIFIER]
    birthday, band = VALUES[Personal.DEMOGRAPHIC]
    answer, reason = VALUES[Personal.TEXT]
    ids = {"loyalty_card": card, "email": email}
    put(
        shop,
        event("Identified", "i", -9 * DAY, ids=ids | {"phone": phone}, first_name=first, last_name=last, street=street,
              postcode=postcode, birthday=birthday),
        event("Identified", "s", -8 * DAY, ids=ids | {"social": f"pics:{handle}", "payment_token": token}),
        event("Profile Enriched", "e", -7 * DAY, ids=ids, provider="panel", attributes={"age_band": band}),
        event("Answer Given", "a", -6 * DAY, ids=ids, question_id="occasion", answer=answer),
        event("Contact Opened", "k", -5 * DAY, ids=ids, contact_id="K-1", reason=reason),
        order("1", -4 * DAY, ids=ids),
    )  # fmt: skip
    shop.refresh()
    return shop.customer(f"loyalty_card:{card}").id


def plain(text):
    """A page or an answer as somebody reads it: entities and breaks resolved."""
    return html.unescape(re.sub(r"<wbr>", "", text))


def addresses(who):
    one = f"/api/v1/profiles/{who}"
    return (
        f"/customers/{who}", f"/customers/{who}/timeline", "/customers", one, f"{one}/traits", f"{one}/identifiers",
        f"{one}/events", "/api/v1/customers",
    )  # fmt: skip


@pytest.mark.parametrize("role", LOOKERS)
def test_a_role_sees_its_classes_in_clear_and_no_other(known, visit, role):
    shop, who = known
    with visit(shop, role) as http:
        answers = [http.get(address) for address in addresses(who)]
        if Permission.REPORT in ROLES[role].may:
            answers += [http.get("/"), http.get("/api/v1/report")]
    assert {answer.status_code for answer in answers} == {200}
    pages = "\n".join(plain(a.text) for a in answers if "html" in a.headers["content-type"])
    data = "\n".join(a.text for a in answers if "json" in a.headers["content-type"])
    for kind, values in VALUES.items():
        for value in values:
            assert (value in pages) is (kind in ROLES[role].sees), (kind, value, "HTML")
            assert (value in data) is (kind in ROLES[role].sees), (kind, value, "JSON")


@pytest.mark.parametrize("kind", sorted(EVERY_CLASS - {Personal.UNDECLARED}))
def test_a_key_sees_the_classes_of_its_scopes(known, visit, kind):
    shop, who = known
    key = shop.add_api_key("one sight", ["look_up", f"see_{kind}"]).secret
    with visit(shop, None) as http:
        headers = {"authorization": f"Bearer {key}"}
        data = "".join(http.get(a, headers=headers).text for a in addresses(who) if a.startswith("/api"))
    for other, values in VALUES.items():
        for value in values:
            assert (value in data) is (other == kind), (other, value)


def test_the_report_names_nobody_to_an_analyst(known, visit):
    shop, _ = known
    with visit(shop, "analyst") as http:
        told = plain(http.get("/").text) + http.get("/api/v1/report").text
    assert not [value for values in VALUES.values() for value in values if value in told]


SEARCHES = {
    "Quagm": Personal.NAME,
    "xylophone": Personal.CONTACT,
    "mailbox": Personal.CONTACT,
    "LC77": Personal.IDENTIFIER,
}


@pytest.mark.parametrize("role", LOOKERS)
def test_a_search_finds_by_what_the_role_sees(known, visit, role):
    """Otherwise a masked value could be found out letter by letter."""
    shop, who = known
    everything = {word: bool(shop.find(word).rows) for word in SEARCHES}
    with visit(shop, role) as http:
        for word, kind in SEARCHES.items():
            found = http.get("/api/v1/customers", params={"search": word}).json()
            seen = everything[word] and kind in ROLES[role].sees
            assert ([row["id"] for row in found["data"]] == [who]) is seen, word
            assert bool(found["total"]) is seen, word
            assert (
                f'href="/customers/{who}"' in http.get("/customers", params={"search": word}).text
            ) is seen, word
        whole = http.get(f"/api/v1/profiles/email:{VALUES[Personal.CONTACT][0]}")
        assert whole.json()["id"] == who, "who knows the whole identifier may look its owner up"
    assert everything["Quagm"]
    assert everything["LC77"]


def test_an_order_number_is_found_by_everybody_who_may_look_up(known, visit):
    shop, who = known
    put(shop, order("INV5501", -DAY, ids={"loyalty_card": VALUES[Personal.IDENTIFIER][0]}))
    for role in LOOKERS:
        with visit(shop, role) as http:
            found = http.get("/api/v1/customers", params={"search": "INV5501"}).json()
        assert [row["id"] for row in found["data"]] == [who], role


def test_an_export_is_never_masked_and_so_needs_every_sight(known):
    from shopkeeper.domain.actor import Actor
    from shopkeeper.domain.errors import NotPermitted

    shop, who = known
    with pytest.raises(NotPermitted, match="in clear"):
        shop.as_actor(Actor("k1", "key", frozenset({"export", "see_name"}))).export(who)
    every = frozenset({"export", *(f"see_{kind}" for kind in EVERY_CLASS)})
    copy = str(shop.as_actor(Actor("k1", "key", every)).export(who))
    assert all(value in copy for value in VALUES[Personal.CONTACT][:4])
