"""Where the bars of a waterfall stand: from the running total before to the one after, in thousandths of the width."""

from __future__ import annotations

from itertools import accumulate

from msgspec import Struct

from shopkeeper.domain.identity import Waterfall

_WIDTH = 1000.0
_LEAST = 4.0
"""A bar that adds next to nothing can still be seen."""


class Drawn(Struct, frozen=True):
    """One bar: words and figures, where it begins, how wide it is, and whether it speaks for, against, or sums up."""

    name: str
    level: str
    weight: float
    adjustment: float
    left: float
    width: float
    side: str


class Chart(Struct, frozen=True):
    """All bars, the last of which is the sum, and where nothing lies."""

    bars: tuple[Drawn, ...]
    zero: float


def drawn(found: Waterfall) -> Chart:
    """The chart of a waterfall.

    >>> from shopkeeper.domain.identity import Compared
    >>> bars = Compared(name="prior", level="", weight=-10.0), Compared(name="e-mail", level="equal", weight=30.0)
    >>> made = drawn(Waterfall(weight=20.0, probability=1.0, odds="", bars=bars, one=None, other=None))
    >>> [(round(b.left), round(b.width), b.side) for b in made.bars], round(made.zero)
    ([(0, 333, 'against'), (0, 1000, 'for'), (333, 667, 'sum')], 333)
    """
    changes = [bar.weight + bar.adjustment for bar in found.bars]
    totals = [0.0, *accumulate(changes)]
    low, high = min(totals), max(totals)
    scale = _WIDTH / ((high - low) or 1.0)

    def placed(one: float, other: float) -> tuple[float, float]:
        width = max(_LEAST, abs(other - one) * scale)
        return min((min(one, other) - low) * scale, _WIDTH - width), width

    bars = [
        Drawn(
            bar.name,
            bar.level,
            bar.weight,
            bar.adjustment,
            *(placed(before, after) if change else (0.0, 0.0)),
            "for" if change > 0 else "against",
        )
        for bar, change, before, after in zip(found.bars, changes, totals, totals[1:], strict=False)
    ]
    whole = Drawn("all together", f"odds {found.odds}", found.weight, 0.0, *placed(0.0, found.weight), "sum")
    return Chart((*bars, whole), -low * scale)
