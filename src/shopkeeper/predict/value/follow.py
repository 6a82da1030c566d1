"""The amount of an order follows the level of orders: in a good season customers come more often and spend more.

So money swings more than orders do. By how much is a power: at .25, half as many orders again go with a tenth more an
order. At windows of the past the amount level of all (what orders were worth over what was expected of them) is laid
beside the level of orders; five windows that overlap tell little, so the power is drawn to what is usual: .16 to .32 in
groups of frequency on CDNOW and Online Retail II, with correlations of .5 to .8 (medians of customers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.interval import Group
from shopkeeper.predict.value.worth import Worth

_USUAL = 0.25
_WORTH = 0.04
"""How much the levels of orders must have varied to count as much: (0.05 / 0.25)^2, noise over spread of powers."""


def learn_power(orders: Sequence[float], amounts: Sequence[float], windows: float) -> float:
    """Learn the power from logarithms of the levels of orders and of amounts at origins that are worth ``windows``.

    >>> learn_power([0.3], [0.1], 1.0)
    0.25
    >>> swings = [-0.4, 0.0, 0.4, 0.0]
    >>> round(learn_power(swings, [0.0] * 4, 4.0), 2), round(learn_power(swings, swings, 4.0), 2)
    (0.03, 0.92)
    """
    level, amount = (np.asarray(one) - np.mean(one) for one in (orders, amounts))
    share = windows / level.size
    found = (share * float(level @ amount) + _WORTH * _USUAL) / (share * float(level @ level) + _WORTH)
    return float(np.clip(found, 0.0, 1.0))


def following(
    at_level: Sequence[Worth], levels: Sequence[Floats], group: Ints, learned: Sequence[Group]
) -> list[Worth]:
    """Let amounts follow the logarithm of the level of orders at which each worth is told, by customers' groups."""
    if not learned:
        return list(at_level)
    power, usual = (np.array([getattr(one, name) for one in learned])[group] for name in ("follows", "usual"))
    return [
        replace(one, scale=one.scale * np.exp(power * (level - usual)))
        for one, level in zip(at_level, levels, strict=True)
    ]
