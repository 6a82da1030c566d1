"""How stages meet without knowing each other: what one needs of another, as a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Progress = Callable[[str, float], None]
"""Told the step's name and the fraction done, from 0 to 1."""


class Canonical(Protocol):
    """Turns an identifier as it was given into the one spelling that everybody's share; None when it is junk."""

    def __call__(self, kind: str, value: str) -> str | None:
        """The canonical value of an identifier."""
        ...

    def reaches(self, kind: str, value: str) -> str | None:
        """Another canonical value of the kind that a canonical one leads to, such as the mailbox behind an address."""
        ...
