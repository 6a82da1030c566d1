"""Kinds of values in conditions, which are fewer than those of traits: money and whole numbers are numbers."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from shopkeeper.domain.condition import tree
from shopkeeper.domain.traits import Trait

Kind = Literal["number", "text", "bool", "time", "day", "span", "months", "texts", "null"]

KIND_OF: Final[dict[str, Kind]] = {
    "int": "number",
    "float": "number",
    "money": "number",
    "bool": "bool",
    "text": "text",
    "time": "time",
    "texts": "texts",
}
"""Of each kind of trait. A time that is a day of the shop's is a ``day``."""

WORDS: Final[dict[Kind, str]] = {
    "number": "a number",
    "text": "a text",
    "bool": "a yes or no",
    "time": "an instant",
    "day": "a day",
    "span": "a length of time",
    "months": "a length in months",
    "texts": "a list of texts",
    "null": "null",
}


class Typed(Struct, frozen=True):
    """A node's meaning and kind, and the trait it is, if it is one."""

    kind: Kind
    node: tree.Value
    trait: Trait | None = None

    def as_day(self) -> Typed:
        """The same as a day of the shop's.

        >>> Typed("time", tree.Now()).as_day().node
        Call(function='day', arguments=(Now(),))
        """
        return self if self.kind == "day" else Typed("day", tree.Call("day", (self.node,)))
