"""Whatever is heard, in whatever order, whoever merges and parts, however time passes and refreshes judge: who is in
a segment live is who would be in it by a look at everybody's whole history; and what entered and left, told in order,
comes to the same.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conditions import TODAY
from tests.events import DAY, NOW, event, order
from tests.usual_segments import usual

import shopkeeper
from shopkeeper.collect.intake import Outcome
from shopkeeper.domain.clock import FixedClock
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.zone import Zone
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound
from shopkeeper.domain.event import Event
from shopkeeper.know.fold import unpack
from shopkeeper.know.live import definitions
from shopkeeper.know.live.held import bits
from shopkeeper.know.live.network import ordered
from shopkeeper.know.live.person import Person, Values, empty_states
from shopkeeper.know.live.watch import facts_by_customer
from shopkeeper.predict.fading import of_days
from shopkeeper.shop import Shop
from shopkeeper.shop.predicting.foretold import Foretold, Part
from shopkeeper.shop.predicting.orders import order_days
from shopkeeper.shop.predicting.rhythms import rhythms, turns
from shopkeeper.shop.predicting.writing import make_current, next_run, write
from shopkeeper.shop.standing import in_force, judged
from shopkeeper.shop.watching import TRAITS, keep_up

HOUR = DAY // 24
PEOPLE = 5
KINDS = (("user_id", "u"), ("email", "e"), ("loyalty_card", "l"), ("anonymous_id", "c"))


def _name(kind: str, letter: str, who: int) -> str:
    return f"{letter}{who}@example.com" if kind == "email" else f"{letter}-{who}"


def happens(chance: Random, now: int, number: int) -> Event:
    """Something done by somebody, now, before, or dated ahead."""
    draw = chance.random()
    at = now - NOW
    at -= 0 if draw < 0.6 else chance.randint(0, 240) * HOUR if draw < 0.95 else -chance.randint(1, 48) * HOUR
    person = chance.randrange(PEOPLE)
    ids = {
        kind: _name(kind, letter, person if chance.random() < 0.9 else chance.randrange(PEOPLE))
        for kind, letter in chance.sample(KINDS, chance.randint(1, 2))
    }
    name = chance.choice(
        ("Product Viewed", "Product Viewed", "Store Visited", "Order Completed", "Order Completed", "Order Refunded",
         "Order Updated", "Order Lines Added", "Order Cancelled")
    )  # fmt: skip
    said = {"channel": chance.choice(("web", "store")), "ids": ids}
    if name == "Product Viewed":
        return event(
            name, f"m{number}", at + number, product_id=chance.choice(("p1", "p2")),
            category=chance.choice(("Lighting", "Garden", "")), **said,
        )  # fmt: skip
    if name == "Store Visited":
        return event(name, f"m{number}", at + number, store="S1", **said)
    of = f"o{person}-{chance.randint(1, 3)}"
    lines = [
        {"product_id": chance.choice(("p1", "p2")), "category": chance.choice(("Lighting", "Garden")),
         "price": chance.choice(("5.00", "15.00")), "quantity": 1}
        for _ in range(2)
    ]  # fmt: skip
    if name == "Order Completed":
        of = of if chance.random() < 0.3 else f"n{number}"
    return event(name, f"m{number}", at + number, order_id=of, products=lines, **said)


def should(shop: Shop, now: int) -> dict[str, set[int]]:
    """Who belongs into each segment in use, from records and the log, one after another."""
    places = shop.places
    with places.ledger.read() as reader:
        all_ = definitions.known(reader, TRAITS)
        catalogue = places.catalogue(reader)
        records = {row.customer: unpack(row.body) for chunk in reader.all_records() for row in chunk}
        told = ordered(definitions.in_force(all_))
        names = sorted(
            {
                n
                for one in told
                for t in Predicate(one.condition, all_.traits, catalogue).terms
                for n in t.names
            }
        )
        events = facts_by_customer(reader, list(records), names)
        foretold = {
            customer: msgspec.json.decode(row.body)
            for customer, row in reader.predictions(list(records)).items()
        }
    values = Values(list(TRAITS), places.scale)
    predicates = [Predicate(one.condition, all_.traits, catalogue) for one in told]
    found: dict[str, set[int]] = {one.name: set() for one in told}
    for customer, record in records.items():
        traits = values.of(record, values.told(foretold.get(customer, {})), now)
        for one, predicate in zip(told, predicates, strict=True):
            states = {term.key: term.new() for term in predicate.terms}
            for fact in events.get(customer, ()):
                for term in predicate.terms:
                    term.add(states[term.key], fact)
            keys = {key: n for n, key in enumerate(states)}
            inside = bits(n for n, name in enumerate(found) if customer in found[name])
            ids = {name: n for n, name in enumerate(found)}
            person = Person(
                traits, dict(enumerate(states.values())), inside, (keys, ids, empty_states({}), {})
            )
            if predicate.holds(person, now):
                found[one.name].add(customer)
    return found


def is_(shop: Shop) -> dict[str, set[int]]:
    """Who is in each segment in use, by its list, which is what entered and left comes to."""
    with shop.places.ledger.read() as reader:
        rows = [row for row in reader.segments() if row.state in ("live", "backfilling")]
        listed = {row.name: {one.customer for one in reader.members_in(row.id, 0, 1_000)} for row in rows}
        assert {row.name: row.size for row in rows} == {name: len(of) for name, of in listed.items()}
        told: dict[int, set[int]] = {row.id: set() for row in rows}
        before = 0
        for entry in reader.audience(0, 100_000):
            assert entry.id > before
            before = entry.id
            if entry.segment in told:
                assert (entry.customer in told[entry.segment]) is not entry.entered, "entered or left twice"
                (told[entry.segment].add if entry.entered else told[entry.segment].remove)(entry.customer)
        assert {row.name: told[row.id] for row in rows} == listed
    return listed


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_live_is_what_a_look_at_everything_says(seed: int) -> None:
    chance = Random(seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", name="S", now="2026-05-01T12:00:00+00:00") as shop,
    ):
        live_through(shop, chance, 30)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_so_it_is_where_states_turn_over_by_time_orders_and_refreshes(seed: int) -> None:
    chance = Random(seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", name="S", now="2026-05-01T12:00:00+00:00") as shop,
    ):
        past = [
            order(f"past{who}-{n}", -(who + 3) * (n + 1) * 2 * DAY, ids={"user_id": f"u-{who}"})
            for who in range(PEOPLE)
            for n in range(chance.randint(0, 9))
        ]
        _put(shop, past)
        refresh(shop, chance)
        live_through(shop, chance, 20, standing=True)


def refresh(shop: Shop, chance: Random) -> None:
    """A refresh: a rhythm is learned, everybody judged by it, worth foretold by lot; things happen before its end."""
    places = shop.places
    with places.ledger.read() as reader:
        orders = order_days(reader, places.scale)
    if not orders.customer.size:
        return
    part, stands = rhythms(places, orders)
    worth = np.array([chance.choice((5.0, 50.0)) for _ in part.customer])
    foretold = Foretold.of([Part(part.customer, {"clv_12m": worth, "p_alive": worth / 100}), part])
    run = next_run(places)
    write(places, run, foretold, turns(foretold, stands))
    _put(shop, [happens(chance, places.now(), run + n) for n in range(3)])
    if chance.random() < 0.5:
        _decide(shop, chance)
    make_current(places, run, stands)


def judged_anew(shop: Shop) -> None:
    """Where everybody stands is what their days say by the rhythm in force."""
    places = shop.places
    with places.ledger.read() as reader:
        rhythm = in_force(places, reader)
        records = {row.customer: unpack(row.body) for chunk in reader.all_records() for row in chunk}
        kept = {
            c: msgspec.json.decode(row.body)["state"] for c, row in reader.predictions(list(records)).items()
        }
    if rhythm is None:
        return
    zone = places.settings.time_zone
    day = Zone(zone).day(places.now())
    expected = {}
    for customer, record in records.items():
        if record.days:
            bought = of_days(np.array([customer]), np.array([0]), np.array(record.days))
            expected[customer] = judged(bought, rhythm, day, zone)[0]["state"].tolist()[0] or None
    assert kept == expected


def live_through(shop: Shop, chance: Random, steps: int, *, standing: bool = False) -> int:
    """Let things happen and compare after each; returns how many answers were compared."""
    clock = shop.places.clock
    assert isinstance(clock, FixedClock)
    number = compared = 0
    shop.save_segment("vip", "orders >= 2", activate=True)
    for n in range(5):
        shop.save_segment(f"s{n}", _near(chance, standing=standing), activate=True)
    for _ in range(steps):
        now = shop.places.now()
        draw = chance.random()
        if draw < 0.5:
            some = [happens(chance, now, number + n) for n in range(chance.randint(1, 4))]
            number += len(some)
            _put(shop, some)
        elif draw < 0.8:
            far = (25 * DAY, 80 * DAY) if standing else ()
            clock.at += timedelta(
                microseconds=chance.choice((1, HOUR, 5 * HOUR, DAY, 3 * DAY, 9 * DAY, *far))
            )
        elif standing and draw < 0.85:
            refresh(shop, chance)
        elif draw < 0.9:
            _decide(shop, chance)
        elif draw < 0.96:
            text = _near(chance, standing=standing)
            shop.save_segment(f"s{chance.randrange(5)}", text, activate=True)
        else:
            shop.rebuild()
        keep_up(shop.places)
        expected, found = should(shop, shop.places.now()), is_(shop)
        assert found == expected
        if standing:
            judged_anew(shop)
        compared += sum(1 for _ in expected) * PEOPLE
    assert shop.recount().found == 0
    return compared


STANDING = (
    "state = 'fading'", "state in ('new', 'active')", "state <> 'lapsed'", "state is null", "clv_12m > 20",
    "state_since >= today() - interval '9 days'", "unusual_from < today()", "rhythm_basis = 'population'",
    "next_order >= today() + interval '3 days'", "fading_since < today() - interval '9 days'", "p_alive < 0.3",
)  # fmt: skip


def _near(chance: Random, *, standing: bool = False) -> str:
    """A condition as people write them, its days near those of the test."""
    text = usual(chance)
    if standing:
        joined = f"({chance.choice(STANDING)}) {chance.choice(('and', 'or'))} "
        text = joined + f"({text if chance.random() < 0.5 else chance.choice(STANDING)})"
    shift = NOW // DAY - TODAY

    def move(found: re.Match[str]) -> str:
        moved = date.fromisoformat(found[1]) + timedelta(days=shift)
        return f"date '{moved.isoformat()}'"

    return re.sub(r"date '([0-9-]+)'", move, text)


def _put(shop: Shop, events: Sequence[Event]) -> None:
    shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, events, Outcome()))
    shop.advance()


def _decide(shop: Shop, chance: Random) -> None:
    names = [f"{kind}:{_name(kind, letter, n)}" for kind, letter in KINDS for n in range(PEOPLE)]
    one, other = chance.sample(names, 2)
    what = chance.choice(("same", "different", "undecide", "unlink", "set_aside", "restore"))
    try:
        shop.settle(what, *((one,) if what in ("unlink", "set_aside", "restore") else (one, other)))
    except (Conflict, InvalidInput, NotFound):
        return
