"""How stages meet without knowing each other: what one needs of another, as a type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from shopkeeper.domain.customer import Customer

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


class Stands(Protocol):
    """Keeps what is predicted of customers up with what they buy, within one transaction."""

    def told(self, customer: int, record: Customer, names: Iterable[str] | None = None) -> None:
        """A customer's record after it was folded; ``names`` are the events that were added, None for all anew."""
        ...

    def write(self) -> dict[int, dict[str, Any]]:
        """Write where those who were told of stand now; returns what was predicted of them before."""
        ...
