"""The worker: what was handed in is taken in once, in whatever order and pieces it came."""

from __future__ import annotations

import gzip
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deliveries import bought, everybody, hand, hand_raw, known, splits, until, viewed
from tests.events import order

import shopkeeper
from shopkeeper.collect import deliveries as reading
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.catalogue import Product
from shopkeeper.domain.delivery import Delivery, Settled, Understood, Wish
from shopkeeper.domain.errors import Conflict, StoreFull
from shopkeeper.domain.identifier import Identifier
from shopkeeper.shop import Shop, living, working
from shopkeeper.shop.working import Worker
from shopkeeper.stores.contract.gate import KeptDelivery

STORY: list[dict[str, Any]] = [
    known("1", "7", "anna@example.com", firstName="Anna"),
    viewed("2", "7"),
    bought("3", "7"),
    viewed("4", "8", anonymousId="cookie"),
    known("5", "8", "bert@example.com"),
    bought("6", "8", price="9.00"),
    {"type": "alias", "messageId": "7", "userId": "7", "previousId": "7", "timestamp": "2026-05-01T11:00:00Z"},
    {"type": "track", "messageId": "8", "event": "Order Refunded", "userId": "7", "timestamp": "2026-05-01T11:40:00Z",
     "properties": {"order_id": "3", "products": [{"product_id": "p1", "price": "5.00", "quantity": 1}]}},
    {"type": "track", "messageId": "9", "event": "Email Unsubscribed", "userId": "8",
     "timestamp": "2026-05-01T11:45:00Z", "properties": {}},
    {"type": "identify", "messageId": "10", "userId": "7", "anonymousId": "cookie2", "traits": {},
     "timestamp": "2026-05-01T09:00:00Z"},
]  # fmt: skip


def test_what_was_handed_in_is_on_the_timeline_at_once(shop: Shop) -> None:
    shop.add_source("web", "tracking")
    with Worker(shop.places):
        hand(shop, known("1"), bought("2"))
        until(lambda: shop.health()["events"] == 2)
        assert shop.customer("anna@example.com").traits["orders"] == 1
        assert shop.worked() is True
        assert shop.flow().working is True
    assert shop.worked() is False
    assert shop.places.gate.inbox.backlog(0).deliveries == 0


def test_the_same_again_is_counted_and_changes_nothing(shop: Shop) -> None:
    for _ in range(3):
        hand(shop, *STORY)
    took = shop.hear()
    assert (took.deliveries, took.received, took.kept, took.repeated, took.refused) == (3, 30, 10, 20, 0)
    before = everybody(shop)
    hand(shop, *STORY)
    assert shop.hear().repeated == 10
    assert everybody(shop) == before
    (web,) = shop.flow().sources
    assert (web.received, web.kept, web.repeated) == (40, 10, 30)


_straight: list[Any] = []


def straight() -> list[Any]:
    """Everybody as a shop knows them that was told the story in its order, in one piece, and folded it anew."""
    if not _straight:
        with tempfile.TemporaryDirectory() as folder, fresh(folder) as shop:
            hand(shop, *STORY)
            shop.hear()
            shop.rebuild()
            _straight.append(everybody(shop))
    return _straight[0]  # type: ignore[no-any-return]


def fresh(folder: str) -> Shop:
    return shopkeeper.create(Path(folder) / "shop", now="2026-05-01T12:00:00+00:00")


@settings(max_examples=12, deadline=None)
@given(
    arrival=st.permutations(range(len(STORY))),
    sizes=st.lists(st.integers(1, 4), max_size=6),
    again=st.lists(st.integers(0, len(STORY) - 1), max_size=3),
    steps=st.booleans(),
)
def test_any_order_and_any_split_give_the_same_customers(
    arrival: list[int],
    sizes: list[int],
    again: list[int],
    steps: bool,  # noqa: FBT001
) -> None:
    with tempfile.TemporaryDirectory() as folder, fresh(folder) as shop:
        for piece in splits([*arrival, *again], sizes):
            hand(shop, *(STORY[one] for one in piece))
            if steps:
                shop.hear()
        shop.hear()
        assert everybody(shop) == straight()


def test_a_bad_call_fails_none_of_its_neighbours(shop: Shop) -> None:
    large = viewed("large", note="x" * 33_000)
    hand(
        shop,
        known("1"),
        {"type": "nod"},
        "no object",
        large,
        viewed("5") | {"timestamp": "yesterday"},
        bought("6"),
    )  # type: ignore[arg-type]
    took = shop.hear()
    assert (took.kept, took.refused) == (2, 4)
    assert shop.customer("user_id:7").traits["orders"] == 1
    refused = {row.line: (row.kind, row.reason) for row in shop.quarantine()}
    assert refused == {
        1: ("tracking/part", "bad_type"),
        2: ("tracking/part", "not_an_object"),
        3: ("tracking/part", "too_large"),
        4: ("tracking/part", "bad_time"),
    }


def test_what_cannot_be_read_at_all_is_set_aside_whole(shop: Shop) -> None:
    hand_raw(shop, b"\xff{", topic="batch", events=3)
    hand_raw(shop, b'{"batch":' + b"[" * 100_000)
    hand_raw(shop, b"<a/>", format="nothing known")
    hand(shop, known("1"))
    took = shop.hear()
    assert (took.kept, took.refused) == (1, 3)
    assert sorted((row.kind, row.reason) for row in shop.quarantine()) == [
        ("nothing known/delivery", "poison"),
        ("tracking/delivery", "not_json"),
        ("tracking/delivery", "not_json"),
    ]


def test_a_call_by_itself_and_what_holds_for_a_batch(shop: Shop) -> None:
    single = {k: v for k, v in viewed("1").items() if k != "type"}
    hand_raw(shop, msgspec.json.encode(single), topic="track")
    hand_raw(
        shop,
        msgspec.json.encode({"batch": [viewed("2"), viewed("3", context={"campaign": {"name": "own"}})],
                             "context": {"campaign": {"name": "spring"}}, "sentAt": "2026-05-01T11:30:00Z"}),
        notes={"gpc": "1"},
    )  # fmt: skip
    shop.hear()
    with shop.places.ledger.read() as reader:
        rows = reader.log_after(0, 10)
    told = [event["properties"] for event in shop.export("user_id:7")["events"]]
    assert [row.name for row in rows] == ["Product Viewed"] * 3
    assert "campaign" not in told[0]
    assert [one["campaign"]["name"] for one in told[1:]] == ["spring", "own"]
    assert [b'"gpc":true' in row.payload for row in rows] == [False, True, True]
    assert {row.occurred_at - rows[0].occurred_at for row in rows[1:]} == {30 * 60 * 1_000_000}


def test_calls_without_id_and_time_are_two_when_they_come_apart(shop: Shop) -> None:
    nameless = {"type": "track", "event": "Product Viewed", "userId": "7", "properties": {"product_id": "p1"}}
    hand_raw(shop, msgspec.json.encode({"batch": [nameless, nameless]}), at=1_777_000_000_000_000)
    hand_raw(shop, msgspec.json.encode(nameless), topic="track", at=1_777_000_000_000_001)
    assert shop.hear().kept == 3


def test_a_body_that_came_compressed_is_kept_so(shop: Shop) -> None:
    body = msgspec.json.encode({"batch": [known("1"), *(viewed(f"v{n}") for n in range(50))]})
    half = len(body) // 2
    hand_raw(shop, body, gzipped=gzip.compress(body[:half]) + gzip.compress(body[half:]))
    hand_raw(shop, body)
    (first, second) = shop.places.gate.inbox.waiting(0, 1_000_000)
    assert max(len(first.body), len(second.body)) < len(body) / 4
    assert shop.hear().kept == 51


def test_records_and_names_that_deliveries_bring_are_kept(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(delivery: Delivery, _: Settled) -> Understood:
        return Understood(
            batch=Batch(records=[("product", msgspec.json.decode(delivery.body, type=Product))])
        )

    monkeypatch.setattr(reading, "_ELSEWHERE", {"goods": "made.here"})
    monkeypatch.setattr(reading, "import_module", lambda _: type("module", (), {"read": staticmethod(read)}))
    reading.reader_of.cache_clear()
    hand(shop, bought("1"))
    hand_raw(shop, b'{"product_id":"p1","category":"Lamps","unit_cost":"2.00"}', format="goods")
    shop.hear()
    with shop.places.ledger.read() as reader:
        (product,) = [msgspec.json.decode(body, type=Product) for body in reader.reference("product")]
    assert (product.name, product.category) == ("Lamp", "Lamps")
    reading.reader_of.cache_clear()


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Folding an event of the product ``poison`` breaks the whole transaction."""
    follow = living.follow

    def spoilt(places: Any, tx: Any, rows: Any) -> None:
        if any(b"poison" in row.payload for row in rows):
            raise ZeroDivisionError("a bug")
        follow(places, tx, rows)

    monkeypatch.setattr(living, "follow", spoilt)
    yield
    monkeypatch.undo()


@pytest.mark.usefixtures("poisoned")
def test_a_poison_event_is_set_aside_and_all_others_are_taken(shop: Shop) -> None:
    hand(shop, known("1"), viewed("2"))
    hand(shop, viewed("3"), viewed("4", product="poison"), bought("5"), {"type": "nod"})
    hand(shop, viewed("6"))
    took = shop.hear()
    assert (took.deliveries, took.kept, took.refused, took.poison) == (3, 5, 2, 1)
    assert shop.health()["lag"] == 0
    assert sorted((row.kind, row.reason) for row in shop.quarantine()) == [
        ("tracking/event", "poison"),
        ("tracking/part", "bad_type"),
    ]
    assert shop.places.gate.inbox.backlog(0).deliveries == 0
    (web,) = shop.flow().sources
    assert (web.received, web.kept, web.refused) == (7, 5, 2)


def test_a_full_disk_is_no_poison(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    follow, full = living.follow, itertools.chain([True] * 3, itertools.repeat(False))

    def sometimes(places: Any, tx: Any, rows: Any) -> None:
        if next(full):
            raise StoreFull("no space left")
        follow(places, tx, rows)

    monkeypatch.setattr(living, "follow", sometimes)
    monkeypatch.setattr(working, "_BACK_OFF", (0.01,))
    with Worker(shop.places) as worker:
        hand(shop, *STORY)
        until(lambda: shop.health()["events"] == 10)
        assert worker.took.poison == 0
    assert shop.quarantine() == []


def test_what_dead_workers_held_is_taken_in_ever_smaller_company() -> None:
    def kept(*attempts: int) -> list[KeptDelivery]:
        return [
            KeptDelivery(n, 0, "web", "tracking", "", 1, b"", b"", tries) for n, tries in enumerate(attempts)
        ]

    def sizes(*attempts: int) -> list[int]:
        groups = list(working.together(kept(*attempts)))
        assert [one for group in groups for one in group] == kept(*attempts)
        return [len(group) for group in groups]

    assert sizes() == []
    assert sizes(*[0] * 500) == [500]
    assert sizes(*[1] * 150) == [64, 64, 22]
    assert sizes(*[2] * 20) == [8, 8, 4]
    assert sizes(3, 3, 3) == [1, 1, 1]
    assert sizes(0, 0, working.DEATHS, 0, 0) == [2, 1, 2]
    assert sizes(*[0] * 10, 2, 2, 0) == [10, 3]


def test_who_died_between_commit_and_forgetting_repeats_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[Any] = []
    hand(shop, *STORY)
    monkeypatch.setattr(type(shop.places.gate.inbox), "forget", lambda *_: None)
    shop.hear()
    monkeypatch.undo()
    assert shop.places.gate.inbox.backlog(0).deliveries == 1
    monkeypatch.setattr(working.jobs, "wish", lambda _, asked: wishes.extend(asked))
    took = shop.hear()
    assert (took.received, took.repeated) == (0, 0)
    assert shop.places.gate.inbox.backlog(0).deliveries == 0
    assert wishes == []


def test_a_delivery_whose_workers_die_is_set_aside_and_its_neighbours_live(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Death(BaseException):
        """Nothing catches this, as nothing catches a process that is killed."""

    understand = working.understand

    def deadly(places: Any, kept: Any) -> Any:
        if any(one.topic == "deadly" for one in kept):
            raise Death
        return understand(places, kept)

    monkeypatch.setattr(working, "understand", deadly)
    hand(shop, known("1"))
    hand_raw(shop, msgspec.json.encode({"batch": [viewed("2")]}), topic="deadly")
    hand(shop, bought("3"))
    deaths = 0
    while shop.places.gate.inbox.backlog(0).deliveries:
        try:
            Worker(shop.places).drain()
        except Death:
            deaths += 1
        assert deaths <= working.DEATHS
    assert deaths == working.DEATHS
    assert shop.health()["events"] == 2
    (row,) = shop.quarantine()
    assert (row.kind, row.reason) == ("tracking/delivery", "poison")
    assert shop.replay().events == 1


def test_one_worker_holds_a_shop(shop: Shop) -> None:
    with shopkeeper.open(shop.places.folder) as beside:
        with Worker(shop.places):
            assert beside.worked() is True
            with pytest.raises(Conflict, match="worker"), Worker(beside.places):
                pass
            hand(beside, known("1"))
            assert beside.hear().kept == 0  # the other one took it
            assert beside.health()["events"] == 1
        with Worker(beside.places):
            pass


def test_what_was_imported_beside_is_folded_too(shop: Shop) -> None:
    events = [order(str(n), -n, ids={"user_id": f"u{n % 7}"}) for n in range(50)]
    shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, events, Outcome()))
    assert shop.health()["lag"] == 50
    with Worker(shop.places):
        hand(shop, bought("live", "u1"))
        until(lambda: shop.health()["events"] == 51 and shop.health()["lag"] == 0)
        assert shop.customer("user_id:u1").traits["orders"] == 8


def test_an_erasure_takes_what_waits_along_and_leaves_nothing_in_the_gate(shop: Shop) -> None:
    hand(shop, known("1", firstName="Zaphodia"), bought("2"))
    shop.hear()
    hand(shop, viewed("3"), {"type": "nod", "email": "anna@example.com"})
    waiting = shop.places.gate.inbox.waiting(0, 1_000_000)
    receipt = shop.erase("anna@example.com")
    assert receipt.events_removed == 2
    assert "gate" in receipt.places
    assert shop.quarantine() == []
    files = [f for f in shop.places.folder.iterdir() if f.name.startswith("gate.db")]
    assert not [f.name for f in files for one in waiting if one.body in f.read_bytes()]
    hand(shop, viewed("4"))
    assert (shop.hear().kept, shop.health()["customers"]) == (0, 0)


def test_a_backup_takes_along_what_waits_and_an_erasure_reaches_it_there(shop: Shop, tmp_path: Path) -> None:
    hand(shop, known("1"))
    shop.hear()
    hand(shop, bought("2"))
    file = shop.backup(tmp_path / "b.zip")
    with shopkeeper.restore(file, tmp_path / "one") as restored:
        assert restored.hear().kept == 1
        assert restored.customer("anna@example.com").traits["orders"] == 1
    shop.erase("anna@example.com")
    with shopkeeper.restore(file, tmp_path / "two") as restored:
        assert restored.places.gate.inbox.backlog(0).deliveries == 0
        assert restored.health()["customers"] == 0


def test_a_ledger_with_another_gate_loses_nothing(shop: Shop) -> None:
    for n in range(5):
        hand(shop, viewed(str(n)))
    shop.hear()
    folder = shop.places.folder
    shop.close()
    for file in folder.glob("gate.db*"):
        file.unlink()
    with shopkeeper.open(folder) as again:
        hand(again, bought("new"))
        assert again.hear().kept == 1


def test_wishes_become_jobs_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: Delivery, __: Settled) -> Understood:
        who = (Identifier("email", "anna@example.com"), Identifier("user_id", "gone"))
        return Understood(batch=Batch(), wishes=(Wish(verb="erase", identifiers=who, reference="r1"),))

    monkeypatch.setattr(reading, "_ELSEWHERE", {"wishes": "made.here"})
    monkeypatch.setattr(reading, "import_module", lambda _: type("module", (), {"read": staticmethod(read)}))
    reading.reader_of.cache_clear()
    hand(shop, known("1"), bought("2"))
    hand_raw(shop, b"{}", format="wishes")
    hand_raw(shop, b"{}", format="wishes")
    with Worker(shop.places):
        until(lambda: [job.state for job in shop.jobs()] == ["done"])
    assert shop.health()["customers"] == 0
    assert shop.jobs()[0].verb == "wished erase"
    reading.reader_of.cache_clear()
