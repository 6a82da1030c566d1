"""Records made comparable: one spelling per value, junk taken out, true repeats folded into one row.

Work is done once per distinct value, not once per row. What counts as junk is learned from all records at once: a
value that people with many different family names share identifies none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from shopkeeper.resolve.linkage import spelling
from shopkeeper.resolve.linkage.nicknames import usual
from shopkeeper.resolve.linkage.person import checked

Canonical = Callable[[str, str], str | None]
"""Kind ("email", "phone", ...) and value to the one spelling of it, or None for junk: ``resolve.keys.Keys``."""

FIELDS = (
    "first_name", "given", "last_name", "sound", "birthday", "email", "mailbox", "phone", "street", "house", "address",
    "city", "postcode", "state", "gender", "reference",
)  # fmt: skip
"""Columns of a prepared record that are compared or blocked on, all text or null."""

SURNAMES = 6
"""From so many distinct family names on (by sound), an e-mail address, telephone or other number names nobody."""
_SHARED = ("email", "phone", "reference")
_IDENTIFY = ("email", "phone", "reference")


class JunkValues(Struct, frozen=True):
    """Values per column that identify nobody. Personal: keep it in memory, never on disk in the clear."""

    values: dict[str, frozenset[str]]

    def counts(self) -> dict[str, int]:
        """How many values per column: fit to be shown.

        >>> JunkValues({"email": frozenset({"desk@shop.example"})}).counts()
        {'email': 1}
        """
        return {column: len(values) for column, values in self.values.items()}


class Prepared(Struct, frozen=True):
    """Records ready to be linked.

    Attributes:
        ids: the record ids, n of them.
        rows: n rows of ``FIELDS`` as an Arrow table.
        strong: n entries, each the record's strong identifiers by kind.
        stands_for: n row numbers: the first row of which this one is a true repeat, or its own number.
        junk: values that were taken out because many share them; hand them in when new records are prepared.
    """

    ids: list[str]
    rows: pa.Table
    strong: list[dict[str, str]]
    stands_for: np.ndarray[tuple[int], np.dtype[np.int64]]
    junk: JunkValues

    def __len__(self) -> int:
        return len(self.ids)


def spelled(people: pa.Table, canonical: Canonical) -> tuple[list[str], pa.Table, list[dict[str, str]]]:
    """Ids, ``FIELDS`` and strong identifiers of a table of persons (see ``person.SCHEMA``), each in one spelling."""
    table = checked(people).sort_by("id")  # whatever order rows come in, they are numbered alike
    first = _each(table["first_name"], spelling.name)
    last = _each(table["last_name"], spelling.name)
    email = _each(table["email"], lambda v: canonical("email", v))
    places = table["street"].combine_chunks().dictionary_encode()
    read = [spelling.street(v) for v in places.dictionary.to_pylist()]
    columns = {
        "first_name": first,
        "given": _each(first, _given),
        "last_name": last,
        "sound": _each(last, spelling.sound),
        "birthday": _each(table["birthday"], spelling.day),
        "email": email,
        "mailbox": _each(email, _mailbox),
        "phone": _each(table["phone"], lambda v: canonical("phone", v)),
        "street": _spread([s for _, s in read], places.indices),
        "house": _spread([h for h, _ in read], places.indices),
        "address": _spread([f"{h} {s}" if h and s else None for h, s in read], places.indices),
        "city": _each(table["city"], spelling.place),
        "postcode": _each(table["postcode"], spelling.code),
        "state": _each(table["state"], spelling.place),
        "gender": _each(table["gender"], _gender),
        "reference": _each(table["reference"], spelling.code),
    }
    rows = pa.table({name: columns[name] for name in FIELDS})
    return cast("list[str]", table["id"].to_pylist()), rows, _strong(table["strong"], canonical)


def _each(column: pa.ChunkedArray | pa.Array, read: Callable[[str], str | None]) -> pa.Array:
    """A column with each distinct value read once."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = whole.dictionary_encode()
    return _spread([None if v is None else read(v) for v in coded.dictionary.to_pylist()], coded.indices)


def _spread(values: list[str | None], indices: pa.Array) -> pa.Array:
    if not values:
        return pa.nulls(len(indices), pa.string())
    return pa.array(values, pa.string()).take(indices)


def _given(first: str) -> str:
    return usual(first.partition(" ")[0])


def _mailbox(address: str) -> str:
    return address.rpartition("@")[0]


def _gender(text: str) -> str | None:
    return {"m": "m", "f": "f", "w": "f"}.get(text.strip()[:1].casefold())


def _strong(column: pa.ChunkedArray, canonical: Canonical) -> list[dict[str, str]]:
    if column.null_count == len(column):
        return [{}] * len(column)
    nothing: dict[str, str] = {}
    found = []
    for pairs in column.to_pylist():
        if not pairs:
            found.append(nothing)
            continue
        kept = ((kind, canonical(kind, value)) for kind, value in pairs if value)
        found.append({kind: value for kind, value in kept if value})
    return found


def learn_junk(rows: pa.Table, strong: list[dict[str, str]], *, surnames: int = SURNAMES) -> JunkValues:
    """Values that people with at least ``surnames`` distinct family names share, per column and strong kind.

    A day of birth is junk where ten times as many names share it as share half of the days: forms that insist on a
    day get 1 January.

    >>> rows = pa.table({"email": ["x@shop.example"] * 7, "sound": list("abcdefg")})
    >>> learn_junk(rows, []).values
    {'email': frozenset({'x@shop.example'})}
    """
    found: dict[str, frozenset[str]] = {}
    for column in _SHARED:
        if column in rows.column_names:
            found[column] = _many(rows.select([column, "sound"]), column, surnames)
    if "birthday" in rows.column_names:
        counts = _holders(rows.select(["birthday", "sound"]), "birthday")
        usual = float(np.median(counts["sound_count_distinct"].to_numpy())) if len(counts) else 0.0
        found["birthday"] = _from(counts, "birthday", max(surnames, 10.0 * usual))
    sounds = rows["sound"].to_pylist() if strong else []
    pairs = [(f"{kind}={value}", sounds[i]) for i, ids in enumerate(strong) for kind, value in ids.items()]
    if pairs:
        held = pa.table(
            {"strong": [p for p, _ in pairs], "sound": pa.array([s for _, s in pairs], pa.string())}
        )
        found["strong"] = _many(held, "strong", surnames)
    return JunkValues({column: values for column, values in found.items() if values})


def _many(table: pa.Table, column: str, surnames: int) -> frozenset[str]:
    return _from(_holders(table, column), column, surnames)


def _holders(table: pa.Table, column: str) -> pa.Table:
    """For each value with how many distinct family names it occurs."""
    known = table.filter(pc.and_(pc.is_valid(table[column]), pc.is_valid(table["sound"])))
    return known.group_by(column).aggregate([("sound", "count_distinct")])


def _from(counts: pa.Table, column: str, least: float) -> frozenset[str]:
    return frozenset(
        counts.filter(pc.greater_equal(counts["sound_count_distinct"], least))[column].to_pylist()
    )


def prepare(people: pa.Table, canonical: Canonical, *, junk: JunkValues | None = None) -> Prepared:
    """Make a table of persons (``person.SCHEMA``, one row a record) comparable.

    ``canonical`` spells e-mail addresses, telephone numbers and strong identifiers (``resolve.keys.Keys``). ``junk``
    is ``Prepared.junk`` of the records known, for a few new ones; without it, it is learned from these.

    >>> from shopkeeper.resolve.keys import Keys
    >>> from shopkeeper.resolve.linkage import Person, people_table
    >>> ready = prepare(people_table([Person(id="1", first_name="Liz"), Person(id="2", email="Ann@b.example")]), Keys())
    >>> ready.rows["given"].to_pylist(), ready.rows["email"].to_pylist()
    (['elizabeth', None], [None, 'ann@b.example'])
    """
    ids, rows, strong = spelled(people, canonical)
    learned = learn_junk(rows, strong) if junk is None else junk
    for column, values in learned.values.items():
        if column == "strong":
            strong = [{k: v for k, v in s.items() if f"{k}={v}" not in values} for s in strong]
            continue
        bad = pc.is_in(rows[column], value_set=pa.array(sorted(values), pa.string()))
        for of in (column, "mailbox") if column == "email" else (column,):
            cleaned = pc.if_else(bad, pa.scalar(None, pa.string()), rows[of])
            rows = rows.set_column(rows.schema.get_field_index(of), of, cleaned)
    return Prepared(ids, rows, strong, _repeats(rows, strong), learned)


def _repeats(rows: pa.Table, strong: list[dict[str, str]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each row the first one that says exactly the same, among rows that say who it is.

    A row says who it is by a name together with an e-mail address, telephone, reference, strong identifier or a day
    of birth and street. Rows with less are alike because they say little, not because they are one person.
    """
    n = len(rows)
    own = np.arange(n, dtype=np.int64)
    if not n:
        return own
    named = _known(rows, "first_name") & _known(rows, "last_name")
    held = np.array([bool(s) for s in strong], dtype=bool)
    for column in _IDENTIFY:
        held |= _known(rows, column)
    held |= _known(rows, "birthday") & _known(rows, "street")
    picked = np.flatnonzero(named & held)
    if not len(picked):
        return own
    told = rows.take(pa.array(picked))
    told = told.append_column("_strong", pa.array([_joined(strong[i]) for i in picked], pa.string()))
    told = told.append_column("_row", pa.array(picked))
    keys = [c for c in told.column_names if c not in {"_row", "given", "sound", "mailbox"}]
    firsts = told.select([*keys, "_row"]).group_by(keys).aggregate([("_row", "min"), ("_row", "list")])
    lists = firsts["_row_list"].combine_chunks()
    sizes = pc.list_value_length(lists).to_numpy()
    own[lists.flatten().to_numpy()] = np.repeat(firsts["_row_min"].to_numpy(), sizes)
    return own


def _known(rows: pa.Table, column: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(pc.is_valid(rows[column]))


def _joined(strong: dict[str, str]) -> str:
    return "\x1f".join(f"{k}={v}" for k, v in sorted(strong.items()))
