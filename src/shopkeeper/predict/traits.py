"""Predictions declared as traits: a refresh writes them, and says as of when."""

from __future__ import annotations

from shopkeeper.domain.traits import Trait
from shopkeeper.predict.advocate_traits import TRAITS as ADVOCATES

TRAITS: tuple[Trait, ...] = (
    Trait(
        name="clv_12m", kind="money", label="Expected value, 12 months", clock="refresh",
        sentence="Contribution margin expected within the horizon, discounted; what was earned so far is not in it.",
    ),
    Trait(
        name="clv_low", kind="money", label="At least", clock="refresh",
        sentence="Lower end of the 80 % predictive range of the expected value.",
    ),
    Trait(
        name="clv_high", kind="money", label="At most", clock="refresh",
        sentence="Upper end of the 80 % predictive range of the expected value.",
    ),
    Trait(
        name="p_alive", kind="float", label="Still a customer", clock="refresh", bounds=(0, 1),
        sentence="Probability of being still a customer, by the model chosen on held-out time.",
    ),
    Trait(
        name="expected_orders_12m", kind="float", label="Expected orders, 12 months", unit="orders", clock="refresh",
        sentence="Orders expected within the horizon.",
    ),
    Trait(
        name="state", kind="text", label="State", clock="refresh", values=("new", "active", "fading", "lapsed"),
        sentence="new, active, fading or lapsed: whether the present silence is unusual by the customer's own rhythm.",
    ),
    Trait(
        name="fading_since", kind="time", label="Fading since", clock="refresh", day=True,
        sentence="First day on which the silence was unusual.",
    ),
    Trait(
        name="unusual_from", kind="time", label="Silence unusual from", clock="refresh", day=True,
        sentence="Day from which silence is, or would be, unusual for this customer.",
    ),
    Trait(
        name="rhythm_basis", kind="text", label="Rhythm known from", clock="refresh",
        values=("own rhythm", "population"),
        sentence="Whether the customer's own rhythm is known, or the population's stands in.",
    ),
    *ADVOCATES,
)  # fmt: skip
"""Every prediction, in the order in which people are shown them."""
