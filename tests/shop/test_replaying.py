"""What was refused can be read again, and leaves the quarantine when it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.deliveries import bought, hand, hand_raw, known, viewed

from shopkeeper.collect import deliveries as reading
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.delivery import Delivery, Settled, Understood
from shopkeeper.domain.errors import BadEvent, NotPermitted
from shopkeeper.domain.event import Event
from shopkeeper.domain.identifier import Identifier
from shopkeeper.shop import Shop, living


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A format of one event a line, in which the brand of a source is the name of the field with the event's name."""

    def read(delivery: Delivery, settled: Settled) -> Understood:
        if not settled.brand:
            raise BadEvent("no_mapping", "the source has no mapping")
        batch = Batch()
        for place, line in enumerate(delivery.body.splitlines()):
            told = msgspec.json.decode(line)
            if settled.brand not in told:
                batch.refused.append(
                    Refused(
                        line=place,
                        reason="no_name",
                        detail="no such field",
                        raw=line.decode(),
                        cells=(told["who"],),
                    )
                )
                continue
            batch.events.append(
                Event(
                    name=told[settled.brand],
                    message_id=told["id"],
                    occurred_at=delivery.received_at,
                    received_at=delivery.received_at,
                    identifiers=(Identifier("user_id", told["who"]),),
                    source=delivery.source,
                )
            )
        return Understood(batch=batch)

    monkeypatch.setattr(reading, "_ELSEWHERE", {"mapped": "made.here"})
    monkeypatch.setattr(reading, "import_module", lambda _: type("module", (), {"read": staticmethod(read)}))
    reading.reader_of.cache_clear()
    yield
    reading.reader_of.cache_clear()


LINES = b'{"id":"a","verb":"Robot Waved","who":"7"}\n{"id":"b","wert":"Robot Sat","who":"8"}'


@pytest.mark.usefixtures("mapped")
def test_a_mended_source_frees_what_it_could_not_read(shop: Shop) -> None:
    shop.add_source("crm", "webhook", brand="verb")
    hand_raw(shop, LINES, source="crm", format="mapped", topic="talk")
    assert shop.hear().kept == 1
    assert [row.kind for row in shop.quarantine()] == ["mapped/part"]
    unmended = shop.replay()
    assert (unmended.looked_at, unmended.left, unmended.stay, unmended.reasons) == (1, 0, 1, {"no_name": 1})
    shop.change_source("crm", brand="wert")
    mended = shop.replay(source="crm")
    assert (mended.left, mended.events, mended.stay) == (1, 1, 0)
    assert shop.quarantine() == []
    assert shop.customer("user_id:8").id
    assert shop.health()["lag"] == 0
    assert shop.replay().looked_at == 0


@pytest.mark.usefixtures("mapped")
def test_a_delivery_set_aside_whole_is_read_again_whole(shop: Shop) -> None:
    shop.add_source("crm", "webhook")
    hand_raw(shop, LINES, source="crm", format="mapped", topic="talk")
    shop.hear()
    assert [(row.kind, row.reason) for row in shop.quarantine()] == [("mapped/delivery", "no_mapping")]
    shop.change_source("crm", brand="verb")
    partly = shop.replay()
    assert (partly.left, partly.events, partly.stay) == (0, 1, 1)
    shop.change_source("crm", brand="wert")
    assert shop.replay().stay == 1  # each mapping reads a half; what is kept is a repeat, and nothing is lost
    assert shop.health()["events"] == 2


def test_an_event_that_was_read_is_kept_when_nothing_is_wrong_with_it_any_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = living.follow

    def spoilt(places: Any, tx: Any, rows: Any) -> None:
        if any(row.name == "Order Completed" for row in rows):
            raise ZeroDivisionError("a bug")
        follow(places, tx, rows)

    monkeypatch.setattr(living, "follow", spoilt)
    hand(shop, known("1"), bought("2", price="12.345"), viewed("3"))
    shop.hear()
    assert [(row.kind, row.reason) for row in shop.quarantine()] == [("tracking/event", "poison")]
    assert shop.replay().reasons == {"poison (ZeroDivisionError)": 1}
    monkeypatch.undo()
    assert shop.replay(reason="something else").looked_at == 0
    replayed = shop.replay(reason="poison")
    assert (replayed.left, replayed.events) == (1, 1)
    traits = shop.customer("anna@example.com").traits
    assert (traits["orders"], traits["revenue"]) == (1, 12.34)
    assert shop.quarantine() == []


def test_rows_are_picked_by_number_and_those_of_files_are_left_alone(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(
        "order_id,ordered_at,product_id,quantity,unit_price\n1,never,p1,1,2.00\n2,2026-01-02,p1,1,2.00\n"
    )
    shop.collect(file, "orders")
    hand(shop, {"type": "nod"}, {"type": "wink"})
    shop.hear()
    numbers = sorted(row.id for row in shop.quarantine())
    assert len(numbers) == 3
    everything = shop.replay()
    assert (everything.looked_at, everything.of_files, everything.stay) == (3, 1, 2)
    assert shop.replay(ids=numbers[1:2]).looked_at == 1
    assert len(shop.quarantine()) == 3


def test_what_came_in_meanwhile_is_a_repeat_and_leaves(shop: Shop) -> None:
    ahead = viewed("1") | {"timestamp": "2026-05-08T11:00:00Z"}
    hand(shop, ahead)
    shop.hear()
    assert [(row.kind, row.reason) for row in shop.quarantine()] == [("tracking/event", "in_the_future")]
    assert shop.replay().reasons == {"in_the_future": 1}
    hand(shop, known("k"), {"type": "track", "event": "Product Viewed", "messageId": "1", "userId": "9",
                            "timestamp": "2026-05-01T11:00:00Z"})  # fmt: skip
    shop.hear()
    assert shop.replay().stay == 1


def test_replaying_takes_who_may_collect(shop: Shop) -> None:
    with pytest.raises(NotPermitted):
        shop.as_actor(Actor("a", "analyst")).replay()
