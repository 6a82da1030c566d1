"""Which of several forms an answer takes: as the ``Accept`` header of the request ranks them (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
_PART: Final = re.compile(r'(?:[^",]|"[^"]*"?)+')
"""What stands between commas, other than those in quoted text."""


def preferred(accept: Iterable[str], offered: Sequence[str]) -> str:
    """The form of those offered that is wanted most; of equals, and where none is wanted, the first.

    The most specific range that fits a form says how much it is wanted: 0 is not at all. Who wants none of them gets
    the first rather than nothing. ``accept`` is every such header there is; none at all wants everything.

    >>> kinds = ["application/json", "application/vnd.apache.parquet"]
    >>> preferred(["application/vnd.apache.parquet"], kinds)
    'application/vnd.apache.parquet'
    >>> preferred(["application/vnd.apache.parquet;q=0, */*"], kinds), preferred(["*/*"], kinds)
    ('application/json', 'application/json')
    """
    ranges = {kind: weight for header in accept for kind, weight in _ranges(header)}

    def wanted(form: str) -> float:
        group = f"{form.partition('/')[0]}/*"
        return next((ranges[one] for one in (form, group, "*/*") if one in ranges), 0.0)

    return max(offered, key=wanted)  # the first of equals


def _ranges(header: str) -> Iterable[tuple[str, float]]:
    """Kinds with their weights; one whose weight cannot be read is passed over."""
    for part in _PART.findall(header):
        kind, *parameters = (one.strip() for one in part.split(";"))
        weights = [
            value.strip() for name, _, value in map(_halves, parameters) if name.strip().lower() == "q"
        ]
        if all(_WEIGHT.fullmatch(one) for one in weights):
            yield kind.lower(), float(weights[0]) if weights else 1.0


def _halves(parameter: str) -> tuple[str, str, str]:
    return parameter.partition("=")
