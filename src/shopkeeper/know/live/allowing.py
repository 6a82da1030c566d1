"""What all traits of a customer allow together: asked with every change, so that most are read where they lie."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from shopkeeper.know.live.atoms import LIST, TEXT, TRUTH
from shopkeeper.know.live.operands import Numbers, Operand
from shopkeeper.know.live.person import Person


class Allowing:
    """Operands of traits, by how each is read."""

    def __init__(self, every: int, operands: Iterable[Operand]) -> None:
        """``every`` are all rules."""
        self._every = every
        self._figures: list[tuple[str, int, list[float], list[int]]] = []
        """Of a trait's plain number: its name, what it allows unknown, its bounds, and what it allows between them."""
        self._words: list[tuple[str, Callable[[Any, int], int]]] = []
        """Of a trait's plain text, list or truth: its name, and what a value of it allows."""
        self._others: list[Callable[[Person, int], int]] = []
        for one in operands:
            if one.name and type(one) is Numbers:
                self._figures.append((one.name, one.unknown, one.bounds, one.masks))
            elif one.name and one.kind in (LIST, TEXT, TRUTH):
                self._words.append((one.name, one.mask))
            else:
                self._others.append(one.allows)

    def of(self, person: Person, now: int) -> int:
        """Which rules somebody's traits allow."""
        allowed, trait = self._every, person.trait
        for name, unknown, bounds, masks in self._figures:
            value = trait(name)
            if value is None or value - value != 0:
                allowed &= unknown
            else:
                allowed &= masks[bisect_right(bounds, value)]
        for name, mask in self._words:
            allowed &= mask(trait(name), now)
        for allows in self._others:
            allowed &= allows(person, now)
        return allowed
