"""A condition asked of everybody in SQL, and of one after the other the plain way: the same answers."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conditions import DAY, TODAY, TRAITS, Someone, conditions, nowadays
from tests.plainly import Plainly
from tests.small_shops import PRODUCTS, RATES, ZONE, small_shop

from shopkeeper.domain.catalogue import Catalogue, Goods
from shopkeeper.domain.condition import check
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.facts import event_facts
from shopkeeper.domain.money import Rates
from shopkeeper.know.segments import Setting, answers

VIP = check("orders > 2 or events('Store Visited', days => 20)", TRAITS)
SEGMENTS = {"vip": VIP}
CATALOGUE = Catalogue(
    goods={name: Goods(category, "", None, tangible=True) for name, category in PRODUCTS.items()},
    rates=Rates("GBP", RATES),
    zone=ZONE,
)
DAYS = (TODAY - 5) * DAY


def setting(now):
    return Setting(traits=TRAITS, now=now, zone=ZONE, currency="GBP", rates=RATES, segments=SEGMENTS)


def in_sql(understood, small, now):
    """Answers of the lake, customer by customer."""
    question = answers(understood, setting(now))
    rows = small.shop.query(question.sql, question.parameters).to_pylist()
    return {row["id"]: [row[f"k{n}"] for n in range(len(understood))] for row in rows}


def in_closures(understood, small, now):
    """Answers of compiled closures."""
    vip = Predicate(VIP, TRAITS, CATALOGUE)
    predicates = [Predicate(one, TRAITS, CATALOGUE) for one in understood]
    found = {}
    for who, known in small.customers.items():
        events = [
            event_facts(
                one["name"], one["at"], one["told"], key=one["seq"].to_bytes(8, "big"), channel=one["channel"],
                source=one["source"], brand=one["brand"],
            )
            for one in known["events"]
        ]  # fmt: skip
        inside = {"vip"} if vip.holds(Someone(vip, known["traits"], events), now) else set()
        found[who] = [one.answer(Someone(one, known["traits"], events, inside), now) for one in predicates]
    return found


def plainly(understood, small, now):
    """Answers of plain Python."""
    plain = Plainly(
        now, zone=ZONE, currency="GBP", digits=2, rates=RATES, categories=PRODUCTS, declared=TRAITS,
        segments={"vip": VIP.meaning},
    )  # fmt: skip
    return {
        who: [plain.ask(one.meaning, known) for one in understood] for who, known in small.customers.items()
    }


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(conditions, min_size=6, max_size=14), st.integers(1, 3), nowadays)
def test_the_lake_the_closures_and_plain_python_agree_about_every_customer(trees, seed, now):
    small = small_shop(seed)
    understood = [check(one, TRAITS, SEGMENTS) for one in trees]
    lake = in_sql(understood, small, now)
    assert len(lake) > 30
    for name, other in (("closure", in_closures), ("plain", plainly)):
        found = other(understood, small, now)
        for number, one in enumerate(understood):
            for who, told in lake.items():
                assert told[number] is found[who][number], (name, who, one.text)
