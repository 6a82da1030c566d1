"""Who saw and did what is kept, whole, and nothing personal with it."""

from __future__ import annotations

import inspect
import sqlite3
import threading
from contextlib import closing

import pytest
from tests.events import event, order, put

import shopkeeper
from shopkeeper.domain.actor import OWNER, Actor
from shopkeeper.domain.errors import NotPermitted, StoreFull
from shopkeeper.shop import Shop

ANNA = {"loyalty_card": "LC12345678", "email": "anna@example.com"}


@pytest.fixture
def anna(shop):
    """The id of the one customer of the shop."""
    put(
        shop,
        event("Identified", "i", ids=ANNA, first_name="Anna", last_name="Quagmire"),
        order("1", ids=ANNA),
    )
    return shop.customer("email:anna@example.com").id


def told(shop):
    """The log as (actor, verb, subject, outcome), oldest first."""
    return [(line.actor, line.verb, line.subject, line.outcome) for line in reversed(shop.audit(limit=1000))]


def test_who_saw_a_customer_is_kept(shop, anna):
    agent = shop.as_actor(Actor("u7", "agent"))
    agent.customer("anna@example.com")
    agent.timeline(anna)
    agent.find("Quagmire")
    shop.export(anna)
    seen = [(actor, verb) for actor, verb, subject, _ in told(shop) if subject == anna]
    assert seen == [
        ("owner", "look up a customer"), ("u7", "look up a customer"), ("u7", "see a timeline"),
        ("owner", "export a person"),
    ]  # fmt: skip
    assert [line.detail for line in shop.audit(verb="look up customers")] == ["1 customers found"]
    assert {line.actor for line in shop.audit(actor="u7")} == {"u7"}


def test_an_erasure_is_kept_and_names_nobody(shop, anna):
    shop.erase(anna)
    assert told(shop)[-1] == ("owner", "erase a person", anna, "done")
    assert "Quagmire" not in str(shop.audit(limit=1000))


def test_what_was_refused_is_kept_too(shop, anna):
    analyst = shop.as_actor(Actor("u8", "analyst"))
    for verb in (lambda: analyst.customer(anna), analyst.users, lambda: analyst.erase(anna), analyst.doctor):
        with pytest.raises(NotPermitted):
            verb()
    assert [(verb, outcome) for actor, verb, _, outcome in told(shop) if actor == "u8"] == [
        ("look up a customer", "refused"), ("see users", "refused"), ("erase a person", "refused"),
        ("examine the shop", "refused"),
    ]  # fmt: skip


def test_no_value_of_a_person_lies_in_the_log(shop, anna):
    shop.customer("email:anna@example.com")
    shop.find("Quagmire")
    with pytest.raises(LookupError):
        shop.customer("email:eve@example.com")
    folder = shop.places.folder
    shop.close()
    octets = b"".join(path.read_bytes() for path in folder.glob("gate.db*"))
    assert anna.encode() in octets
    for value in (b"anna@", b"Quagmire", b"LC12345678", b"eve@"):
        assert value not in octets


def test_nothing_is_lost_when_the_shop_is_closed(tmp_path):
    folder = tmp_path / "shop"
    with shopkeeper.create(folder) as shop:
        for _ in range(50):
            shop.find()
    with shopkeeper.open(folder) as shop:
        assert len(shop.audit(verb="look up customers")) == 50
        assert shop.check_audit() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET subject = 'c99' WHERE id = 3",
        "UPDATE audit SET actor = 'u1' WHERE id = 1",
        "DELETE FROM audit WHERE id = 4",
        "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",
        "INSERT INTO audit SELECT id + 1, at, actor, verb, subject, permission, outcome, detail, chain FROM audit "
        "WHERE id = (SELECT max(id) FROM audit)",
        "UPDATE audit SET chain = (SELECT chain FROM audit WHERE id = 2) WHERE id = 5",
    ],
)
def test_a_line_that_was_tampered_with_is_found(tmp_path, change):
    folder = tmp_path / "shop"
    with shopkeeper.create(folder) as shop:
        for _ in range(6):
            shop.find()
    with closing(sqlite3.connect(folder / "gate.db")) as connection, connection:
        assert connection.execute(change).rowcount == 1
    with shopkeeper.open(folder) as shop:
        assert len(shop.check_audit()) == 1


def test_a_look_that_cannot_be_recorded_in_the_end_fails(shop, anna, monkeypatch):
    """A full disk is waited for, but not for ever."""
    monkeypatch.setattr("shopkeeper.shop.auditing._MOST", 5)

    def full(_work):
        raise StoreFull("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(shop.places.gate, "write", full)
        with pytest.raises(StoreFull):
            [shop.customer(anna) for _ in range(6)]
    shop.customer(anna)
    assert len(shop.audit(verb="look up a customer", limit=100)) >= 6
    assert shop.check_audit() == []


FREE = {
    "as_actor", "close", "health", "traits", "settings", "clock", "hearing", "mark",
    "first_run", "set_up", "sign_in", "link", "enter", "accept", "sign_in_vouched", "who", "bearer", "sign_out",
    "provider_name", "seal_note", "open_note", "require", "worked", "sittings", "end_sitting", "change_password",
}  # fmt: skip
"""What needs no permission: about oneself, or the way in."""


def test_every_other_verb_asks_for_a_permission_first():
    for name, verb in inspect.getmembers(Shop, inspect.isfunction):
        if not name.startswith("_") and name not in FREE:
            said = inspect.getsource(verb)
            assert "self._may(" in said or "self._mine(" in said, name


def test_the_owner_is_an_administrator_and_nobody_is_nobody(shop):
    assert OWNER.role == "administrator"
    nobody = shop.as_actor(Actor("nobody", "nobody"))
    with pytest.raises(NotPermitted):
        nobody.report()
    assert not nobody.actor.sees


def test_a_change_is_on_disk_before_it_is_answered_and_a_look_need_not_be(shop):
    def kept():
        with shop.places.gate.read() as reader:
            return {row.verb for row in reader.audit_after(0, 100)}

    shop.places.trail._thread = threading.current_thread()  # nobody writes in the background
    shop.add_user("maria@example.com", "marketer")
    shop.change_role("u1", "agent")
    shop.add_source("web", "tracking")
    assert kept() == {"add a user", "change a role", "add a source"}
    shop.disable_user("u1")
    shop.revoke_api_key(shop.add_api_key("till", ["report"]).key.id)
    assert kept() >= {"disable a user", "add an API key", "revoke an API key"}
    shop.places.trail._thread = None
