"""A customer's state: its colour and its meaning."""

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

MEANING: dict[str, str] = {
    "new": "New: bought once, and silent no longer than is usual.",
    "active": "Active: silent no longer than their own rhythm lets expect.",
    "won back": "Won back: bought again after a lapse, and not in a rhythm yet.",
    "fading": "Fading: silent for longer than their own rhythm lets expect.",
    "lapsed": "Lapsed: silent for twice as long as it took to become unusual, or for two seasons.",
}
"""What a state says of somebody, in a sentence."""


def ordered_states(states: Iterable[str]) -> list[str]:
    """States in the order of a customer's life.

    >>> ordered_states(["lapsed", "active"])
    ['active', 'lapsed']
    """
    place = {name: i for i, name in enumerate(TONES)}
    return sorted(states, key=lambda name: (place.get(name, len(place)), name))
