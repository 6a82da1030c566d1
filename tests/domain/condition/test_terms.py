"""What is kept of events agrees with a plain count of them, with the fold's figures, and with the lake's rows."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.conditions import CATALOGUE, TODAY, TRAITS, customers, nowadays
from tests.usual_segments import event as happening

from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.condition import check, functions
from shopkeeper.domain.condition.facts import event_facts
from shopkeeper.domain.condition.terms import term
from shopkeeper.domain.condition.texts import like, lower
from shopkeeper.domain.condition.values import rounded
from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.ordering import place
from shopkeeper.know.fold import fold

HOUR = DAY // 24


def valued(text, events, now, catalogue=CATALOGUE):
    """The value of the one behaviour in a condition."""
    (behaviour,) = check(f"{text} is not null", TRAITS).behaviours
    made = term(behaviour, catalogue)
    state = made.new()
    for one in events:
        made.add(state, one)
    return made.value(state, now)


def viewed(at, category="Lighting", **more):
    payload = {"category": category, **more}
    return event_facts("Product Viewed", at, payload, channel="web")


NOW = TODAY * DAY + 12 * HOUR


@pytest.mark.parametrize(
    ("window", "counted"),
    [
        ("days => 2", [NOW - 2 * DAY + 1, NOW]),
        ("hours => 48", [NOW - 2 * DAY + 1, NOW]),
        ("since => now() - interval '2 days'", [NOW - 2 * DAY, NOW - 2 * DAY + 1, NOW]),
        ("before => now()", [NOW - 2 * DAY - 1, NOW - 2 * DAY, NOW - 2 * DAY + 1]),
        ("before => now() + interval '1 hour'", [NOW - 2 * DAY - 1, NOW - 2 * DAY, NOW - 2 * DAY + 1, NOW]),
        ("since => today()", [NOW]),
        ("before => today() - interval '1 day'", [NOW - 2 * DAY - 1, NOW - 2 * DAY, NOW - 2 * DAY + 1]),
        (f"since => date '{instant(NOW):%Y-%m-%d}'", [NOW]),
        ("", [NOW - 2 * DAY - 1, NOW - 2 * DAY, NOW - 2 * DAY + 1, NOW]),
    ],
)
def test_where_windows_begin_and_end(window, counted):
    times = [NOW - 2 * DAY - 1, NOW - 2 * DAY, NOW - 2 * DAY + 1, NOW, NOW + 1]
    events = [viewed(at) for at in times]
    arguments = f"'Product Viewed'{', ' if window else ''}{window}"
    assert valued(f"events({arguments})", events, NOW) == len(counted)
    assert valued(f"first({arguments})", events, NOW) == counted[0]
    assert valued(f"last({arguments})", events, NOW) == counted[-1]


def test_a_day_begins_at_the_shops_midnight():
    midnight = TODAY * DAY - 2 * HOUR  # Berlin in summer
    events = [viewed(midnight - 1), viewed(midnight)]
    assert valued("events('Product Viewed', since => today())", events, NOW) == 1


@pytest.mark.parametrize(
    ("then", "then_not", "order", "now"),
    [
        (0, 0, None, 3 * DAY - 1),
        (0, 1, None, 3 * DAY),
        (1, 0, 1, DAY),
        (1, 0, 3 * DAY - 1, 5 * DAY),
        (0, 1, 3 * DAY, 5 * DAY),
        (0, 1, 0, 5 * DAY),
        (0, 1, -1, 5 * DAY),
        (0, 0, 2 * DAY, DAY),
    ],
)
def test_what_followed_in_time_and_what_did_not(then, then_not, order, now):
    events = [viewed(NOW)]
    if order is not None:
        events.append(event_facts("Order Completed", NOW + order, {"order_id": "o"}))
    for way, count in (("then", then), ("then_not", then_not)):
        text = f"events('Product Viewed', {way} => 'Order Completed', within_days => 3)"
        assert valued(text, events, NOW + now) == count


def test_a_follower_dated_ahead_is_foretold():
    (behaviour,) = check(
        "events('Product Viewed', then => 'Order Completed', within_days => 3)", TRAITS
    ).behaviours
    made = term(behaviour, CATALOGUE)
    state = made.new()
    made.add(state, viewed(NOW))
    made.add(state, event_facts("Order Completed", NOW + DAY, {"order_id": "o"}))
    assert made.value(state, NOW) == 0
    assert made.next_change(state, NOW) == NOW + DAY
    assert made.value(state, NOW + DAY) == 1


def test_filters():
    events = [
        viewed(NOW),
        viewed(NOW, ""),
        viewed(NOW, "", product_id="p0"),
        viewed(NOW, "Garden", product_id="p0"),
        viewed(NOW, "Garden", store="S1"),
    ]
    for text, count in {
        "category => 'Lighting'": 2,
        "category <> 'Lighting'": 2,
        "category in ('Lighting', 'Garden')": 4,
        "category not in ('Lighting')": 2,
        "category => 'Garden', store => 'S1'": 1,
        "store <> 'S2'": 1,
        "channel => 'web'": 5,
        "channel <> 'web'": 0,
        "brand <> 'x'": 0,
    }.items():
        assert valued(f"events('Product Viewed', {text})", events, NOW) == count, text


def test_machines_are_left_out_unless_asked_for():
    events = [event_facts("Email Opened", NOW, {"machine": one}) for one in (True, False, False)]
    events.append(event_facts("Email Opened", NOW, {}))
    assert valued("events('Email Opened')", events, NOW) == 3
    assert valued("events('Email Opened', machine => true)", events, NOW) == 1


def order(number, at, *lines, name="Order Completed", **more):
    products = [{"product_id": "x", "category": category, "amount": amount} for category, amount in lines]
    payload = {"order_id": number, "products": products, "amount": sum(amount for _, amount in lines)} | more
    return event_facts(name, at, payload, key=at.to_bytes(8, "big"), channel=more.get("channel", "web"))


def test_orders_that_stand_and_what_was_spent():
    light, garden = ("Lighting", 1000), ("Garden", 500)
    told = [
        order("a", NOW - 40 * DAY, light, garden),
        order("b", NOW - 9 * DAY, light),
        order("c", NOW - DAY, garden),
    ]
    figures = {
        "orders()": 3,
        "spend()": 30.0,
        "orders(category => 'Lighting')": 2,
        "spend(category => 'Lighting')": 20.0,
        "orders(days => 10)": 2,
        "spend(days => 10)": 15.0,
        "orders(amount > 10)": 1,
        "orders(amount >= 10)": 2,
    }
    for text, value in figures.items():
        assert valued(text, told, NOW) == value, text
    off = [
        *told,
        order("b", NOW - 2 * DAY, name="Order Cancelled"),
        order("c", NOW, ("Garden", 200), name="Order Refunded"),
    ]
    assert valued("orders()", off, NOW) == 2
    assert valued("events('Order Completed')", off, NOW) == 3
    assert valued("spend()", off, NOW) == 18.0
    assert valued("spend()", off, NOW - 3 * DAY) == 25.0
    assert valued("spend(days => 10)", off, NOW) == 3.0
    anew = [*told, order("a", NOW, light, light, light, name="Order Updated")]
    assert valued("orders(days => 10)", anew, NOW) == 2
    assert valued("spend()", anew, NOW) == 45.0
    assert valued("orders(category => 'Garden')", anew, NOW) == 1
    more = [*told, order("c", NOW, light, name="Order Lines Added")]
    assert valued("orders(category => 'Lighting', amount => 15, days => 2)", more, NOW) == 1
    assert valued("spend(hours => 1)", more, NOW) == 10.0


def test_what_comes_back_has_the_place_of_its_order():
    told = [order("a", NOW - DAY, ("Lighting", 1000))]
    back = order("a", NOW, ("Lighting", 400), name="Order Refunded", store="S1")
    back = replace(back, channel="store")
    assert valued("spend(channel => 'web')", [*told, back], NOW) == 6.0
    assert valued("spend(channel => 'store')", [*told, back], NOW) == 0
    assert valued("spend(channel => 'store')", [back], NOW) == -4.0


def test_other_currencies_by_the_rate_of_the_day():
    events = [
        order("a", (TODAY - 20) * DAY, ("x", 1001), currency="EUR"),
        order("b", (TODAY - 5) * DAY, ("x", 1001), currency="EUR"),
        order("c", (TODAY - 5) * DAY, ("x", 1001), currency="XXX"),
        order("a", TODAY * DAY, ("x", 2000), currency="EUR", name="Order Updated"),
    ]
    assert valued("spend()", events[:3], NOW) == (801 + 901) / 100
    assert valued("spend()", events, NOW) == (1600 + 901) / 100
    assert valued("orders()", events, NOW) == 3
    assert valued("orders(amount > 0)", events, NOW) == 2
    assert valued("orders(currency => 'EUR')", events, NOW) == 2
    assert valued("events('Order Completed', amount > 8.0, amount < 9.1)", events, NOW) == 2


@given(customers(), nowadays)
@settings(max_examples=300, deadline=None)
def test_all_time_figures_are_the_folds(customer, now):
    """Orders and revenue of a record, which the fold keeps by other means, for any orders told in any way."""
    events = [one for one in customer[1] if one.name.startswith("Order") and one.at <= now]
    rows = sorted(
        ((1, e.at, e.key, e.name, EVENTS[e.name].version, e.channel, "", 1, "", _payload(e)) for e in events),
        key=lambda row: (row[1], place(row[3], row[2])),
    )
    record = fold(rows, CATALOGUE)
    assert valued("orders()", customer[1], now) == record.orders
    assert valued("spend()", customer[1], now) == record.amount / 100


def _payload(event):
    import msgspec

    return msgspec.json.encode(event.told)


def test_the_lake_tells_the_same_of_the_sample(sample_shop):
    """Every logged event of the sample: the facts that conditions ask for are the lake's columns."""
    places = sample_shop.places
    columns = [fact for fact in functions.FACTS if fact not in ("channel", "source", "brand")]
    listed = ", ".join(f"e.{column}" for column in columns)
    rows = places.lake.query(
        f"SELECT e.seq, e.name, e.channel, e.source, e.brand, epoch_us(e.occurred_at) AS at, {listed} FROM events AS e"
    ).to_pylist()
    lines: dict[int, list[tuple[str, str, int]]] = {}
    for row in places.lake.query(
        "SELECT seq, product_id, category, amount, name FROM order_lines ORDER BY seq, line"
    ).to_pylist():
        sign = -1 if row["name"] == "Order Refunded" else 1
        lines.setdefault(row["seq"], []).append(
            (row["product_id"] or "", row["category"] or "", sign * (row["amount"] or 0))
        )
    lake = {row["seq"]: row for row in rows}
    seen = set()
    with places.ledger.read() as reader:
        at = 0
        while log := reader.log_after(at, 20_000):
            for one in log:
                facts = event_facts(
                    one.name,
                    one.occurred_at,
                    one.payload,
                    channel=one.channel,
                    source=one.source,
                    brand=one.brand,
                )
                row = lake[one.seq]
                assert (facts.name, facts.at, facts.channel) == (row["name"], row["at"], row["channel"])
                for column in columns:
                    told = getattr(facts.told, column)
                    assert (told or None) == (row[column] or None), (one.name, column)
                assert [(x.product_id, x.category, x.amount) for x in facts.lines] == lines.get(one.seq, [])
                seen.add(one.name)
            at = log[-1].seq
    assert len(lake) > 1_000
    assert seen >= {"Order Completed", "Order Refunded", "Product Viewed", "Email Opened"}


def test_the_sample_spends_what_its_records_say(sample_shop):
    places = sample_shop.places
    made = {
        text: term(check(f"{text} >= 0", TRAITS).behaviours[0], _catalogue(places))
        for text in ("orders()", "spend()")
    }
    with places.ledger.read() as reader:
        nodes = {node: customer for chunk in reader.all_members() for node, customer, *_ in chunk}
        states = {}
        at = 0
        while log := reader.log_after(at, 20_000):
            for one in log:
                if one.name.startswith("Order") and one.node in nodes:
                    facts = event_facts(
                        one.name, one.occurred_at, one.payload, key=one.key, channel=one.channel
                    )
                    for text, asked in made.items():
                        asked.add(states.setdefault((nodes[one.node], text), asked.new()), facts)
            at = log[-1].seq
    figures = places.lake.query("SELECT id, orders, revenue FROM customers").to_pylist()
    now = places.now()
    for row in figures:
        for text, figure in (("orders()", row["orders"]), ("spend()", row["revenue"])):
            state = states.get((row["id"], text))
            assert (0 if state is None else made[text].value(state, now)) == figure
    assert len(figures) > 20


def _catalogue(places):
    with places.ledger.read() as reader:
        return places.catalogue(reader)


@given(st.text("ab%_\n", max_size=8), st.text("ab\nc", max_size=12))
def test_like_is_what_a_backtracking_reader_finds(pattern, text):
    regex = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    assert like(pattern)(text) is (re.fullmatch(regex, text, re.DOTALL) is not None)


def test_a_pattern_cannot_be_made_to_last():
    assert like("%a" * 10 + "%b")("a" * 1_000_000) is False


def test_small_letters_and_rounding_are_the_engines():
    import duckdb

    letters = [chr(n) for n in range(1, 0x3000)]
    (found,) = duckdb.execute("SELECT list_transform(?::VARCHAR[], lambda x: lower(x))", [letters]).fetchone()
    assert [lower(letter) for letter in letters] == found
    numbers = [n / 1000 + shift for n in range(-3000, 3000, 5) for shift in (0, 1e-9)] + [0.49999999999999994]
    for digits in (0, 1, 2, 3):
        (found,) = duckdb.execute(
            f"SELECT list_transform(?::DOUBLE[], lambda x: round(x, {digits}))", [numbers]
        ).fetchone()
        assert [rounded(number, digits) for number in numbers] == found


@settings(deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(
        [
            "",
            "category => 'Lighting'",
            "channel => 'web'",
            "amount > 15",
            "amount <= 10, category => 'Garden'",
        ]
    ),
)
def test_an_order_told_once_is_worth_what_its_book_comes_to(seed, filters):
    chance = Random(seed)
    for deed in ("orders", "spend"):
        if deed == "spend" and "amount" in filters:
            continue
        (behaviour,) = check(f"{deed}({filters}) > 0", TRAITS).behaviours
        one = term(behaviour, CATALOGUE)
        for number in range(10):
            told = happening(chance, TODAY * DAY, number)
            if told.name in one.names:
                book = one.new()
                one.add(book, told)
                assert (one.orders.alone(told) or 0) == one.orders.points(book, 2**61).sums[-1]
