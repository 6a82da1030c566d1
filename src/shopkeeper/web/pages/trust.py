"""Whether a forecast can be trusted, in a sentence, and what took part in the test, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.domain.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopkeeper.domain.report import Score

ENTRIES: dict[str, str] = {
    "repeat rate x window": "rule: everybody goes on at their own rate so far",
    "last period = next period": "rule: everybody does again what they did last period",
    "hiatus": "rule: gone once silent for long, else on at their own rate",
    "BG/NBD": "model: each at their own rate, until they leave after a repeat order",
    "MBG/NBD": "model: each at their own rate, until they leave after any order",
    "Pareto/NBD": "model: each at their own rate, until they leave at any time",
    "MBG/CNBD-k": "model: as MBG/NBD, with orders more evenly spaced than by chance",
    "MBG/NBD with seasons": "model: as MBG/NBD, with more orders in some weeks of the year",
    "learner": "trees that correct a model by all that is known of a customer",
    "mean of model and learner": "halfway between a model and the learner",
}
"""What takes part in the test, in words."""


def trust_sentence(scores: Sequence[Score]) -> str:
    """Which model or rule is used, and how it did beside the best simple rule.

    >>> trust_sentence(())
    'There was too little history to test a forecast inside the past.'
    """
    found = verdict(scores)
    if found is None:
        return "There was too little history to test a forecast inside the past."
    return found.sentence
