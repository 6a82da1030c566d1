"""The colours of a customer's state: one table."""

from __future__ import annotations

from collections.abc import Iterable

TONES: dict[str, str] = {
    "new": "fresh",
    "active": "good",
    "won back": "good",
    "fading": "warn",
    "lapsed": "faint",
}
"""Tone by state, in the order of a customer's life; a state that is not listed is plain and comes last."""


def ordered_states(states: Iterable[str]) -> list[str]:
    """States in the order of a customer's life.

    >>> ordered_states(["lapsed", "active"])
    ['active', 'lapsed']
    """
    place = {name: i for i, name in enumerate(TONES)}
    return sorted(states, key=lambda name: (place.get(name, len(place)), name))
