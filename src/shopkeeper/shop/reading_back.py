"""A condition read back in every form: as SQL, as a builder's groups and rows, and in plain English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shopkeeper.domain.condition import check, sql
from shopkeeper.domain.condition.builder import from_builder, to_builder
from shopkeeper.domain.condition.english import english
from shopkeeper.domain.errors import BadCondition, InvalidInput
from shopkeeper.domain.insight import Misread, ReadBack
from shopkeeper.domain.traits import Trait
from shopkeeper.shop.places import Places


def read_back(
    places: Places, traits: Sequence[Trait], text: str | None, builder: Mapping[str, Any] | None
) -> ReadBack:
    """A condition from a text or a builder's groups, read back in every form; what is wrong with it is part of it."""
    declared = {trait.name: trait for trait in traits}
    written = text or ""
    try:
        if builder is not None:
            written = sql(from_builder(builder))
        condition = check(written, declared)
        if condition.segments:
            with places.ledger.read() as reader:
                names = {row.name for row in reader.segments() if row.state != "archived"}
            condition = check(written, declared, names)
    except BadCondition as error:
        wrong = Misread(
            message=error.what, hint=error.hint, start=error.start, stop=error.stop, line=error.line,
            column=error.column,
        )  # fmt: skip
        return ReadBack(text=written, error=wrong)
    except InvalidInput as error:
        return ReadBack(text=written, error=Misread(message=error.message, hint=error.hint))
    return ReadBack(
        text=condition.text,
        builder=to_builder(condition.tree),
        english=english(condition.tree, declared, places.settings.currency),
        traits=tuple(sorted(condition.traits)),
        segments=tuple(sorted(condition.segments)),
    )
