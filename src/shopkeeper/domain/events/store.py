"""In and near the store."""

from __future__ import annotations

from typing import Annotated

from shopkeeper.domain.event import Properties, event, personal, says
from shopkeeper.domain.personal import Personal


@event("Store Visited")
class StoreVisited(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """The customer was in a store."""

    store: Annotated[str, says("store id", "S1")] = ""
    zone: Annotated[str, says("where in the store", "lighting")] = ""
    minutes: Annotated[float | None, says("how long", 12)] = None

    def sentence(self) -> str:
        """Which store."""
        return f"visited store {self.store}".strip()


@event("Beacon Detected")
class BeaconDetected(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """The customer's phone was near a beacon."""

    beacon_id: Annotated[str, says("beacon", "b-1")] = ""
    store: Annotated[str, says("store id", "S1")] = ""
    zone: Annotated[str, says("where in or near the store", "entrance")] = ""
    meters: Annotated[float | None, says("distance in metres", 8)] = None

    def sentence(self) -> str:
        """Near which store."""
        return f"came near store {self.store}".strip()


@event("Answer Given")
class AnswerGiven(Properties, frozen=True, kw_only=True, omit_defaults=True):
    """The customer answered a question of an associate or a form."""

    question_id: Annotated[str, says("question asked", "occasion")] = ""
    question: Annotated[str, says("the question as asked", "What is the occasion?")] = ""
    answer: Annotated[str, says("chosen answer, from the question's list", "wedding")] = ""
    text: Annotated[
        str | None, personal(Personal.TEXT, "answer in own words", "My sister marries in May")
    ] = None
    staff_id: Annotated[str, says("who asked", "st-4")] = ""
    store: Annotated[str, says("store id", "S1")] = ""

    def sentence(self) -> str:
        """Which question."""
        chosen = f": {self.answer.replace('_', ' ')}" if self.answer else ""
        return f"answered about {self.question_id.replace('_', ' ') or 'a question'}{chosen}"
