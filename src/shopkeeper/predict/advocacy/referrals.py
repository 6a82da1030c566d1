"""Who brought whom: of everything told, the first referral of each customer that stands, whatever order it came in.

What is told is a list of claims: at an instant, one customer brought another. A claim does not count, and the reason is
kept, where the two are one customer (after a merge), live in one household or pay with one card, where the one who came
had bought before, or was brought already by somebody else or, in the end, by the very customer whom they are said to
have brought (a circle). Claims are gone through by time, and of one instant by key, so that the answer does not depend
on the order in which they arrived.

Value is credited to whoever brought a customer *directly*, and to nobody further up: passed on, it would be counted
more than once, and the sum over all who bring would exceed what those brought are worth. How far a chain reaches is
told as a number of customers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]

REASONS: Final = {
    "self": "the customer named themself, or the two turned out to be one",
    "household": "the two are of one household",
    "payment card": "the two pay with one card",
    "customer before": "who came had bought before",
    "brought already": "somebody else had brought them first",
    "circle": "who came had, over others, brought the one who is said to have brought them",
    "unknown": "nobody is known under what was told of who came",
    "objects": "one of the two objects to profiling",
}
"""Why a claim does not count."""


@dataclass(frozen=True, slots=True)
class Brought:
    """The referrals that stand, one row for each customer who was brought, by time.

    Attributes:
        by: who brought them.
        who: who was brought.
        claim: which of the claims it is.
        refused: how many claims do not count, by reason.
    """

    by: Ints
    who: Ints
    claim: Ints
    refused: dict[str, int]

    def reach(self) -> dict[int, int]:
        """How many customers each brought, directly or over those they brought.

        >>> brought(by=[1, 2], who=[2, 3], at=[0, 1]).reach()
        {1: 2, 2: 1}
        """
        parent = dict(zip(self.who.tolist(), self.by.tolist(), strict=True))
        children = Counter(parent.values())
        total = dict.fromkeys(children, 0)
        waiting = [one for one in parent if one not in children]
        while waiting:  # from the ends of the chains upwards: each is looked at once
            one = waiting.pop()
            if (above := parent.get(one)) is None:
                continue
            total[above] += 1 + total.get(one, 0)
            children[above] -= 1
            if not children[above]:
                waiting.append(above)
        return total


def brought(
    *,
    by: ArrayLike,
    who: ArrayLike,
    at: ArrayLike,
    key: ArrayLike | None = None,
    first: ArrayLike | None = None,
    beside: ArrayLike | None = None,
) -> Brought:
    """Settle claims. ``at`` are instants, ``key`` puts those of one instant in an order, ``first`` tells when who came
    first bought (NaN: never), in the unit of ``at``, and ``beside`` why the two stand too close to each other ('' where
    they do not).

    >>> found = brought(by=[1, 2, 3], who=[2, 1, 2], at=[10, 20, 5])
    >>> found.by.tolist(), found.who.tolist(), found.refused
    ([3, 2], [2, 1], {'brought already': 1})
    """
    giver, came = np.asarray(by, np.int64), np.asarray(who, np.int64)
    when = np.asarray(at, np.float64)
    began = np.full(when.shape, np.nan) if first is None else np.asarray(first, np.float64)
    close = [""] * giver.size if beside is None else list(np.asarray(beside, object))
    keys = np.arange(giver.size) if key is None else np.asarray(key)
    order = sorted(range(giver.size), key=lambda i: (when[i], keys[i], giver[i], came[i]))
    root: dict[int, int] = {}
    refused: Counter[str] = Counter()
    parent: dict[int, int] = {}
    kept: list[int] = []
    givers, comers, before = giver.tolist(), came.tolist(), (began < when).tolist()
    for claim in order:
        one, two = givers[claim], comers[claim]
        reason = "self" if one == two else close[claim]
        if not reason and before[claim]:
            reason = "customer before"
        if not reason and two in parent:
            reason = "" if parent[two] == one else "brought already"
            if not reason:
                continue  # told again
        if not reason and _root(root, one) == _root(root, two):
            reason = "circle"
        if reason:
            refused[reason] += 1
            continue
        parent[two] = one
        root[_root(root, two)] = _root(root, one)
        kept.append(claim)
    rows = np.asarray(kept, np.int64)
    return Brought(giver[rows], came[rows], rows, dict(sorted(refused.items())))


def _root(root: dict[int, int], one: int) -> int:
    """The customer who stands for everybody tied to one so far; halves the way as it goes."""
    while (above := root.get(one, one)) != one:
        root[one] = root.get(above, above)
        one = root[one]
    return one
