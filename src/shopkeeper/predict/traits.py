"""Predictions declared as traits: a refresh writes them, and says as of when."""

from __future__ import annotations

from shopkeeper.domain.traits import Trait
from shopkeeper.predict.advocate_traits import TRAITS as ADVOCATES

TRAITS: tuple[Trait, ...] = (
    Trait(
        name="clv_12m", kind="money", label="Expected value", clock="refresh",
        sentence="Contribution margin expected within the horizon (setting horizon_weeks, whatever the trait's name "
        "says), discounted; what was earned so far is not in it.",
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
        name="clv_sd", kind="money", label="Uncertainty of expected value", clock="refresh",
        sentence="Standard deviation of what is expected, of this customer alone: squares of many add up.",
    ),
    Trait(
        name="p_alive", kind="float", label="Still a customer", clock="refresh", bounds=(0, 1),
        sentence="Probability of being still a customer, by the model chosen on held-out time.",
    ),
    Trait(
        name="expected_orders_12m", kind="float", label="Expected orders", unit="orders", clock="refresh",
        sentence="Orders expected within the horizon (setting horizon_weeks, whatever the trait's name says).",
    ),
    Trait(
        name="orders_low", kind="float", label="Orders, at least", unit="orders", clock="refresh",
        sentence="Lower end of the 80 % predictive range of the number of orders.",
    ),
    Trait(
        name="orders_high", kind="float", label="Orders, at most", unit="orders", clock="refresh",
        sentence="Upper end of the 80 % predictive range of the number of orders.",
    ),
    Trait(
        name="margin_per_order", kind="money", label="Expected margin per order", clock="refresh",
        sentence="Contribution margin expected of an order, the customer's own weighed against everybody's.",
    ),
    Trait(
        name="state", kind="text", label="State", clock="refresh",
        values=("new", "active", "fading", "lapsed", "won back"),
        sentence="new, active, fading (silence is unusual by the customer's own rhythm), lapsed, or won back.",
    ),
    Trait(
        name="state_since", kind="time", label="State since", clock="refresh", day=True,
        sentence="Day on which the state became what it is.",
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
        name="next_order", kind="time", label="Next order expected", clock="refresh", day=True,
        sentence="Day by which half of those who have not ordered until now would; none of a lapsed customer.",
    ),
    Trait(
        name="rhythm_basis", kind="text", label="Rhythm known from", clock="refresh",
        values=("own rhythm", "population", "calendar"),
        sentence="Whether it is the customer's own rhythm, the population's, or a season of the year.",
    ),
    *ADVOCATES,
)  # fmt: skip
"""Every prediction, in the order in which people are shown them."""
