"""What a builder of conditions offers: operands in groups with labels, and what each event tells, as plain data.

The tables are those that the language itself reads, so that nothing can be picked that cannot be asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from shopkeeper.domain.condition import functions
from shopkeeper.domain.condition.asked import tells
from shopkeeper.domain.traits import Trait

GROUPS: Final[dict[str, frozenset[str]]] = {
    "Orders and money": frozenset({
        "orders", "returns", "revenue", "margin", "returned", "return_rate", "average_order", "units", "coupons",
        "coupon_share", "discount_share", "first_coupon", "first_discounted", "points",
    }),
    "When they buy": frozenset({
        "first_order", "last_order", "days_since_order", "order_days", "mean_gap", "first_seen", "last_seen",
    }),
    "Where and what they buy": frozenset({
        "store_orders", "web_orders", "omnichannel", "stores_bought", "main_place", "favourite_category", "categories",
        "store_visits", "first_place", "first_staff",
    }),
    "What they look at": frozenset({"sessions", "products_viewed", "looked_not_bought"}),
    "E-mail, offers and social": frozenset({
        "emails_delivered", "emails_clicked", "email_click_rate", "offers_accepted", "social_deeds", "reviews",
        "mean_rating", "referrals",
    }),
    "Service": frozenset({"contacts", "complaints", "open_cases"}),
    "The person": frozenset({"marketing_email", "country", "acquisition_channel"}),
    "Forecast": frozenset({
        "clv_12m", "clv_low", "clv_high", "clv_sd", "p_alive", "expected_orders_12m", "orders_low", "orders_high",
        "margin_per_order", "state", "state_since", "fading_since", "unusual_from", "next_order",
    }),
    "Loyalty and advocacy": frozenset({
        "regular", "advocacy_score", "brought_customers", "brought_value", "brought_reach", "brand_fit", "core_share",
        "full_price_share",
    }),
    "About the record": frozenset({
        "events", "unconverted", "assumed_margin_on", "rhythm_basis", "objects_to_profiling",
    }),
}  # fmt: skip
"""Under which heading a trait is offered; what is in none comes last, under its own."""
OTHER: Final = "Other"
_DEEDS: Final = {
    "events": "How often they did something",
    "last": "When they last did something",
    "first": "When they first did something",
    "orders": "How many orders they placed",
    "spend": "How much they spent",
}


def group_of(trait: str) -> str:
    """The heading of a trait.

    >>> group_of("orders"), group_of("shoe_size")
    ('Orders and money', 'Other')
    """
    return next((group for group, names in GROUPS.items() if trait in names), OTHER)


def kind_of(trait: Trait) -> str:
    """How values of a trait are typed in: number, money, share, bool, text, day, time or list."""
    if trait.kind in ("int", "float"):
        return "share" if trait.bounds is not None and max(trait.bounds) == 1 else "number"
    if trait.kind == "time":
        return "day" if trait.day else "time"
    return "list" if trait.kind == "texts" else trait.kind


def offers(traits: Iterable[Trait]) -> dict[str, Any]:
    """Every operand with what a builder needs to show of it.

    >>> told = offers([])
    >>> [deed["label"] for deed in told["deeds"]][0], told["facts"][0]["name"]
    ('How often they did something', 'category')
    """
    from shopkeeper.domain import events  # noqa: F401 - fills EVENTS
    from shopkeeper.domain.event import EVENTS

    place = {group: at for at, group in enumerate((*GROUPS, OTHER))}
    shown = sorted(traits, key=lambda trait: place[group_of(trait.name)])
    facts = functions.FACTS.values()
    return {
        "traits": [
            {
                "name": trait.name, "label": trait.label, "unit": trait.unit, "sentence": trait.sentence,
                "group": group_of(trait.name), "kind": kind_of(trait), "values": list(trait.values),
            }
            for trait in shown
        ],
        "deeds": [
            {
                "name": name, "label": label, "sentence": functions.DEEDS[name].sentence,
                "facts": [fact.name for fact in facts if name in fact.deeds],
            }
            for name, label in _DEEDS.items()
        ],
        "events": [
            {
                "name": row.name, "sentence": row.sentence,
                "facts": [fact.name for fact in facts if "events" in fact.deeds and tells(row.name, fact.name)],
            }
            for row in sorted(EVENTS.values(), key=lambda row: row.name)
        ],
        "facts": [
            {"name": fact.name, "label": fact.label, "sentence": fact.sentence, "kind": fact.kind} for fact in facts
        ],
    }  # fmt: skip
