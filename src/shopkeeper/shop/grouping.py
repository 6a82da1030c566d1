"""Groups that show by themselves, each with the condition that comes near to it, and how near that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from shopkeeper.domain.condition import Condition
from shopkeeper.domain.insight import Group

if TYPE_CHECKING:
    from shopkeeper.know.insight import Clusters, People
    from shopkeeper.know.insight.people import Mask

_NEAR: Final = 0.6
"""Precision and recall below which a condition says something else than the group."""


def groups(
    people: People,
    found: Clusters,
    understand: Callable[[str], Condition],
    meet: Callable[[Sequence[Condition]], list[Mask]],
    say: Callable[[Condition], str],
) -> tuple[Group, ...]:
    """The groups; ``understand`` reads a condition, ``meet`` asks it of everybody, ``say`` puts it into words."""
    import numpy as np

    from shopkeeper.know.insight import described

    made = []
    for one in found.clusters:
        group = Group(
            key=one.key, title=one.name, customers=one.customers, share=one.share,
            habits=tuple(words for words, _ in one.habits),
        )  # fmt: skip
        told = described(people, inside := found.mask(one.key), found.of >= 0)
        if told is not None:
            condition = understand(told.condition)
            (met,) = meet([condition])
            unseen = np.ones(len(people), np.bool_)
            unseen[told.seen] = False
            both = int((met & inside & unseen).sum())
            precision = both / max(1, int((met & unseen).sum()))
            recall = both / max(1, int((inside & unseen).sum()))
            if min(precision, recall) >= _NEAR:
                group = msgspec.structs.replace(
                    group, name=_slug(one.name), condition=condition.text, english=say(condition),
                    met=int(met.sum()), precision=precision, recall=recall,
                )  # fmt: skip
        made.append(group)
    return tuple(made)


def _slug(title: str) -> str:
    """A title as a segment's name.

    >>> _slug("Buys online, buys with coupons (2)")
    'buys-online-buys-with-coupons-2'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-")
