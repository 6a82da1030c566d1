"""Sources, their keys and secrets, and who is heard with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.deliveries import hand, known, until

import shopkeeper
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.clock import FixedClock
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted, UnknownName
from shopkeeper.shop import Shop
from shopkeeper.shop.sources import new_key

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class MovingClock(FixedClock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def test_a_write_key_names_its_source_and_is_kept_as_a_hash_only(shop: Shop) -> None:
    key = shop.add_source("web", "tracking", brand="Lumen", origins=("https://shop.example",))
    source = shop.hearing.source_of_key(key)
    assert source is not None
    assert (source.name, source.brand, source.origins) == ("web", "Lumen", ("https://shop.example",))
    (shown,) = shop.sources()
    assert [k.hint for k in shown.keys] == [key[-4:]]
    assert shop.hearing.source_of_key(key[:-1]) is None
    assert shop.hearing.source_of_key("") is None
    folder = shop.places.folder
    shop.close()
    assert not [f.name for f in folder.rglob("*") if f.is_file() and key.encode() in f.read_bytes()]


def test_a_name_is_given_once_and_must_be_one(shop: Shop) -> None:
    shop.add_source("web", "tracking")
    with pytest.raises(Conflict):
        shop.add_source("web", "poslog")
    with pytest.raises(InvalidInput):
        shop.add_source("Web Shop", "tracking")
    with pytest.raises(UnknownName, match="tracking"):
        shop.add_source("till", "trackin")
    assert shop.add_source("pressed", "shopify") == ""


def test_old_and_new_key_both_work_until_the_grace_is_over(tmp_path: Path) -> None:
    clock = MovingClock()
    with shopkeeper.create(tmp_path / "s", clock=clock) as shop:
        old = shop.add_source("web", "tracking")
        new = shop.rotate_key("web", timedelta(days=2))
        clock.at += timedelta(days=1, hours=23)
        assert shop.hearing.source_of_key(old) == shop.hearing.source_of_key(new) != None  # noqa: E711
        clock.at += timedelta(hours=1)
        assert shop.hearing.source_of_key(old) is None
        assert shop.hearing.source_of_key(new) is not None
        works = {k.hint: k.works for k in shop.sources()[0].keys}
        assert works == {old[-4:]: False, new[-4:]: True}


def test_a_revoked_key_ends_at_once_and_one_can_be_picked(shop: Shop) -> None:
    first = shop.add_source("web", "tracking")
    second = shop.rotate_key("web")
    assert shop.revoke_key("web", first[-4:]) == 1
    assert shop.hearing.source_of_key(first) is None
    assert shop.hearing.source_of_key(second) is not None
    assert shop.revoke_key("web") == 1
    assert shop.hearing.source_of_key(second) is None
    with pytest.raises(NotFound):
        shop.revoke_key("web")


def test_a_disabled_source_is_nobody_until_it_is_enabled(shop: Shop) -> None:
    key = shop.add_source("web", "tracking")
    shop.change_source("web", disabled=True)
    assert shop.hearing.source_of_key(key) is None
    assert shop.hearing.source_named("web") is None
    shop.change_source("web", disabled=False, events_per_second=5)
    source = shop.hearing.source_of_key(key)
    assert source is not None
    assert source.events_per_second == 5


def test_what_cannot_be_changed_says_so(shop: Shop) -> None:
    shop.add_source("web", "tracking")
    with pytest.raises(InvalidInput, match="kind"):
        shop.change_source("web", kind="poslog")
    with pytest.raises(UnknownName):
        shop.change_source("web", colour="blue")
    with pytest.raises(InvalidInput):
        shop.change_source("web", origins="https://one.example")
    with pytest.raises(UnknownName, match="web"):
        shop.change_source("wep", brand="x")


def test_a_change_in_one_process_is_heard_in_another_within_a_moment(shop: Shop) -> None:
    with shopkeeper.open(shop.places.folder) as beside:
        assert beside.hearing.source_named("web") is None
        key = shop.add_source("web", "tracking")
        until(lambda: beside.hearing.source_of_key(key))
        shop.revoke_key("web")
        until(lambda: beside.hearing.source_of_key(key) is None)


def test_when_a_key_was_used_is_noted(shop: Shop) -> None:
    key = shop.add_source("web", "tracking")
    assert shop.sources()[0].keys[0].used_at is None
    shop.hearing.source_of_key(key)
    shop.hearing.look()
    assert shop.sources()[0].keys[0].used_at == NOW


def test_secrets_are_sealed_drawn_or_given_and_forgotten(shop: Shop) -> None:
    shop.add_source("crm", "webhook")
    source = shop.hearing.source_named("crm")
    assert source is not None
    assert shop.hearing.secret_of(source) is None
    drawn = shop.set_secret("crm")
    assert drawn
    assert shop.hearing.secret_of(source) == drawn
    assert shop.set_secret("crm", "given by the sender") is None
    assert shop.hearing.secret_of(source) == "given by the sender"
    assert shop.sources()[0].secret_since == NOW
    with pytest.raises(InvalidInput):
        shop.set_secret("crm", "short")
    shop.set_secret("crm", "")
    assert shop.hearing.secret_of(source) is None
    folder = shop.places.folder
    shop.close()
    assert not [f.name for f in folder.rglob("*") if f.is_file() and b"given by the sender" in f.read_bytes()]


def test_only_who_administers_changes_sources(shop: Shop) -> None:
    shop.add_source("web", "tracking")
    marketer = shop.as_actor(Actor("m", "marketer"))
    assert [s.source.name for s in marketer.sources()] == ["web"]
    for change in (
        lambda: marketer.add_source("other", "tracking"),
        lambda: marketer.rotate_key("web"),
        lambda: marketer.revoke_key("web"),
        lambda: marketer.change_source("web", disabled=True),
        lambda: marketer.set_secret("web"),
    ):
        with pytest.raises(NotPermitted):
            change()
    with pytest.raises(NotPermitted):
        shop.as_actor(Actor("a", "associate")).sources()


def test_brand_and_channel_of_a_source_stand_in_what_it_tells(shop: Shop) -> None:
    shop.add_source("kiosk", "tracking", brand="Lumen", channel="store")
    hand(shop, known("m1"), source="kiosk")
    shop.hear()
    with shop.places.ledger.read() as reader:
        (event,) = reader.log_after(0, 10)
    assert (event.source, event.brand, event.channel) == ("kiosk", "Lumen", "store")


def test_a_key_begins_with_a_letter_because_commands_take_a_dash_for_an_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = iter(["-dash", "_line", "7up", "key"])
    monkeypatch.setattr("shopkeeper.shop.sources.secrets.token_urlsafe", lambda _octets: next(drawn))
    assert new_key() == "key"


@pytest.mark.parametrize("mapping", ["[[event]", "[[event]]\nnames = 'x'\n"])
def test_a_mapping_that_is_broken_is_kept_by_nobody(shop: Shop, mapping: str) -> None:
    with pytest.raises(InvalidInput):
        shop.add_source("crm", "webhook", mapping=mapping)
    assert shop.sources() == []
    shop.add_source("crm", "webhook")
    with pytest.raises(InvalidInput):
        shop.change_source("crm", mapping=mapping)
    assert shop.sources()[0].source.mapping == ""
