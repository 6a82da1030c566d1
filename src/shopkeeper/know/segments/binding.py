"""Values of a question to the lake: bound by name, each once; no text of a condition is ever part of the SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

Bindable = str | float | bool | date | datetime


class Binding:
    """Parameters in the making.

    >>> bound = Binding()
    >>> bound.to("Lighting"), bound.to(2.0), bound.to("Lighting"), bound.values
    ('$p0', '$p1', '$p0', {'p0': 'Lighting', 'p1': 2.0})
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._names: dict[tuple[type, Bindable], str] = {}

    def to(self, value: Bindable) -> str:
        """The parameter that stands for a value."""
        name = self._names.get((type(value), value))
        if name is None:
            name = self._names[type(value), value] = f"p{len(self._names)}"
            self.values[name] = value
        return f"${name}"

    def listed(self, values: Iterable[Bindable]) -> str:
        """Parameters for several values, in parentheses."""
        return f"({', '.join(map(self.to, values))})"

    def named(self, name: str, value: Any) -> str:
        """A parameter with a name of its own, for what is not a value of the condition."""
        self.values[name] = value
        return f"${name}"
