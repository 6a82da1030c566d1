"""Link again after some records came or changed: only these are compared, and nobody else is given another id.

New pairs are found between the new records and all others and among the new ones. Persons whom they touch are united
anew from all links known among their records, so that the answer is that of the whole; every other person stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.resolve.linkage.blocking import fitting_rules
from shopkeeper.resolve.linkage.engine import Backend, asking
from shopkeeper.resolve.linkage.link import Facing, Linked, deterministic, guard_of, links_of
from shopkeeper.resolve.linkage.model import Model
from shopkeeper.resolve.linkage.prepare import Prepared
from shopkeeper.resolve.linkage.train import distinct
from shopkeeper.resolve.linkage.union import MODEL, Link, unite


class Again(Struct, frozen=True):
    """All records now, and what linking them found; give both to the next run.

    Attributes:
        ready: yesterday's records, without those that changed, and then the new and changed ones.
        linked: persons, links and refusals. ``became`` says which persons were merged into which; ``refused`` holds
            what this run refused.
        touched: yesterday's persons that had to be looked at again; all others are as they were.
    """

    ready: Prepared
    linked: Linked
    touched: frozenset[str]


def link_again(
    before: Prepared,
    linked: Linked,
    fresh: Prepared,
    model: Model,
    backend: Backend,
    *,
    always: Iterable[tuple[str, str]] = (),
    never: Iterable[tuple[str, str]] = (),
    gone: Iterable[str] = (),
    also: Iterable[str] = (),
    least: float = 0.0,
) -> Again:
    """Link new and changed records to those known, and only these.

    Args:
        before: yesterday's records.
        linked: what the last run found for them, with the same ``model``.
        fresh: new records, and changed ones under their old id; ``prepare`` them with yesterday's junk values.
        model: the model of the last run.
        backend: opens an engine.
        always: all pairs that somebody said are one, as in ``link``.
        never: all pairs that somebody said are two.
        gone: ids of records that are no more (erased).
        also: ids of records whose persons are to be united anew all the same, as where a decision was withdrawn.
        least: weight in bits from which on a link counts, as in the last run.

    Raises InvalidInput where ``linked`` is not about the records of ``before``, StoreFailure where the engine fails.
    """
    if len(linked.person_of) != len(before):
        raise InvalidInput(
            f"yesterday's persons are about {len(linked.person_of):,} records, yesterday's records are {len(before):,}",
            hint="Give what the last run returned for these records, or link all of them",
        )
    fresh_ids = set(fresh.ids)
    removed = (set(gone) & linked.person_of.keys()) - fresh_ids
    changed = (fresh_ids & linked.person_of.keys()) | removed
    always, never = list(always), list(never)
    ready, heirs = joined(before, fresh, changed)
    start = len(ready) - len(fresh)
    links = [
        k
        for k in linked.links
        if k.by == MODEL and (not changed or (k.a not in changed and k.b not in changed))
    ]
    new = _new_links(ready, heirs | set(range(start, len(ready))), model, backend, least)
    sure = deterministic(ready)
    links += new + sure
    new += [k for k in sure if k.a in fresh_ids or k.b in fresh_ids]
    ends = (
        changed
        | set(also)
        | {end for k in new for end in (k.a, k.b)}
        | {end for pair in (*always, *never) for end in pair}
    )
    touched = {linked.person_of[end] for end in ends if end in linked.person_of}
    around = [
        record for record, person in linked.person_of.items() if person in touched and record not in removed
    ]
    around += [record for record in fresh.ids if record not in changed]
    inside = set(around)
    united = unite(
        around,
        [k for k in links if k.a in inside and k.b in inside],
        Facing(ready, inside),
        always=[p for p in always if inside.issuperset(p)],
        never=[p for p in never if inside.issuperset(p)],
        least=least,
        guard=guard_of(model),
    )
    named, became = _named(united.person_of, linked.person_of)
    person_of = {record: p for record, p in linked.person_of.items() if record not in removed} | named
    return Again(ready, Linked(person_of, links, united.refused, became), frozenset(touched))


def joined(before: Prepared, fresh: Prepared, changed: AbstractSet[str]) -> tuple[Prepared, set[int]]:
    """Yesterday's records without the changed ones, then the fresh ones; and rows that have to be linked anew.

    Of true repeats only the first was compared. Where it changed, the next one that says the same takes its place.
    """
    stay = np.array([record not in changed for record in before.ids], dtype=bool)
    stands = before.stands_for
    moved = np.cumsum(stay) - 1
    heirs: dict[int, int] = {}
    if changed:
        stands = stands.copy()
        for place in np.flatnonzero(stay & ~stay[stands]).tolist():
            stands[place] = heirs.setdefault(int(stands[place]), place)
    kept = int(stay.sum())
    ready = Prepared(
        [record for record, stays in zip(before.ids, stay.tolist(), strict=True) if stays] + fresh.ids,
        pa.concat_tables(
            [before.rows if kept == len(before) else before.rows.filter(pa.array(stay)), fresh.rows]
        ),
        [s for s, stays in zip(before.strong, stay.tolist(), strict=True) if stays] + fresh.strong,
        np.concatenate([moved[stands[stay]], fresh.stands_for + kept]).astype(np.int64),
        before.junk,
    )
    return ready, {int(moved[place]) for place in heirs.values()}


def _new_links(ready: Prepared, places: set[int], model: Model, backend: Backend, least: float) -> list[Link]:
    """Links of the records at these rows to all others and among themselves."""
    from splink import Linker

    rows = distinct(ready)
    is_new = pc.is_in(rows["unique_id"], value_set=pa.array(sorted(places), pa.int64()))
    new, old = rows.filter(is_new), rows.filter(pc.invert(is_new))
    rules = fitting_rules(model.rules, new)
    if not len(new) or not rules:
        return []
    engine = backend()
    with asking():
        engine.register(rows, table_name="everybody")
        left = engine.register(new, table_name="fresh_people")
        linker = Linker(left, model.settings(rules), log_level=None, validate_settings=False)
        for column in model.frequencies():
            linker.table_management.register_term_frequency_lookup(_frequency(engine, column), column)
        least_weight: dict[str, Any] = {"threshold_match_weight": least, "warning_mode": "never"}
        scored = [linker.inference.predict_within(left, **least_weight)]
        if len(old):
            right = engine.register(old, table_name="known_people")
            scored.append(linker.inference.predict_between(left, right, **least_weight))
    return [k for pairs in scored for k in links_of(pairs, ready.ids)]


def _frequency(engine: Any, column: str) -> Any:
    """How frequent the values of the fresh records are among all; others can be equal to none of them."""
    return engine.query_sql(
        f'SELECT "{column}", count(*) / (SELECT count("{column}") FROM everybody)::DOUBLE AS "tf_{column}" '
        f'FROM everybody WHERE "{column}" IN (SELECT "{column}" FROM fresh_people) GROUP BY "{column}"'
    )


def _named(now: dict[str, str], before: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Persons under the ids they had, and which ids were merged into which.

    A person keeps the id under which most of its records were known, the smallest where several had as many; one id
    goes to the part that holds most of it.
    """
    parts: dict[str, list[str]] = {}
    for record, person in now.items():
        parts.setdefault(person, []).append(record)
    claims: list[tuple[int, str, str]] = []
    for part, records in parts.items():
        olds = Counter(before[record] for record in records if record in before)
        claims += [(-count, old, part) for old, count in olds.items()]
    name_of: dict[str, str] = {}
    given: set[str] = set()
    for _, old, part in sorted(claims):
        if part not in name_of and old not in given:
            name_of[part] = old
            given.add(old)
    became = {old: name_of[part] for _, old, part in sorted(claims, reverse=True) if old not in given}
    taken = given | set(before.values())
    for part in sorted(parts.keys() - name_of.keys()):
        free = next((record for record in sorted(parts[part]) if record not in taken), f"{part}+{len(taken)}")
        name_of[part] = free
        taken.add(free)
    return {record: name_of[part] for part, records in parts.items() for record in records}, became
