"""Training without labels: u by counting, m by expectation maximisation, the prior from both.

- *u*, how alike strangers are, is counted: for equal values over all records by grouping, for the other levels over
  all pairs of a sample. Pairs that agree in two or more *other* things are probably one person and left out.
- *m*, how alike the records of one person are, comes from expectation maximisation, once for each of
  several ways to block; a comparison learns from the ways that do not block on it.
- The *prior* follows from how many matches each way found and how many it must have missed.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.resolve.linkage.blocking import Rule, choose_rules, pairs_of, rule_sql
from shopkeeper.resolve.linkage.engine import Backend, asking
from shopkeeper.resolve.linkage.expectation import maximise
from shopkeeper.resolve.linkage.levels import BY_NAME, COMPARISONS, Comparison
from shopkeeper.resolve.linkage.model import Model, Trained
from shopkeeper.resolve.linkage.prepare import Prepared

SAMPLE = 1_400
"""Records in the sample for u: a million pairs."""
EM_PAIRS = 400_000
"""Pairs that one way of blocking trains on."""
_WAYS: tuple[Rule, ...] = (
    ("reference",), ("birthday",), ("given", "last_name"), ("given", "email"), ("given", "phone"),
    ("given", "postcode"), ("given", "address"),
)  # fmt: skip
"""Ways of blocking that hold persons and strangers. Equal addresses alone hold families, too: what they have in common
would be learned as if it were one person's, and that their first names differ as if people changed them."""
_OTHERWISE: tuple[Rule, ...] = (("email",), ("phone",))
"""Ways for what none of the others could teach (the first name, where no days of birth are known)."""
_TELLING = frozenset({"first name", "last name", "birthday", "e-mail", "telephone", "street", "reference"})
_FILLED = 0.01
"""A comparison is used where so large a part of the records knows its first column."""
_LEAST_WAY = 50
_STAYS = 1e-4
_ODDS = 4.0
"""Where a level never occurs among matches or strangers, it is taken to occur this fraction of once."""


def distinct(ready: Prepared) -> pa.Table:
    """The rows that stand for themselves, with their row number as ``unique_id``."""
    own = np.flatnonzero(ready.stands_for == np.arange(len(ready)))
    rows = ready.rows.take(pa.array(own, pa.int64())) if len(own) < len(ready) else ready.rows
    return rows.append_column("unique_id", pa.array(own, pa.int64()))


def train(ready: Prepared, backend: Backend, *, seed: int = 1) -> Model:
    """Learn a model from records themselves; the same records and seed give the same model.

    ``backend`` opens an engine. Raises InvalidInput where there are fewer than ten records or nothing to
    compare, StoreFailure where the engine fails.
    """
    rows = distinct(ready)
    used = tuple(c for c in COMPARISONS if _share_known(rows, c) >= _FILLED)
    if len(rows) < 10 or not used:
        raise InvalidInput(
            f"{len(rows):,} distinct records with {len(used)} kinds of information cannot train a model",
            hint="Give at least ten records with names, days of birth or addresses",
        )
    engine = backend()
    with asking():
        engine.register(rows, table_name="people")
        u = count_u(engine, rows, used, seed=seed)
        start = tuple(Trained(c.name, _start(c), u[c.name]) for c in used)
        m, found = _maximise(engine, rows, start)
    rules = choose_rules(rows)
    trained = tuple(Trained(t.name, m.get(t.name, t.m), t.u) for t in start)
    return Model(trained, rules, _prior(rows, trained, found), len(rows), seed)


def _share_known(rows: pa.Table, comparison: Comparison) -> float:
    return 1 - min(int(rows[column].null_count) for column in comparison.columns) / max(1, len(rows))


def _start(comparison: Comparison) -> tuple[float, ...]:
    n = len(comparison.levels)
    return (0.9, *([0.1 / n] * n))


def count_u(
    engine: Any, rows: pa.Table, used: tuple[Comparison, ...], *, seed: int
) -> dict[str, tuple[float, ...]]:
    """For each comparison the probabilities of its levels between strangers."""
    graded = ", ".join(f'{_graded(c)} AS "{c.name}"' for c in used)
    sides = ", ".join(f'{s}."{c}" AS "{c}_{s}"' for c in rows.column_names for s in "lr" if c != "unique_id")
    agree = " + ".join(f'("{c.name}" = 0)::INT' for c in used if c.name in _TELLING) or "0"
    sums = ", ".join(
        f'count(*) FILTER (WHERE "{c.name}" = {k} AND agree - '
        f'{f"""("{c.name}" = 0)::INT""" if c.name in _TELLING else "0"} < 2) AS "{c.name}:{k}"'
        for c in used
        for k in range(len(c.levels) + 1)
    )
    shuffled = f"hash(unique_id + {int(seed) * 1_000_003})"
    counts = engine.query_sql(
        f"WITH picked AS MATERIALIZED (SELECT * FROM people ORDER BY {shuffled} LIMIT {SAMPLE}), "
        f"paired AS (SELECT {sides} FROM picked l JOIN picked r ON l.unique_id < r.unique_id), "
        f"graded AS (SELECT {graded} FROM paired), agreeing AS (SELECT *, {agree} AS agree FROM graded) "
        f"SELECT {sums} FROM agreeing"
    ).as_dict()
    return {
        c.name: _u_of(c, [counts[f"{c.name}:{k}"][0] for k in range(len(c.levels) + 1)], rows) for c in used
    }


def _u_of(comparison: Comparison, counts: list[int], rows: pa.Table) -> tuple[float, ...]:
    total = sum(counts)
    if not total:
        return tuple(1 / len(counts) for _ in counts)
    u = [max(count, 1 / _ODDS) / (total + 1) for count in counts]
    for k, level in enumerate(comparison.levels):
        if level.frequency and k == 0 and counts[0] < 20 and len(rows) > SAMPLE:
            u[0] = max(_chance_equal(rows, level.frequency), 1e-12)
    whole = sum(u)
    return tuple(_rounded(x / whole) for x in u)


def _chance_equal(rows: pa.Table, column: str) -> float:
    """The probability that two records that know a column are equal in it."""
    known = rows[column].drop_null()
    sizes = known.value_counts().field("counts").to_numpy().astype(float)
    n = len(known)
    return float((sizes * (sizes - 1)).sum() / (n * (n - 1))) if n > 1 else 0.0


def _maximise(
    engine: Any, rows: pa.Table, start: tuple[Trained, ...]
) -> tuple[dict[str, tuple[float, ...]], dict[Rule, float]]:
    """M per comparison, and per way of blocking the number of matches it held."""
    learned: dict[str, list[tuple[float, ...]]] = {}
    found: dict[Rule, float] = {}
    for way in (*_WAYS, *_OTHERWISE):
        teaches = [t for t in start if not set(BY_NAME[t.name].columns) & set(way)]
        if way in _OTHERWISE:
            teaches = [t for t in teaches if t.name not in learned] and teaches
        pairs = 0 if any(rows[column].null_count == len(rows) for column in way) else pairs_of(rows, way)
        if pairs < _LEAST_WAY or not teaches:
            continue
        vectors, counts = _vectors(engine, way, [BY_NAME[t.name] for t in teaches], pairs)
        share, m = maximise(vectors, counts, [t.m for t in teaches], [t.u for t in teaches])
        found[way] = pairs * share
        missing = (
            {t.name for t in teaches} - learned.keys() if way in _OTHERWISE else {t.name for t in teaches}
        )
        for one, levels, told in zip(teaches, m, vectors.T, strict=True):
            if one.name in missing and (told >= 0).any():
                learned.setdefault(one.name, []).append(levels)
    return {name: _middle(ways) for name, ways in learned.items()}, found


def _vectors(
    engine: Any, way: Rule, comparisons: list[Comparison], pairs: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Comparison vectors of the pairs that a way holds, and how many pairs have each.

    Of too many pairs, those of a part of the records are taken, picked by the hash of their number.
    """
    picked = ""
    if pairs > EM_PAIRS:
        part = int(math.sqrt(EM_PAIRS / pairs) * 1_000_000)
        picked = f" WHERE hash(unique_id) % 1000000 < {part}"
    columns = dict.fromkeys((*way, *(column for c in comparisons for column in c.columns)))
    kept = ", ".join(f'"{column}"' for column in columns)
    graded = ", ".join(f"{_graded(c)} AS c{k}" for k, c in enumerate(comparisons))
    sides = ", ".join(f'{s}."{c}" AS "{c}_{s}"' for c in columns for s in "lr")
    levels = ", ".join(f"c{k}" for k in range(len(comparisons)))
    counted = engine.query_sql(
        f"WITH part AS (SELECT unique_id, {kept} FROM people{picked}), "
        f"paired AS (SELECT {sides} FROM part l JOIN part r ON {rule_sql(way)} AND l.unique_id < r.unique_id) "
        f"SELECT {levels}, count(*)::DOUBLE AS n FROM (SELECT {graded} FROM paired) GROUP BY ALL ORDER BY ALL"
    ).as_pyarrow_table()
    n = counted["n"].to_numpy()
    if not len(n):
        return np.full((1, len(comparisons)), -1, np.int64), np.ones(1)
    return np.stack([counted[f"c{k}"].to_numpy() for k in range(len(comparisons))], axis=1).astype(
        np.int64
    ), n


def _graded(comparison: Comparison) -> str:
    """The level of a comparison in SQL, -1 where it says nothing."""
    levels = " ".join(f"WHEN {level.sql} THEN {k}" for k, level in enumerate(comparison.levels))
    return f"CASE WHEN {comparison.unknown.sql} THEN -1 {levels} ELSE {len(comparison.levels)} END"


def _middle(ways: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The median over ways of blocking, level by level, so that one odd way does not decide."""
    middle = [max(median(of), _STAYS) for of in zip(*ways, strict=True)]
    return tuple(_rounded(x / sum(middle)) for x in middle)


def _rounded(x: float) -> float:
    """Six digits: sums over threads differ in the fifteenth, and the model must not."""
    return float(f"{x:.6g}")


def _prior(rows: pa.Table, trained: tuple[Trained, ...], found: dict[Rule, float]) -> float:
    """The chance that two records are one person: matches found, over the part that the way can find, over all."""
    n = len(rows)
    exact = {
        c.levels[0].frequency: t.m[0] for t in trained for c in [BY_NAME[t.name]] if c.levels[0].frequency
    }
    exact["given"] = sum(next((t.m[:2] for t in trained if t.name == "first name"), (0.9,)))
    estimates = []
    for way, matches in found.items():
        recall = 1.0
        for column in way:
            known = 1 - rows[column].null_count / n
            recall *= exact.get(column, 0.9) * known * known
        if recall > 0.01:
            estimates.append(matches / recall)
    expected = median(estimates) if estimates else n / 10
    return _rounded(min(0.5, max(expected, 1.0) / (n * (n - 1) / 2)))
