"""What two groups differ in, as a sentence that a marketer reads."""

from __future__ import annotations

import math

from shopkeeper.domain.clock import DAY, instant

_TIMES = 1.25
"""From this ratio on people think in 'times as often'; below it in percentage points."""


def percent(share: float) -> str:
    """A share in per cent, with a decimal where it is small.

    >>> percent(0.184), percent(0.0123), percent(0.00004), percent(1.0)
    ('18 %', '1.2 %', 'under 0.1 %', '100 %')
    """
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{share * 100:.1f} %" if 0 < share < 0.095 else f"{share * 100:.0f} %"


def number(value: float, kind: str, unit: str = "") -> str:
    """A number as people write it: money with cents while small, days as dates for instants.

    >>> number(1234.5, "money"), number(1.0, "int", "orders"), number(15000.0, "time")
    ('1,234', '1 order', '26 Jan 2011')
    """
    if kind == "time":
        at = instant(int(value * DAY))
        return f"{at.day} {at:%b %Y}"
    if abs(value) >= 100:
        text = f"{value:,.0f}"
    elif value == int(value):
        text = f"{value:.0f}"
    else:
        text = f"{value:.2f}" if kind == "money" or abs(value) < 1 else f"{value:.1f}"
    if text == "1" and unit.endswith("s") and not unit.endswith("ss"):
        unit = unit[:-1]
    return f"{text} {unit}".strip()


def share_sentence(phrase: str, group: float, rest: float) -> str:
    """One share against another.

    >>> share_sentence("bought Lighting first", 0.18, 0.08)
    '2.2 times as often bought Lighting first (18 % against 8.0 %)'
    >>> share_sentence("may be mailed", 0.45, 0.5)
    'less often may be mailed (45 % against 50 %)'
    """
    told = f"({percent(group)} against {percent(rest)})"
    if rest == 0 and group > 0:
        return f"only here: {phrase} {told}"
    if group == 0 and rest > 0:
        return f"never here: {phrase} {told}"
    if group >= rest * _TIMES:
        return f"{group / rest:.1f} times as often {phrase} {told}"
    if rest >= group * _TIMES:
        return f"{_part(group / rest)} as often {phrase} {told}"
    return f"{'more' if group > rest else 'less'} often {phrase} {told}"


def _part(ratio: float) -> str:
    """A ratio below one in words.

    >>> _part(0.5), _part(0.33), _part(0.12)
    ('half', 'a third', 'one eighth')
    """
    names = {
        2: "half",
        3: "a third",
        4: "a quarter",
        5: "a fifth",
        6: "a sixth",
        7: "one seventh",
        8: "one eighth",
    }
    for parts, name in names.items():
        if abs(ratio - 1 / parts) < 0.02 and parts > 1:
            return name
    return f"{ratio:.2f} times"


def number_sentence(
    label: str, kind: str, unit: str, group: float, rest: float, chance: float, of: str = ""
) -> str:
    """One column of numbers against another, by medians and by who is ahead of whom.

    >>> number_sentence("Orders", "int", "orders", 5, 2, 0.8)
    'orders: mostly more, median 5 orders against 2 orders (ahead in 80 of 100 pairs)'
    """
    more, less = ("later", "earlier") if kind == "time" else ("more", "less")
    away = abs(chance - 0.5)
    strength = "mostly " if away >= 0.21 else "somewhat " if away < 0.1 else ""
    ahead = chance if chance >= 0.5 else 1 - chance
    text = f"{label[:1].lower()}{label[1:]}"
    if math.isclose(group, rest, rel_tol=1e-9, abs_tol=1e-9):
        medians = f"with the same median {number(group, kind, unit)}"
    else:
        medians = f"median {number(group, kind, unit)} against {number(rest, kind, unit)}"
    word = more if chance >= 0.5 else less
    behind = "ahead" if chance >= 0.5 else "behind"
    tail = f" {of}" if of else ""
    return f"{text}{tail}: {strength}{word}, {medians} ({behind} in {ahead * 100:.0f} of 100 pairs)"
