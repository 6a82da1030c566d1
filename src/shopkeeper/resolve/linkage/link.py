"""Link all records, or only new ones: blocked pairs, weighed by the model, joined by guarded union."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct

from shopkeeper.resolve.linkage.blocking import fitting_rules
from shopkeeper.resolve.linkage.engine import Backend, asking
from shopkeeper.resolve.linkage.model import Model
from shopkeeper.resolve.linkage.prepare import Prepared
from shopkeeper.resolve.linkage.train import distinct
from shopkeeper.resolve.linkage.union import Facts, Guard, Link, Refusal, unite

STRONG_WEIGHT = 30.0
"""Bits for an equal strong identifier: more than any one comparison, and still guarded."""
_FACTS = ("first_name", "last_name", "birthday", "reference")
_CONTACTS = ("email", "phone", "address", "postcode")
BADLY_KEPT = 0.1
REPEAT = "repeat"
REPEAT_WEIGHT = 1000.0
"""A record that says exactly the same as another one and who it is."""


class Linked(Struct, frozen=True):
    """What linking found.

    Attributes:
        person_of: record id to person id, which is the id of one of its records.
        links: pairs from ``least`` bits on: the evidence, also of links that were refused.
        refused: links not followed, with reasons.
        became: person ids that are no more, to the person that has their records now (linking again only).
    """

    person_of: dict[str, str]
    links: list[Link]
    refused: list[Refusal]
    became: dict[str, str] = {}


def link(
    ready: Prepared,
    model: Model,
    backend: Backend,
    *,
    always: Iterable[tuple[str, str]] = (),
    never: Iterable[tuple[str, str]] = (),
    least: float = 0.0,
) -> Linked:
    """Which of all these records are one person.

    ``least`` is the weight in bits from which on a link counts; 0 is a chance of one half. ``always`` and ``never``
    are pairs of record ids on which somebody decided. Raises StoreFailure where the engine fails.
    """
    rows = distinct(ready)
    links = _weighed(ready, rows, model, backend, least) + deterministic(ready)
    united = unite(
        ready.ids, links, Facing(ready), always=always, never=never, least=least, guard=guard_of(model)
    )
    return Linked(united.person_of, links, united.refused)


def guard_of(model: Model) -> Guard:
    """What stands in the way of a union, by what the model learned.

    Where one person's records often differ in a field (more than one pair in ten), it is badly kept, and that it
    differs is left to its weight.
    """
    differ = {trained.name: trained.m[-1] for trained in model.comparisons}
    return Guard(
        first_name=differ.get("first name", 0.0) < BADLY_KEPT,
        birthday=differ.get("birthday", 0.0) < BADLY_KEPT,
    )


class Facing:
    """Facts of prepared records by record id; of all, or only of some."""

    def __init__(self, ready: Prepared, only: AbstractSet[str] | None = None) -> None:
        rows = ready.rows.select([*_FACTS, *_CONTACTS])
        places = list(range(len(ready)))
        if only is not None:
            places = [place for place, record in enumerate(ready.ids) if record in only]
            rows = rows.take(pa.array(places, pa.int64()))
        self._at = {ready.ids[place]: k for k, place in enumerate(places)}
        self._columns = [column.to_pylist() for column in rows.columns]
        self._strong = [ready.strong[place] for place in places]

    def __call__(self, record: str) -> Facts:
        """What the record says."""
        at = self._at[record]
        first, last, birthday, reference, email, phone, address, code = self._columns
        contacts = (email[at], phone[at], address[at], code[at])
        return Facts(first[at], last[at], birthday[at], reference[at], self._strong[at], contacts)


def _weighed(ready: Prepared, rows: pa.Table, model: Model, backend: Backend, least: float) -> list[Link]:
    from splink import Linker

    rules = model.rules if len(rows) == model.records else fitting_rules(model.rules, rows)
    if not rules:
        return []
    engine = backend()
    with asking():
        table = engine.register(rows, table_name="people")
        linker = Linker(table, model.settings(rules), log_level=None, validate_settings=False)
        scored = linker.inference.predict(threshold_match_weight=least, warning_mode="never")
    return links_of(scored, ready.ids)


def links_of(scored: Any, ids: list[str]) -> list[Link]:
    """Pairs that Splink scored, under the ids of their records."""
    table = scored.as_pyarrow_table()
    a, b = table["unique_id_l"].to_numpy(), table["unique_id_r"].to_numpy()
    weights = np.round(table["match_weight"].to_numpy(), 6)
    return [Link(ids[x], ids[y], w) for x, y, w in zip(a.tolist(), b.tolist(), weights.tolist(), strict=True)]


def deterministic(ready: Prepared) -> list[Link]:
    """Links that need no model: true repeats, and records with an equal strong identifier."""
    repeats = np.flatnonzero(ready.stands_for != np.arange(len(ready))).tolist()
    firsts = ready.stands_for[repeats].tolist()
    links = [
        Link(ready.ids[to], ready.ids[place], REPEAT_WEIGHT, REPEAT)
        for place, to in zip(repeats, firsts, strict=True)
    ]
    again = set(repeats)
    holders: dict[tuple[str, str], str] = {}
    for place, strong in enumerate(ready.strong):
        if not strong or place in again:
            continue
        record = ready.ids[place]
        for pair in strong.items():
            first = holders.setdefault(pair, record)
            if first != record:
                links.append(Link(first, record, STRONG_WEIGHT, pair[0]))
    return links
