"""What was known of every customer at an instant: right, and blind to what came later."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.conditions import TODAY
from tests.small_shops import ZONE, SmallShop, found

from shopkeeper.domain.clock import DAY, day_of
from shopkeeper.domain.errors import Conflict, InvalidInput
from shopkeeper.domain.event import Event, parse
from shopkeeper.domain.identifier import Identifier
from shopkeeper.know.features import Asked, trade
from shopkeeper.know.fold import unpack
from shopkeeper.predict.value.features import ORDER_WORDS, from_orders
from shopkeeper.shop.featuring import Filled, features_for, order_days

AS_OF = TODAY - 12
END = AS_OF * DAY + DAY - 3600 * 1_000_000  # midnight of a winter's day in Berlin; drawn days are in March


def an_event(name: str, at: int, who: dict[str, str], received: int | None = None, **facts: Any) -> Event:
    known, more = parse(name, facts)
    return Event(
        name=name, message_id=f"{name}{at}{sorted(who.items())}", occurred_at=at,
        received_at=received or (TODAY + 10) * DAY, properties=known, more=more, source="test", channel="web",
        identifiers=tuple(Identifier(*one) for one in who.items()),
    )  # fmt: skip


def later(event: Event) -> bool:
    return event.occurred_at >= END


class Drawn(SmallShop):
    """The events of a small shop, put in two parts: what happened by the instant, and all the rest."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        events = [self.draw(customer) for customer in range(40) for _ in range(self.chance.randint(0, 14))]
        events += [
            an_event(name, at * DAY, {"user_id": f"u{n % 40}"}, **facts)
            for n in range(60)
            for name, facts in [self.chance.choice(SAID)]
            for at in [self.chance.randint(TODAY - 50, TODAY + 5)]
        ]
        self.events = [event for event in events if not later(event)]
        self.rest = [event for event in events if later(event)]
        self.shop = found()
        self.put(self.events)
        self.shop.refresh()


SAID: list[tuple[str, dict[str, Any]]] = [
    ("Consent Given", {"purpose": "newsletter"}),
    ("Consent Given", {"purpose": "ads"}),
    ("Consent Withdrawn", {"purpose": "marketing_email"}),
    ("Consent Withdrawn", {"purpose": "everything"}),
    ("Email Unsubscribed", {}),
    ("Contact Opened", {"reason": "complaint"}),
    ("Email Link Clicked", {"machine": True}),
]


@pytest.fixture(scope="module", params=range(3))
def drawn(request: pytest.FixtureRequest) -> Drawn:
    return Drawn(request.param)


def rows(table: Any) -> dict[int, dict[str, Any]]:
    return {row.pop("id"): row for row in table.to_pylist()}


@pytest.fixture(scope="module")
def both(drawn: Drawn) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    """The table of that day, and the table of the same day after all that came later."""
    with drawn.shop.places.ledger.read() as reader:
        drawn.records = {r.customer: unpack(r.body) for chunk in reader.all_records() for r in chunk}
    asked = Asked(end=END, currency="GBP", rates=rates(drawn), assumed=drawn.shop.settings.assumed_margin)
    drawn.trade = trade(drawn.shop.places.lake.query, asked)
    drawn.table = features_for(drawn.shop.places)(np.datetime64(AS_OF, "D"))
    before = rows(drawn.shop.features(as_of=day_of(AS_OF)))
    drawn.put(drawn.rest)
    drawn.shop.refresh()
    return before, rows(drawn.shop.features(as_of=day_of(AS_OF)))


def rates(drawn: Drawn) -> Any:
    from shopkeeper.shop.asking import setting_of

    with drawn.shop.places.ledger.read() as reader:
        return setting_of(drawn.shop.places, reader, {}).rates


def test_nothing_that_comes_later_changes_a_row(drawn: Drawn, both: Any) -> None:
    """A customer who took others in later has the row of one of them: that with the strongest identifier."""
    before, after = both
    assert len(before) > 15
    assert drawn.rest
    now = {customer: customer for customer in before}
    with drawn.shop.places.ledger.read() as reader:
        for turn in sorted(reader.turns([], None, 1000), key=lambda turn: turn.id):
            assert turn.kind == "merge"
            now = {one: turn.customer if at == turn.other else at for one, at in now.items()}
    assert set(after) == set(now.values())
    merged = 0
    for customer, row in after.items():
        were = [before[one] for one, at in now.items() if at == customer]
        merged += len(were) > 1
        assert row in were, customer
    assert merged


def test_orders_are_those_of_the_fold(drawn: Drawn, both: Any) -> None:
    days = order_days(drawn.trade, ZONE, 1.0)
    own: dict[int, dict[int, float]] = {}
    for code, day, margin in zip(days.code.tolist(), days.day.tolist(), days.amount.tolist(), strict=True):
        own.setdefault(int(days.customers[code]), {})[day] = margin
    told = {c: r for c, r in drawn.records.items() if r.days}
    assert {c: sorted(one) for c, one in own.items()} == {c: r.days for c, r in told.items()}
    close = sum(
        [one[day] for day in record.days] == pytest.approx(record.day_margin, abs=2.0)
        for record, one in ((told[c], own[c]) for c in told)
    )
    # What comes back of an order that nobody heard of goes to the order before it, in the fold or here, if at another
    # customer's time: few.
    assert close >= 0.9 * len(told)
    for customer, record in drawn.records.items():
        row = both[0].get(customer)
        if row is not None:
            assert row["orders"] == record.orders
            assert row["returns"] == record.returns


def test_the_shops_windows_are_those_of_the_orders(drawn: Drawn, both: Any) -> None:
    plain = from_orders(order_days(drawn.trade, ZONE, 100.0), np.datetime64(AS_OF, "D"))
    for name in ORDER_WORDS:
        ours = drawn.table.rows_of(plain.customer).column(name.replace("amount", "margin"))
        np.testing.assert_array_equal(ours, plain.column(name), err_msg=name)


def test_deeds_and_consents_are_those_of_the_fold(drawn: Drawn, both: Any) -> None:
    from shopkeeper.domain.customer import consents

    seen = Counter()
    for customer, row in both[0].items():
        record = drawn.records[customer]
        assert row["email_opens_ever"] == record.engagement.opened
        assert row["email_clicks_ever"] == record.engagement.clicked
        assert row["complaints_ever"] == record.complaints
        assert row["views_ever"] == row["views_52w"]
        assert row["visits_ever"] == sum(record.visits.values())
        standings = consents(record)
        for purpose in ("marketing_email", "marketing_sms", "ads"):
            told = standings.get(purpose)
            assert row[f"consent_{purpose}"] == (None if told is None else float(told.granted)), purpose
            seen[told is not None and told.granted] += 1
    assert len(seen) == 2


@pytest.fixture(scope="module")
def story() -> Any:
    """One customer: a device looked around, somebody signed in on it later; one order came back later."""
    shop = found()
    at = {n: (AS_OF - n) * DAY + DAY // 2 for n in range(-9, 60)}
    anna, device = {"user_id": "anna"}, {"anonymous_id": "a1"}
    goods = [{"product_id": "p0", "price": "10.00", "quantity": 2, "category": "Lighting"}]
    early = [
        an_event("Order Completed", at[30], anna, order_id="o1", products=goods, coupon="X", discount="5.00"),
        an_event("Order Completed", at[9], anna, order_id="o2", products=goods),
        *(an_event("Product Viewed", at[n], device, product_id="p1", category="Garden") for n in (3, 2, 1)),
        an_event("Product Viewed", at[5], anna, received=at[-4], product_id="p0"),
        an_event("Order Completed", at[20], {"user_id": "ben"}, order_id="o9", products=goods),
    ]
    late = [
        an_event("Order Refunded", at[-1], anna, order_id="o2", products=goods),
        an_event("Order Completed", at[-2], anna, order_id="o3", products=goods),
        an_event("Product Viewed", at[-3], anna | device, product_id="p1"),
        an_event("Consent Withdrawn", at[-3], {"user_id": "ben"}, purpose="profiling"),
    ]
    drawn = SmallShop.__new__(SmallShop)
    drawn.chance, drawn.shop = Random(1), shop
    drawn.put([*early, *late])
    shop.refresh()
    return shop


def test_a_device_that_was_linked_later_was_not_the_customers_then(story: Any) -> None:
    then = rows(story.features(as_of=day_of(AS_OF)))
    assert len(then) == 1  # ben objects, whenever he said so
    (row,) = then.values()
    assert (row["views_13w"], row["orders"], row["returns"]) == (1.0, 2.0, 0.0)
    (row,) = rows(story.features(as_of=day_of(AS_OF + 3))).values()
    assert (row["views_13w"], row["orders"], row["returns"], row["categories_seen"]) == (5.0, 3.0, 1.0, 2.0)


def test_with_known_what_was_received_later_is_not_seen(story: Any) -> None:
    assert story.features(as_of=day_of(AS_OF), known=True).num_rows == 0
    at = datetime.fromtimestamp((TODAY + 11) * 86400, UTC)
    with pytest.raises(InvalidInput, match="beyond the last refresh"):
        story.features(as_of=at, known=True)


def test_the_label_is_what_was_bought_after(story: Any) -> None:
    table = story.features(as_of=day_of(AS_OF), horizon=1)
    (row,) = rows(table).values()
    assert row["label_orders"] == 1.0
    assert row["label_margin"] == pytest.approx(20.0 * story.settings.assumed_margin)
    assert table.schema.metadata[b"horizon"] == b"1"
    assert table.schema.field("views_13w").metadata[b"sentence"] == b"products looked at in the last 13 weeks"
    with pytest.raises(InvalidInput, match="not over yet"):
        story.features(as_of=day_of(AS_OF), horizon=9)
    for horizon in (0, -1, 1.5, "x", float("nan")):
        with pytest.raises(InvalidInput, match=f"horizon of {horizon}"):
            story.features(as_of=day_of(AS_OF), horizon=horizon)
    with pytest.raises(InvalidInput, match="not over yet"):
        story.features(as_of=day_of(AS_OF), horizon=10**30)


def test_texts_discounts_and_channels(story: Any) -> None:
    (row,) = rows(story.features(as_of=day_of(AS_OF))).values()
    told = {
        name: row[name] for name in ("first_channel", "first_category", "main_category", "units", "share_web")
    }
    assert told == {
        "first_channel": "web", "first_category": "Lighting", "main_category": "Lighting", "units": 4.0,
        "share_web": 1.0,
    }  # fmt: skip


def test_a_day_may_be_text_and_what_is_none_is_refused(story: Any) -> None:
    assert story.features(as_of=day_of(AS_OF).isoformat()).equals(story.features(as_of=day_of(AS_OF)))
    for wrong in ("yesterday", 5, date.min, date.max, datetime.max.replace(tzinfo=UTC)):
        for ask in (story.features, story.worth):
            with pytest.raises(InvalidInput, match="as_of"):
                ask(as_of=wrong)
        with pytest.raises(InvalidInput, match="as_of"):
            story.predicted(wrong)
    with pytest.raises(InvalidInput, match="rate is"):
        story.worth(discount="a tenth")


def test_an_instant_needs_a_zone_and_the_shop_a_refresh(story: Any) -> None:
    with pytest.raises(InvalidInput, match="without a time zone"):
        story.features(as_of=datetime(2024, 1, 1))
    instant = datetime.fromtimestamp(END / 1e6, UTC)
    assert story.features(as_of=instant).equals(story.features(as_of=day_of(AS_OF)))
    assert story.features(as_of=instant - timedelta(days=400)).num_rows == 0
    with pytest.raises(Conflict):
        found().features(as_of=day_of(AS_OF))


def test_a_table_has_room_for_any_number_of_columns_and_promises_little_more_than_it_needs() -> None:
    filled = Filled(3)
    columns = {str(place): np.full(3, float(place)) for place in range(500)}
    filled.take(columns.items())
    assert filled.names == list(columns)
    assert np.array_equal(filled.values, np.column_stack([*columns.values()]))
    assert filled.values.flags.f_contiguous
    base = filled.values.base
    assert base is not None
    assert base.nbytes < 2 * filled.values.nbytes


def test_models_may_ask_before_the_lake_was_fed(story: Any) -> None:
    """In a refresh models ask before their scores are in the lake, the first time of an empty one."""
    shop, at = found(), (AS_OF - 3) * DAY
    fresh = SmallShop.__new__(SmallShop)
    fresh.chance, fresh.shop = Random(2), shop
    goods = [{"product_id": "p0", "price": "10.00", "quantity": 1}]
    fresh.put([an_event("Order Completed", at, {"user_id": "eve"}, order_id="1", products=goods)])
    day = np.datetime64(AS_OF, "D")
    table = features_for(shop.places, shop.traits())(day)
    assert table.column("orders").tolist() == [1.0]
    fresh.put(
        [
            an_event("Order Completed", at + DAY, {"user_id": "eve"}, order_id="2", products=goods),
            an_event("Order Completed", at + DAY, {"user_id": "tom"}, order_id="3", products=goods),
            an_event("Consent Withdrawn", at + 2 * DAY, {"user_id": "tom"}, purpose="profiling"),
        ]
    )
    live = shop.customers().to_pylist()
    table = features_for(shop.places, shop.traits())(day)
    assert table.column("orders").tolist() == [2.0]  # tom objects
    assert shop.customers().to_pylist() == live
    assert shop.places.lake.query("SELECT id, orders FROM customers ORDER BY id")["orders"].to_pylist() == [
        2,
        1,
    ]
