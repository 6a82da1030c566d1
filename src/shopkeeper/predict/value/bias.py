"""Who is clearly wrong about a whole group of customers: such a forecast is no expectation, however small its error.

Most customers will buy nothing, so a forecast of 0 for all of them has the least absolute error, and a rule that knows
no other figure for one-time buyers can win a contest by that. Expected orders and expected value are added up, though:
over segments, over new customers, over the shop. So what was foretold is added up here, by group of frequency and over
all origins, beside what came. *Clearly biased* is a forecast that gave a group less than half or more than twice of
that in 84 of 100 bootstrap samples of customers; an order is added to both sides, for a group of whom two were to
come and none came proves nothing. Entries that are wrong about the fewest groups are allowed, and the choice is among
them: where a season that nobody foresaw puts all of them wrong, none loses by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shopkeeper.predict.value.history import Floats, Ints
from shopkeeper.predict.value.interval import group_of, groups, label
from shopkeeper.predict.value.origin import Held
from shopkeeper.predict.value.score import CLEARLY, Bootstrap

_LEAST = 30
_WRONG = 0.5
_TINY = 1e-300


def bias_groups(frequency: Floats) -> tuple[int, ...]:
    """Give the firsts of the groups of frequency that are added up.

    >>> bias_groups(np.repeat([0.0, 1.0, 9.0], [200, 30, 9]))
    (0, 1)
    """
    return groups(frequency, least=_LEAST)


def clearly_biased(
    foretold: Sequence[Floats], came: Sequence[Floats], held: Sequence[Held], bootstrap: Bootstrap
) -> tuple[str, ...]:
    """Name the groups about which an entry is clearly wrong.

    Args:
        foretold: at each origin (the latest first), per customer known there.
        came: likewise, of orders or money.
        held: the origins.
        bootstrap: draws the customers.
    """
    firsts = bias_groups(held[0].known.past.frequency)
    at = [group_of(one.known.past.frequency, firsts) for one in held]
    orders = sum(float(one.orders.sum()) for one in held)
    once = sum(float(np.abs(own).sum()) for own in came) / max(orders, 1.0) * len(held)
    by_group = (
        sum(
            bootstrap.by_group(own, group, len(firsts), one.known.rows)
            for own, group, one in zip(values, at, held, strict=True)
        )
        for values in (foretold, came)
    )
    found = []
    for place, (expected, actual) in enumerate(
        zip(*(bootstrap.drawn(np.asarray(one)) + once for one in by_group), strict=True)
    ):
        off = np.abs(expected - actual) / np.maximum(np.maximum(np.abs(expected), np.abs(actual)), _TINY)
        if off[-1] > _WRONG and float((off[:-1] > _WRONG).mean()) >= CLEARLY:
            found.append(label(firsts, place))
    return tuple(found)


def allowed(biased: Sequence[tuple[str, ...]]) -> Ints:
    """Give the places of the entries that are wrong about the fewest groups.

    >>> allowed([("0",), (), ("0", "1"), ()]).tolist()
    [1, 3]
    """
    wrong = np.array([len(one) for one in biased])
    return np.flatnonzero(wrong == wrong.min())


def bias_by_group(foretold: Floats, came: Floats, held: Held, bootstrap: Bootstrap) -> Floats:
    """Sum, over groups, how far the group's total was off, in each bootstrap sample; the data as they are last."""
    frequency = held.known.past.frequency
    firsts = bias_groups(frequency)
    group = group_of(frequency, firsts)
    off = bootstrap.by_group(foretold - came, group, len(firsts), held.known.rows)
    return np.asarray(np.abs(bootstrap.drawn(off)).sum(axis=0))
