"""One customer asked: three values, time passing, and never a change that was not foretold."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.conditions import CATALOGUE, TODAY, TRAITS, Someone, conditions, customers, nowadays, timely

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.clock import DAY, micros
from shopkeeper.domain.condition import check
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.states import pack, unpack

HOUR = DAY // 24


def ask(text, now=TODAY * DAY, events=(), catalogue=CATALOGUE, segments=(), **traits):
    predicate = Predicate(check(text, TRAITS), TRAITS, catalogue)
    return predicate.answer(Someone(predicate, traits, events, segments), now)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("orders > 1", None),
        ("not (orders > 1)", None),
        ("orders > 1 or returns = 0", True),
        ("orders > 1 and returns > 0", False),
        ("orders > 1 and returns = 0", None),
        ("(orders > 1) is true", False),
        ("(orders > 1) is not true", True),
        ("orders is null", True),
        ("orders is not null", False),
        ("orders in (1, 2)", None),
        ("returns in (0, null)", True),
        ("returns in (1, null)", None),
        ("returns not in (1, null)", None),
        ("returns not in (0, null)", False),
        ("orders between 1 and 2", None),
        ("returns between 1 and orders", False),
        ("returns between 0 and orders", None),
        ("revenue / returns > 1", None),
        ("revenue / 0 = 1 or returns = 0", True),
        ("revenue * 0 / 0 is null", True),
        ("coalesce(orders, 7) = 7", True),
        ("least(orders, 7) = 7", True),
        ("greatest(orders, 7) = 7", True),
        ("country = 'France'", None),
        ("country <> 'France'", None),
        ("country is null", True),
        ("country like '%'", None),
        ("state = 'new'", None),
        ("size(looked_not_bought) = 0", None),
        ("has(looked_not_bought, 'x')", None),
        ("size(unconverted) = 0", True),
        ("has(unconverted, 'x')", False),
        ("omnichannel", None),
        ("omnichannel is not true", True),
        ("omnichannel = marketing_email", None),
        ("last('Store Visited') is null", True),
        ("last('Store Visited') > now()", None),
        ("events('Store Visited') = 0", True),
        ("not events('Store Visited')", True),
        ("spend() = 0 and orders() = 0", True),
        ("coalesce(omnichannel, false)", False),
        ("not coalesce(omnichannel, marketing_email)", False),
        ("segment('vip')", False),
        ("true", True),
    ],
)
def test_unknown_is_neither_true_nor_false(text, answer):
    assert ask(text, returns=0, revenue=10.0, country="", marketing_email=True, unconverted=[]) is answer


def test_numbers_that_are_none_are_unknown():
    assert ask("mean_gap > 1", mean_gap=float("nan")) is None
    assert ask("mean_gap > 1", mean_gap=float("inf")) is None
    big = " * ".join(["1000000000000000"] * 30)
    assert ask(f"{big} > 1") is None


def berlin(*when):
    return micros(datetime(*when, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC))


def test_a_day_begins_at_the_shops_midnight_whatever_the_clocks_do():
    last = TRAITS["last_order"]
    assert last.day
    ordered = micros(datetime(2024, 3, 30, tzinfo=UTC))
    for before, at in (
        (berlin(2024, 3, 30, 23, 59, 59), berlin(2024, 3, 31, 0, 0)),  # 23 hours long
        (berlin(2024, 10, 26, 23, 59, 59), berlin(2024, 10, 27, 0, 0)),  # 25 hours long
    ):
        days = round((at - ordered) / DAY)
        text = f"days_since_order = {days}"
        assert ask(text, before, last_order=ordered) is False
        assert ask(text, at, last_order=ordered) is True
        assert ask(text, at + 22 * HOUR, last_order=ordered) is True
    assert ask("last_seen >= today()", berlin(2024, 3, 31, 12), last_seen=berlin(2024, 3, 31, 0)) is True
    assert ask("last_seen >= today()", berlin(2024, 3, 31, 12), last_seen=berlin(2024, 3, 30, 23)) is False


def test_an_instant_is_meant_as_its_day_where_a_day_is_written():
    late = berlin(2024, 1, 31, 23, 30)
    assert ask("last_seen between date '2024-01-01' and date '2024-01-31'", last_seen=late) is True
    assert ask("last_seen = date '2024-01-31'", last_seen=late) is True
    assert ask("last_seen > date '2024-01-31'", last_seen=late) is False


def test_thirty_days_of_now_are_720_hours():
    now = berlin(2024, 4, 1, 12)
    inside = now - 30 * DAY
    assert ask("last_seen >= now() - interval '30 days'", now, last_seen=inside) is True
    assert ask("last_seen > now() - interval '30 days'", now, last_seen=inside) is False


def test_one_customer_is_asked_ahead_exactly():
    """'days_since_order > 90' changes at one midnight, 'no visit in two hours' at one instant."""
    now = berlin(2024, 2, 1, 12)
    predicate = Predicate(check("days_since_order > 90", TRAITS), TRAITS, CATALOGUE)
    who = Someone(predicate, {"last_order": micros(datetime(2024, 1, 31, tzinfo=UTC))}, ())
    assert predicate.next_change(who, now) == berlin(2024, 5, 1)
    assert predicate.next_change(who, berlin(2024, 5, 1)) is None
    predicate = Predicate(check("last_seen < now() - interval '2 hours'", TRAITS), TRAITS, CATALOGUE)
    who = Someone(predicate, {"last_seen": now}, ())
    assert predicate.next_change(who, now) == now + 2 * HOUR + 1
    predicate = Predicate(check("clv_12m > 200 and days_since_order > 90", TRAITS), TRAITS, CATALOGUE)
    who = Someone(predicate, {"clv_12m": 100, "last_order": now // DAY * DAY}, ())
    assert predicate.next_change(who, now) is None


def foretold(predicate, who, now, events, chance):
    """Walk from one foretold change to the next: in between, and up to the last microsecond, nothing changes."""
    for _ in range(4):
        answer = predicate.holds(who, now)
        change = predicate.next_change(who, now)
        assert change is None or change > now
        end = now + 60 * DAY if change is None else change
        looked = [event.at + shift for event in events for shift in (0, 1, 3 * DAY, 20 * DAY, 5 * HOUR)]
        looked += [now + (end - now) * part // 7 for part in range(7)] + [end - 1]
        looked += [now + chance.randint(0, 1_000) * HOUR + chance.choice([-1, 0, 1]) for _ in range(5)]
        for at in looked:
            if now <= at < end:
                assert predicate.holds(who, at) is answer
        if change is None:
            return
        now = change


@given(conditions, customers(), nowadays, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_nothing_changes_before_it_was_foretold(node, customer, now, chance):
    predicate = Predicate(check(node, TRAITS), TRAITS, CATALOGUE)
    who = Someone(predicate, *customer, segments=chance.choice([(), ("vip",)]))
    foretold(predicate, who, now, customer[1], chance)


@given(timely(), st.randoms(use_true_random=False))
@settings(max_examples=500, deadline=None)
def test_nothing_changes_before_it_was_foretold_of_what_time_changes(case, chance):
    node, events, now = case
    predicate = Predicate(check(node, TRAITS), TRAITS, CATALOGUE)
    last = (TODAY - chance.randint(0, 200)) * DAY
    foretold(predicate, Someone(predicate, {"last_order": last}, events), now, events, chance)


@given(conditions, customers(), nowadays, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_of_arrival_forgetting_and_keeping_change_nothing(node, customer, now, chance):
    traits, events = customer
    predicate = Predicate(check(node, TRAITS), TRAITS, CATALOGUE)
    whole = Someone(predicate, traits, events)
    shuffled = chance.sample(events, len(events))
    half = len(shuffled) // 2
    other = Someone(predicate, traits, shuffled[:half])
    for term in predicate.terms:
        state = unpack(pack(other.states[term.key]))
        term.settle(state, now)
        for event in shuffled[half:]:
            term.add(state, event)
        term.settle(state, now)
        other.states[term.key] = unpack(pack(state))
    for at in (now, now + 3 * DAY, now + 30 * DAY):
        assert predicate.answer(other, at) is predicate.answer(whole, at)
        assert predicate.next_change(other, at) == predicate.next_change(whole, at)


def test_what_changed_before_1970_is_foretold_too():
    now = -200 * DAY
    predicate = Predicate(check("orders > 1 and today() >= date '1969-09-01'", TRAITS), TRAITS, CATALOGUE)
    who = Someone(predicate, {"orders": 2}, [])
    assert not predicate.holds(who, now)
    assert predicate.next_change(who, now) == micros(datetime(1969, 8, 31, 23, tzinfo=UTC))


def test_terms_are_shared_by_conditions_that_ask_the_same():
    known = {}
    one = Predicate(check("events('Store Visited', days => 3) > 1", TRAITS), TRAITS, CATALOGUE, known)
    two = Predicate(
        check("orders > 1 and not events('Store Visited', days => 3)", TRAITS), TRAITS, CATALOGUE, known
    )
    assert one.terms == two.terms
    assert len(known) == 1


def test_a_zone_makes_the_difference():
    at = micros(datetime(2024, 1, 1, 3, tzinfo=UTC))
    for zone, answer in (("UTC", True), ("America/New_York", False)):
        catalogue = replace(CATALOGUE, zone=zone)
        assert isinstance(catalogue, Catalogue)
        assert ask("last_seen >= date '2024-01-01'", at, catalogue=catalogue, last_seen=at) is answer


@pytest.mark.parametrize(
    "text",
    [
        "(unusual_from >= this_month()) <> (1 <= orders)",
        "((fading_since >= this_year()) = (orders > 1)) = ((today() > last_order) = (orders > 0))",
        "date '2025-03-31' < this_year()",
        "(date '2025-02-28' between today() and date '2025-03-26') = (orders > 1)",
    ],
)
def test_what_hardly_ever_changes_is_soon_found_out_up_to_the_end_of_the_calendar(text):
    looked = []

    class Counted(Someone):
        def trait(self, name):
            looked.append(name)
            return super().trait(name)

    predicate = Predicate(check(text, TRAITS), TRAITS, CATALOGUE)
    who = Counted(predicate, {"orders": 1, "last_order": 0, "unusual_from": 0, "fading_since": 0}, [])
    now = TODAY * DAY
    for _ in range(100):
        found = predicate.next_change(who, now)
        assert len(looked) < 30_000
        if found is None:
            break
        assert found > now
        now = found
        looked.clear()
