"""Recency, frequency, monetary value in fifths of this shop's customers, and the ten cells everybody knows by name.

Fifths are of buyers, by the mean rank of equals: everybody with the same number of days gets the same score, so that
the scores are those that a condition with a threshold gives. Where most bought once, there is no second fifth to be
had, and the scores that nobody has are told rather than dealt out by chance among equals, as cutting by rows would.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.know.insight.people import Column, People

SCORES: Final = 5
RECENCY, FREQUENCY, MONETARY = "days_since_order", "order_days", "margin"


class Cell(Struct, frozen=True):
    """A named part of the grid: scores of recency and of frequency, from and to."""

    key: str
    name: str
    recency: tuple[int, int]
    frequency: tuple[int, int]
    sentence: str
    why: str


CELLS: Final = (
    Cell("champions", "Champions", (5, 5), (4, 5), "Bought lately and bought most often.",
         "They carry the shop: thank them, show them first what is new, ask them to recommend."),
    Cell("loyal", "Loyal", (3, 4), (4, 5), "Buy often and not long ago.",
         "The next champions: recognition and early access do more here than discounts."),
    Cell("potential_loyalists", "Potential loyalists", (4, 5), (2, 3), "Bought lately, and more than once.",
         "A habit in the making: the next order or two decide whether it becomes one."),
    Cell("new_customers", "New customers", (5, 5), (1, 1), "Bought lately for the first time.",
         "Most of the loss happens before a second order: make the first one good."),
    Cell("promising", "Promising", (4, 4), (1, 1), "Bought once, not long ago.",
         "Still warm: remind them of what goes with their first order."),
    Cell("need_attention", "Need attention", (3, 3), (3, 3), "Middling in both, and not seen for a while.",
         "They can go either way; an offer that fits is worth its cost here."),
    Cell("about_to_sleep", "About to sleep", (3, 3), (1, 2), "Bought seldom and not lately.",
         "The last moment at which a message is still expected."),
    Cell("at_risk", "At risk", (1, 2), (3, 4), "Bought often, and long ago.",
         "They had a habit and lost it: find out why before it is forgotten."),
    Cell("cannot_lose_them", "Cannot lose them", (1, 2), (5, 5), "Bought most often of all, and long ago.",
         "The dearest loss there is: call, do not mail."),
    Cell("hibernating", "Hibernating", (1, 2), (1, 2), "Bought seldom, and long ago.",
         "Little is lost: a cheap reminder, no more."),
)  # fmt: skip
"""A partition of the five by five scores."""


class Cuts(Struct, frozen=True):
    """Where the scores of one measure begin: the first value with score 2 or more, 3 or more, 4 or more, 5; None where
    nobody has so much. Scores that nobody has begin where the next one does.
    """

    trait: str
    at: tuple[float | None, ...]
    lowest: float | None = None
    """The value that the lowest score seen begins with."""
    falling: bool = False
    """Whether less is better, as with days of silence."""

    def scores(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Scores 1 to 5 of values; NaN gets 0."""
        told = np.ones(values.size, np.int64)
        for score, cut in enumerate(self.at, 2):
            if cut is not None:
                told[(values <= cut) if self.falling else (values >= cut)] = score
        return np.where(np.isnan(values), 0, told)

    def condition(self, low: int, high: int) -> str | None:
        """That the score is from ``low`` to ``high``, as a condition; None where nobody has it.

        >>> Cuts("order_days", (2.0, 3.0, 5.0, 9.0), 1.0).condition(2, 3)
        'order_days >= 2 and order_days < 5'
        >>> Cuts("days_since_order", (300.0, 120.0, 60.0, 20.0), 700.0, True).condition(5, 5)
        'days_since_order <= 20'
        """
        first = self.lowest if low == 1 else self.at[low - 2]
        after = None if high == SCORES else self.at[high - 1]
        if first is None or first == after:
            return None
        parts = [] if low == 1 else [f"{self.trait} {'<=' if self.falling else '>='} {plain(first)}"]
        if after is not None:
            parts.append(f"{self.trait} {'>' if self.falling else '<'} {plain(after)}")
        return " and ".join(parts) or f"{self.trait} is not null"


class Grid(Struct, frozen=True, kw_only=True):
    """The shop's buyers in fifths. ``counts[r - 1][f - 1]`` have recency score r and frequency score f."""

    recency: Cuts
    frequency: Cuts
    monetary: Cuts
    buyers: int
    counts: tuple[tuple[int, ...], ...]
    margin: tuple[tuple[float, ...], ...]
    """Summed margin of each cell of the grid."""
    notes: tuple[str, ...] = ()


def plain(number: float) -> str:
    """A threshold as it stands in a condition.

    >>> plain(3.0), plain(412.375)
    ('3', '412.375')
    """
    return f"{number:.0f}" if number == int(number) else f"{number:.12g}"


def cuts(trait: str, values: NDArray[np.float64], *, falling: bool = False) -> Cuts:
    """Where the fifths of a column begin. Equals stay together at their mean rank.

    >>> cuts("orders", np.array([1.0] * 6 + [2.0, 3.0, 4.0, 9.0])).at
    (1.0, 2.0, 2.0, 4.0)
    """
    known = values[~np.isnan(values)]
    distinct, times = np.unique(-known if falling else known, return_counts=True)
    place = (np.cumsum(times) - times / 2) / max(known.size, 1)
    score = np.minimum(1 + np.floor(place * SCORES + 1e-9), SCORES).astype(int)
    begins: list[float | None] = []
    for wanted in range(1, SCORES + 1):
        at = np.flatnonzero(score >= wanted)
        begins.append(float(abs(distinct[at[0]]) if falling else distinct[at[0]]) if at.size else None)
    return Cuts(trait, tuple(begins[1:]), begins[0], falling)


def grid(people: People) -> Grid:
    """The grid of everybody with an order."""
    recency, frequency, monetary = (_numbers(people.column(n)) for n in (RECENCY, FREQUENCY, MONETARY))
    buyers = ~np.isnan(recency) & (frequency > 0)
    made = (
        cuts(RECENCY, recency[buyers], falling=True),
        cuts(FREQUENCY, frequency[buyers]),
        cuts(MONETARY, monetary[buyers]),
    )
    r, f = made[0].scores(recency[buyers]) - 1, made[1].scores(frequency[buyers]) - 1
    counts, margin = np.zeros((SCORES, SCORES), int), np.zeros((SCORES, SCORES))
    np.add.at(counts, (r, f), 1)
    np.add.at(margin, (r, f), np.nan_to_num(monetary[buyers]))
    missing = [
        f"nobody has score {score} of {which.trait}: too many are equal"
        for which, have in zip(made[:2], (r, f), strict=True)
        for score in range(1, SCORES + 1)
        if buyers.any() and not (have == score - 1).any()
    ]
    return Grid(
        recency=made[0], frequency=made[1], monetary=made[2], buyers=int(buyers.sum()),
        counts=tuple(tuple(map(int, row)) for row in counts), margin=tuple(tuple(map(float, row)) for row in margin),
        notes=tuple(missing),
    )  # fmt: skip


def cell_condition(made: Grid, cell: Cell) -> str | None:
    """A cell as a condition, None where nobody can be in it."""
    parts = [made.recency.condition(*cell.recency), made.frequency.condition(*cell.frequency)]
    return None if None in parts else " and ".join(part for part in parts if part)


def _numbers(column: Column) -> NDArray[np.float64]:
    if not isinstance(column, np.ndarray):
        raise TypeError("a column of numbers was expected")
    return column
