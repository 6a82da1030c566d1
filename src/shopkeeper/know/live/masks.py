"""Which rules a value lets be true, as the bits of whole numbers: a thousand rules are looked up in one step.

Of a rule that is an 'and' of comparisons every comparison must let it be true. So what all of a customer's values allow
is one 'and' of such numbers, and a rule of which everything is known this way is never asked at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Bounds = tuple[tuple[int, bool], ...]
"""Places of bounds, and whether a comparison is true where one is met, or where it is not."""


class Bounded(NamedTuple):
    """A comparison of something that has an order."""

    wanted: bool
    bounds: Bounds


class Worded(NamedTuple):
    """A comparison with words."""

    wanted: bool
    words: frozenset[str]


def stepped(full: int, rules: Mapping[int, Iterable[Bounded]], places: int) -> list[int]:
    """Of each place between bounds, which rules (bits) it allows; ``places`` is one more than there are bounds.

    >>> stepped(0b11, {0b10: [Bounded(True, ((0, True),))]}, 2)
    [1, 3]
    """
    toggled = [0] * places
    for rule, parts in rules.items():
        told = list(parts)
        was = True
        for place in sorted({0, *(bound + 1 for part in told for bound, _ in part.bounds)}):
            allowed = all(
                all((bound < place) is rises for bound, rises in part.bounds) is part.wanted for part in told
            )
            if allowed is not was:
                toggled[place] ^= rule
                was = allowed
    mask, found = full, []
    for change in toggled:
        mask ^= change
        found.append(mask)
    return found


def worded(full: int, rules: Mapping[int, Sequence[Worded]]) -> tuple[int, dict[str, int]]:
    """Which rules any other word allows, and which each of those does that rules name.

    >>> worded(0b11, {0b10: [Worded(True, frozenset({"new"}))]})
    (1, {'new': 3})
    """
    other = full
    naming: dict[str, list[int]] = {}
    for rule, parts in rules.items():
        if any(part.wanted for part in parts):
            other &= ~rule
        for word in frozenset().union(*(part.words for part in parts)):
            naming.setdefault(word, []).append(rule)
    masks = {}
    for word, named in naming.items():
        mask = other
        for rule in named:
            allowed = all((word in part.words) is part.wanted for part in rules[rule])
            mask = mask | rule if allowed else mask & ~rule
        masks[word] = mask
    return other, masks


def without(full: int, rules: Iterable[int]) -> int:
    """All but some."""
    for rule in rules:
        full &= ~rule
    return full
