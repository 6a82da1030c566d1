"""Whether a forecast can be trusted, in a sentence: the overview and the page of value say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shopkeeper.domain.report import Score


def trust_sentence(scores: Sequence[Score]) -> str:
    """Which model or rule is used, and how it did beside the best of the others.

    >>> trust_sentence(())
    'There was too little history to test a forecast inside the past.'
    """
    chosen = next((one for one in scores if one.chosen), None)
    if chosen is None:
        return "There was too little history to test a forecast inside the past."
    best = min((one for one in scores if one is not chosen), key=lambda one: one.rmse, default=None)
    said = f"{chosen.name} is used. On time it had not seen its error was {chosen.rmse:.2f} orders (root mean square)"
    if best is None:
        return said + "."
    verb = "against" if best.rmse >= chosen.rmse else "while it was"
    rest = "Of those that are as good within noise the simplest is taken."
    return f"{said}, {verb} {best.rmse:.2f} for {best.name}. {rest}"
