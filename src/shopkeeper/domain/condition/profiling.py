"""Who may be looked for: an objection to profiling takes a person out of segments, whatever their condition says."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.check import Condition

OBJECTS: Final = "objects_to_profiling"
"""The trait that says so."""


def of_those_who_do_not_object(condition: Condition) -> Condition:
    """The same condition, never true of whom objects to profiling. Its text and its tree stay as they were written.

    >>> from shopkeeper.domain.condition import check, sql
    >>> sql(of_those_who_do_not_object(check("true", ())).meaning)
    'true and objects_to_profiling is not true'
    """
    parts = (
        condition.meaning.conditions if isinstance(condition.meaning, tree.AllOf) else (condition.meaning,)
    )
    allowed = tree.Not(tree.Is(tree.TraitRef(OBJECTS), "true"))
    return structs.replace(
        condition, meaning=tree.AllOf((*parts, allowed)), traits=condition.traits | {OBJECTS}
    )
