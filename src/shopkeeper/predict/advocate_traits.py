"""Regulars, advocates and brand fit declared as traits; ``predict.advocacy`` says how each is made."""

from __future__ import annotations

from shopkeeper.domain.traits import Trait

TRAITS: tuple[Trait, ...] = (
    Trait(
        name="regular", kind="bool", label="Regular", clock="refresh",
        sentence="Comes back evenly: at least four own gaps, half as varied as by chance, and not fallen silent.",
    ),
    Trait(
        name="advocacy_score", kind="float", label="Advocacy", unit="points", clock="refresh", bounds=(0, 100),
        sentence="0 to 100 points for bringing others, sharing, praising and liking; the weights are assumptions.",
    ),
    Trait(
        name="brought_customers", kind="int", label="Customers brought", unit="customers", clock="refresh",
        sentence="Customers who came by this one's referral, the first that stands, and bought.",
    ),
    Trait(
        name="brought_value", kind="money", label="Value brought", clock="refresh",
        sentence="Margin earned so far and expected within the horizon from those brought directly; how many of them "
        "would have come anyway is not known.",
    ),
    Trait(
        name="brought_reach", kind="int", label="Reach", unit="customers", clock="refresh",
        sentence="Customers brought, directly or over those who were brought.",
    ),
    Trait(
        name="brand_fit", kind="float", label="Brand fit", unit="points", clock="refresh", bounds=(0, 100),
        sentence="0 to 100 points for buying the core range, at full price, and being engaged; the weights are "
        "assumptions.",
    ),
    Trait(
        name="core_share", kind="float", label="Share of core range", clock="refresh", bounds=(0, 1),
        sentence="Share of spending on the core range, 0 to 1: the catalogue's, or the fewest products that make up "
        "80 % of what regulars spent at full price.",
    ),
    Trait(
        name="full_price_share", kind="float", label="Share at full price", clock="refresh", bounds=(0, 1),
        sentence="Share of spending at the list price, less the share of orders with a coupon or discount, 0 to 1.",
    ),
)  # fmt: skip
"""Written by a refresh."""
