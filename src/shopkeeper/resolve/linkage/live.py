"""Score one record against all others while somebody waits, by the weights of the batch model.

Everything is in memory: records as tuples, and for each blocking rule a sorted array of hashed keys. A record's
candidates are found by binary search and compared by ``levels`` in Python, which mean the same as the model's SQL.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from shopkeeper.domain.errors import NotFound
from shopkeeper.resolve.linkage.blocking import Rule
from shopkeeper.resolve.linkage.levels import Row
from shopkeeper.resolve.linkage.link import guard_of
from shopkeeper.resolve.linkage.model import Model
from shopkeeper.resolve.linkage.prepare import FIELDS, Prepared
from shopkeeper.resolve.linkage.union import conflict
from shopkeeper.resolve.linkage.weighing import AT, Bar, Weights, facts_of, row_at, rows_of, whole

BLOCK = 80
"""A rule whose key so many records share is passed over for this record: the others tell more."""
CANDIDATES = 240
"""Candidates that are compared at most, those of the rarest keys first."""


class Candidate(Struct, frozen=True):
    """A record that may be the same person.

    Attributes:
        id: of the record.
        weight: bits of evidence, prior included; 0 is a chance of one half. Splink's match_weight.
        bars: the waterfall: the prior, then one bar per comparison; they sum up to the weight.
        strong: kinds of strong identifiers that are equal.
        against: why a guarded union would keep the two apart, or None.
    """

    id: str
    weight: float
    bars: tuple[Bar, ...]
    strong: tuple[str, ...] = ()
    against: str | None = None

    @property
    def probability(self) -> float:
        """The chance that the two are one person, by the model."""
        return 1.0 / (1.0 + math.pow(2.0, -min(max(self.weight, -60.0), 60.0)))


class LiveIndex:
    """Records in memory against which single ones are scored.

    Memory: about 1 GB for a million records. Not safe for writing from several threads.

    >>> from shopkeeper.resolve.keys import Keys
    >>> from shopkeeper.resolve.linkage import Model, Person, Trained, people_table, prepare
    >>> model = Model((Trained("first name", (.9, .02, .02, .02, .02, .02), (.01, .01, .01, .01, .01, .95)),),
    ...               (("last_name",),), 0.01, 100, 1)
    >>> known = [Person(id=name, first_name=name, last_name="Lee") for name in ("Robert", "Tim")]
    >>> index = LiveIndex(prepare(people_table(known), Keys()), model)
    >>> someone = prepare(people_table([Person(id="?", first_name="Bob", last_name="Lee")]), Keys())
    >>> best = index.candidates(someone)[0]
    >>> best.id, [(bar.name, bar.label) for bar in best.bars]
    ('Robert', [('prior', 'two records at random'), ('first name', 'a form of the same name')])
    """

    def __init__(self, ready: Prepared, model: Model) -> None:
        self.model = model
        self._guard = guard_of(model)
        self._ids = list(ready.ids)
        self._rows: list[Row] = rows_of(ready)
        self._strong = list(ready.strong)
        self._at = {record: place for place, record in enumerate(self._ids)}
        own = ready.stands_for == np.arange(len(ready))
        rows = ready.rows.filter(pa.array(own)) if not own.all() else ready.rows
        self._places = np.flatnonzero(own)
        self._frequencies = {column: _frequencies(rows[column]) for column in model.frequencies()}
        self._single: dict[str, float] = {
            c: 1 / max(1, len(rows) - rows[c].null_count) for c in self._frequencies
        }
        self._weights = Weights(model, self._share)
        self._keys = [_Keyed(rule, rows) for rule in model.rules]
        self._later: list[dict[int, list[int]]] = [defaultdict(list) for _ in model.rules]
        self._holders: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, strong in enumerate(self._strong):
            for pair in strong.items():
                self._holders[pair].append(place)

    def __len__(self) -> int:
        return len(self._at)

    @property
    def ids(self) -> list[str]:
        """The records that it knows."""
        return list(self._at)

    def add(self, ready: Prepared) -> None:
        """Take in some more records; one under a known id takes its place. How frequent values are stays as it was."""
        for place, record in enumerate(ready.ids):
            self.remove(record)
            row = row_at(ready.rows, place)
            at = len(self._ids)
            self._ids.append(record)
            self._rows.append(row)
            self._strong.append(ready.strong[place])
            self._at[record] = at
            for rule, later in zip(self.model.rules, self._later, strict=True):
                if (key := _key(row, rule)) is not None:
                    later[key].append(at)
            for pair in ready.strong[place].items():
                self._holders[pair].append(at)

    def remove(self, record: str) -> None:
        """Forget a record: it is compared with nobody any more, and none of its values is kept that it alone has."""
        at = self._at.pop(record, None)
        if at is not None:
            self._rows[at] = (None,) * len(FIELDS)
            self._strong[at] = {}
            self._ids[at] = ""

    def candidates(self, ready: Prepared, *, best: int = 5, place: int = 0) -> list[Candidate]:
        """The ``best`` records for the one at ``place`` of ``ready``, those with equal strong identifiers first."""
        row, strong, own = row_at(ready.rows, place), ready.strong[place], ready.ids[place]
        scored = []
        for at in self._near(row, strong):
            if self._ids[at] in ("", own):
                continue
            equal = (
                sum(1 for pair in strong.items() if self._strong[at].get(pair[0]) == pair[1]) if strong else 0
            )
            scored.append((-equal, -self._weights.weight(row, self._rows[at]), self._ids[at], at))
        return [self._candidate(row, strong, at) for _, _, _, at in heapq.nsmallest(best, scored)]

    def waterfall(self, a: str, b: str) -> Candidate:
        """How the evidence on two known records adds up. Raises NotFound where one is not known."""
        for record in (a, b):
            if record not in self._at:
                raise NotFound(
                    "no such record among those that linkage knows", hint="Give ids of two known records"
                )
        return self._candidate(self._rows[self._at[a]], self._strong[self._at[a]], self._at[b])

    def _near(self, row: Row, strong: dict[str, str]) -> list[int]:
        """Records that share a key with this one, of the rarest keys first."""
        blocks: list[tuple[int, list[int]]] = []
        for rule, keyed, later in zip(self.model.rules, self._keys, self._later, strict=True):
            key = _key(row, rule)
            if key is None:
                continue
            low, high = keyed.between(key)
            size = high - low
            if size <= BLOCK:
                found = self._places[keyed.order[low:high]].tolist()
                if more := later.get(key):
                    found += more[-BLOCK:]
                blocks.append((len(found), found))
        near: dict[int, None] = {}
        for pair in strong.items():
            near.update(dict.fromkeys(self._holders.get(pair, ())[:BLOCK]))
        for _, found in sorted(blocks):
            near.update(dict.fromkeys(found))
            if len(near) >= CANDIDATES:
                break
        return list(near)[:CANDIDATES]

    def _share(self, column: str, value: str) -> float | None:
        return self._frequencies[column].get(value, self._single[column])

    def _candidate(self, a: Row, strong: dict[str, str], at: int) -> Candidate:
        b = self._rows[at]
        bars = self._weights.bars(a, b)
        equal = tuple(kind for kind, value in strong.items() if self._strong[at].get(kind) == value)
        against = conflict(facts_of(a, strong), facts_of(b, self._strong[at]), self._guard)
        return Candidate(self._ids[at], whole(bars), bars, equal, against)


def _frequencies(column: pa.ChunkedArray) -> dict[str, float]:
    """The share among the known ones of each value that several have: no value outlives the only record with it."""
    counts = column.drop_null().value_counts()
    n = max(1, len(column) - column.null_count)
    values, sizes = counts.field("values").to_pylist(), counts.field("counts").to_pylist()
    return {value: size / n for value, size in zip(values, sizes, strict=True) if size > 1}


def _key(row: Row, rule: Rule) -> int | None:
    """The hashed key of a record under a rule; None where it lacks a part."""
    parts = []
    for part in rule:
        column, _, letters = part.partition(":")
        value = row[AT[column]]
        if value is None:
            return None
        parts.append(value[: int(letters)] if letters else value)
    return hash("\x1f".join(parts))


class _Keyed:
    """The rows of a table sorted by the hash of their key under one rule."""

    __slots__ = ("hashes", "order")

    def __init__(self, rule: Rule, rows: pa.Table) -> None:
        parts = []
        for part in rule:
            column, _, letters = part.partition(":")
            parts.append(pc.utf8_slice_codeunits(rows[column], 0, int(letters)) if letters else rows[column])
        keys = pc.binary_join_element_wise(*parts, "\x1f") if len(parts) > 1 else parts[0]
        known = np.flatnonzero(np.asarray(pc.is_valid(keys)))
        hashes = np.fromiter(map(hash, keys.drop_null().to_pylist()), np.int64, len(known))
        order = np.argsort(hashes, kind="stable")
        self.hashes, self.order = hashes[order], known[order].astype(np.int32)

    def between(self, key: int) -> tuple[int, int]:
        """Where the rows with that key begin and end in ``order``."""
        return int(np.searchsorted(self.hashes, key, "left")), int(np.searchsorted(self.hashes, key, "right"))
