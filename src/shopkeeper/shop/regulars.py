"""What sets regulars apart: how they first came, and what is open to action, beside others who had the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopkeeper.domain.advocacy import Apart, Regulars
from shopkeeper.domain.catalogue import Store
from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.traits import Trait
from shopkeeper.shop import insights
from shopkeeper.shop.places import Places
from shopkeeper.shop.remembering import REGULARS, remembered
from shopkeeper.shop.valuing import spreading

if TYPE_CHECKING:
    from shopkeeper.know.insight import Comparison, Fact
    from shopkeeper.shop.insights import Known

DEFINITION: Final = (
    "A regular has at least four gaps of their own between days with an order, gaps that vary at most half as much as "
    "chance would make them (few gaps must be the more even), and has not fallen silent by that rhythm."
)
FEWEST: Final = 30
"""Customers on either side from which on they are compared."""
_HOLD = "hold some of it back to see"
FIRST: Final = {
    "acquisition_channel": (
        f"Move a part of the budget to it and {_HOLD}",
        f"Move a part of the budget away and {_HOLD}",
    ),
    "bought_first": (
        "Show it first to half of those who are new",
        "Show something else first to half of those who are new",
    ),
    "first_place": (
        "See what is done there at a first visit, and try it elsewhere",
        "Try what is done elsewhere",
    ),
    "first_staff": (
        "Let them show others how they receive somebody new",
        "Let others show them how they receive somebody new",
    ),
    "first_coupon": ("Give it to half of those who are new", "Leave it out for half of those who are new"),
    "first_discounted": (
        "Begin with a discount for half of those who are new",
        "Begin without one for half of those who are new",
    ),
    "country": ("", ""),
}
"""What was settled with the first order, and what to try where regulars have it oftener, and where less often."""
LATER: Final = {
    "marketing_email": ("Ask for consent at the till and at the checkout", ""),
    "email_click_rate": ("Write less often and more to the point", ""),
    "core_share": ("Show the core range first", "Show more than the core range"),
    "full_price_share": ("Keep what they buy out of sales", "See which prices bring them back"),
}
"""What is measured up to today. Counts that grow with every order (reviews, returns, visits, second channels) are left
out: who comes often has more of everything.
"""


def regulars(places: Places, traits: Sequence[Trait]) -> Regulars:
    """Who comes back regularly and what sets them apart. Raises Conflict before a refresh that knows of regulars."""
    told = insights.known(places, traits)
    row = _figures(places)
    low, high = spreading(places)(float(row["expected"]), float(row["variance"]))
    found = Regulars(
        as_of=told.as_of, currency=places.settings.currency,
        buyers=int(row["buyers"]), regulars=int(row["regulars"] or 0),
        expected=round(float(row["expected"]), 2), expected_low=low, expected_high=high,
        expected_share=float(row["expected"]) / float(row["everything"]) if row["everything"] else 0.0,
        definition=DEFINITION,
    )  # fmt: skip
    if found.regulars < FEWEST:
        return _not_enough(found, f"{found.regulars} regulars")
    since = _day(row)
    seen = _remembered(places, told, since) or beside(places, traits, since)
    if isinstance(seen, int):
        return _not_enough(found, f"{seen} other buyers who had the time to become one")
    named = _names(places)
    told_apart = (fact for fact in seen.facts if fact.certain and fact.aspect not in ("any", "known"))
    facts = [_apart(fact, named) for fact in told_apart]
    return msgspec.structs.replace(
        found,
        beside=f"other buyers whose first order was by {row['began']:%d %B %Y}, as that of nine in ten regulars was",
        group=seen.group, rest=seen.rest, tested=seen.tested, apart=tuple(fact for fact in facts if fact.first),
        levers=tuple(fact for fact in facts if fact.action), notes=(
            "All of this is association: nobody was drawn by lot into having it or not, so it may go with coming "
            "regularly without bringing it about. Try it on half of those who are new before believing it.",
            *seen.notes,
        ),
    )  # fmt: skip


def began(places: Places) -> str | None:
    """The day by which nine in ten regulars had begun; None where they are too few to be compared."""
    row = _figures(places)
    return _day(row) if int(row["regulars"] or 0) >= FEWEST else None


def beside(places: Places, traits: Sequence[Trait], since: str) -> Comparison | int:
    """Regulars beside other buyers who began by a day, or how many others there are, where these are too few."""
    one, other = (
        f"{who} and first_order <= date '{since}'"
        for who in ("regular", "orders > 0 and regular is not true")
    )
    others = insights.count(places, traits, other)
    return others if others < FEWEST else insights.compare(places, traits, one, other, only={*FIRST, *LATER})


def _remembered(places: Places, told: Known, since: str) -> Comparison | None:
    from shopkeeper.know.insight import Comparison

    return remembered(places, told, REGULARS, since, Comparison)


def _figures(places: Places) -> dict[str, Any]:
    """How many there are, what is expected of them, and when nine in ten regulars had begun."""
    if "regular" not in places.lake.query("SELECT * FROM customers LIMIT 0").column_names:
        raise Conflict("the last refresh did not know regulars yet", hint="run 'shopkeeper refresh'")
    found: dict[str, Any] = places.lake.query(
        "SELECT count(*) AS buyers, sum(CASE WHEN regular THEN 1 ELSE 0 END) AS regulars, "
        "coalesce(sum(CASE WHEN regular THEN clv_12m END), 0) AS expected, coalesce(sum(clv_12m), 0) AS everything, "
        "coalesce(sum(CASE WHEN regular THEN clv_sd * clv_sd END), 0) AS variance, "
        "quantile_disc(CASE WHEN regular THEN first_order END, 0.9) AS began "
        "FROM customers WHERE orders > 0 AND objects_to_profiling IS NOT TRUE"
    ).to_pylist()[0]
    return found


def _day(row: dict[str, Any]) -> str:
    return str(row["began"].date().isoformat())


def _not_enough(found: Regulars, why: str) -> Regulars:
    note = f"not enough to compare: {why}, and it takes {FEWEST} on both sides"
    return msgspec.structs.replace(found, notes=(note,))


def _apart(fact: Fact, named: dict[str, str]) -> Apart:
    label, sentence = fact.label, fact.sentence
    if fact.about == "first_place" and fact.level in named:
        label = label.replace(fact.level, named[fact.level])
        sentence = sentence.replace(fact.level, named[fact.level])
    return Apart(
        about=fact.about, label=label, sentence=sentence, group=fact.group, rest=fact.rest,
        difference=fact.difference, low=fact.low, high=fact.high, effect=fact.effect, certain=fact.certain, q=fact.q,
        action=(FIRST | LATER)[fact.about][fact.difference < 0], first=fact.about in FIRST,
    )  # fmt: skip


def _names(places: Places) -> dict[str, str]:
    with places.ledger.read() as reader:
        stores = map(msgspec.json.Decoder(Store).decode, reader.reference("store"))
        return {store.store_id: store.name for store in stores if store.name}
