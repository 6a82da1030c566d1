"""The shape of a reducer: a function of the record so far, the moment, the event's properties and the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.customer import Customer


class Moment(Struct, frozen=True, gc=False):
    """When and on what an event happened."""

    at: int
    channel: str
    source: str
    nodes: tuple[int, ...]


Reads = dict[str, type[Struct] | None]
"""What a reducer reads of an event's properties where that is less than all that is declared: a struct with some of
the fields by the same names, or None for nothing at all. Decoding is most of the cost of a fold."""


class Retold(Exception):
    """An event changes what earlier events said (an order told again, or cancelled): fold from the beginning."""


Reducer = Callable[[Customer, Moment, Any, Catalogue], None]
"""Changes the record in place; must depend on nothing but its arguments."""
