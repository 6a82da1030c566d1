"""What to change in a condition that took too long: said by what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shopkeeper.domain.condition import Condition, tree
from shopkeeper.domain.condition.profiling import OBJECTS
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.errors import TookTooLong

_ELSE = "ask from Python or the command line, which wait as long as it takes, or save it as a segment, which is kept up"


@contextmanager
def narrowed(condition: Condition | None) -> Iterator[None]:
    """Where this takes too long, say what to narrow."""
    try:
        yield
    except TookTooLong as error:
        raise TookTooLong(error.message, hint=_hint(condition)) from None


def _hint(condition: Condition | None) -> str:
    if condition is None:
        return _ELSE
    endless = [
        one
        for one in condition.behaviours
        if one.window.days is None and one.window.hours is None and one.window.since is None
    ]
    if endless:
        return f"say since when in {_short(sql(endless[0]))}, such as days => 365; or {_ELSE}"
    meaning = condition.meaning
    parts = meaning.conditions if isinstance(meaning, tree.AllOf) else (meaning,)
    if condition.behaviours and not any(map(_narrows, parts)):
        return f"join it by 'and' with a trait that few have, such as orders >= 2, which is asked first; or {_ELSE}"
    return f"shorten the time asked about; or {_ELSE}"


def _narrows(part: tree.Value) -> bool:
    """Whether a part leaves events of some customers unread."""
    nodes = list(tree.walk(part))
    traits = {one.name for one in nodes if isinstance(one, tree.TraitRef)}
    return bool(traits - {OBJECTS}) and not any(
        isinstance(one, tree.Behaviour | tree.Segment) for one in nodes
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
