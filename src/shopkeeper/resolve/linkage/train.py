"""Training without labels: u by counting, m by expectation maximisation, the prior from both.

- *u*, how alike strangers are, is counted: for equal values over all records by grouping, for the other levels over
  all pairs of a sample. Pairs that agree in two or more *other* things are probably one person and left out.
- *m*, how alike the records of one person are, comes from Splink's expectation maximisation (Dempster, Laird and
  Rubin, 1977), once for each of several ways to block; a comparison learns from the ways that do not block on it.
- The *prior* follows from how many matches each way found and how many it must have missed.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import pyarrow as pa

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.resolve.linkage.blocking import Rule, choose_rules, pairs_of, rule_sql
from shopkeeper.resolve.linkage.levels import BY_NAME, COMPARISONS, Comparison
from shopkeeper.resolve.linkage.model import Model, Trained, settings
from shopkeeper.resolve.linkage.prepare import Prepared

Backend = Callable[[], Any]
"""Opens an engine as Splink wants it (``stores.lake.linkage.splink_backend``)."""

SAMPLE = 2_000
"""Records in the sample for u: two million pairs."""
EM_PAIRS = 400_000
"""Pairs that one way of blocking trains on."""
_WAYS: tuple[Rule, ...] = (
    ("email",), ("phone",), ("reference",), ("given", "last_name"), ("birthday",), ("postcode", "given"),
    ("address",),
)  # fmt: skip
_TELLING = frozenset({"first name", "last name", "birthday", "e-mail", "telephone", "street", "reference"})
_FILLED = 0.01
"""A comparison is used where so large a part of the records knows its first column."""
_LEAST_WAY = 50
_STAYS = 1e-4
_ODDS = 4.0
"""Where a level never occurs among matches or strangers, it is taken to occur this fraction of once."""


@contextmanager
def quiet() -> Iterator[None]:
    """Splink warns of each level that never occurs; that is dealt with here."""
    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def distinct(ready: Prepared) -> pa.Table:
    """The rows that stand for themselves, with their row number as ``unique_id``."""
    own = [place for place, stands in enumerate(ready.stands_for.tolist()) if place == stands]
    rows = ready.rows.take(pa.array(own, pa.int64())) if len(own) < len(ready) else ready.rows
    return rows.append_column("unique_id", pa.array(own, pa.int64()))


def train(ready: Prepared, backend: Backend, *, seed: int = 1) -> Model:
    """Learn a model from records themselves; the same records and seed give the same model.

    ``backend`` opens an engine. Raises InvalidInput where there are fewer than ten records or nothing to compare.
    """
    rows = distinct(ready)
    used = tuple(c for c in COMPARISONS if _share_known(rows, c) >= _FILLED)
    if len(rows) < 10 or not used:
        raise InvalidInput(
            f"{len(rows):,} distinct records with {len(used)} kinds of information cannot train a model",
            hint="Give at least ten records with names, days of birth or addresses",
        )
    engine = backend()
    table = engine.register(rows, table_name="people")
    u = count_u(engine, rows, used, seed=seed)
    rules = choose_rules(rows)
    start = tuple(Trained(c.name, _start(c), u[c.name]) for c in used)
    m, found = _maximise(table, rows, start, rules)
    trained = tuple(Trained(t.name, m.get(t.name, t.m), t.u) for t in start)
    return Model(trained, rules, _prior(rows, trained, found), len(rows), seed)


def _share_known(rows: pa.Table, comparison: Comparison) -> float:
    return max(1 - rows[column].null_count / max(1, len(rows)) for column in comparison.columns)


def _start(comparison: Comparison) -> tuple[float, ...]:
    n = len(comparison.levels)
    return (0.9, *([0.1 / n] * n))


def count_u(
    engine: Any, rows: pa.Table, used: tuple[Comparison, ...], *, seed: int
) -> dict[str, tuple[float, ...]]:
    """For each comparison the probabilities of its levels between strangers."""
    graded = ", ".join(
        f"CASE WHEN {c.unknown.sql} THEN -1 "
        + " ".join(f"WHEN {level.sql} THEN {k}" for k, level in enumerate(c.levels))
        + f' ELSE {len(c.levels)} END AS "{c.name}"'
        for c in used
    )
    sides = ", ".join(f'{s}."{c}" AS "{c}_{s}"' for c in rows.column_names for s in "lr" if c != "unique_id")
    agree = " + ".join(f'("{c.name}" = 0)::INT' for c in used if c.name in _TELLING) or "0"
    sums = ", ".join(
        f'count(*) FILTER (WHERE "{c.name}" = {k} AND agree - '
        f'{f"""("{c.name}" = 0)::INT""" if c.name in _TELLING else "0"} < 2) AS "{c.name}:{k}"'
        for c in used
        for k in range(len(c.levels) + 1)
    )
    counts = engine.query_sql(
        f"WITH picked AS MATERIALIZED (SELECT * FROM people ORDER BY hash(unique_id + {int(seed) * 1_000_003}) LIMIT {SAMPLE}), "
        f"paired AS (SELECT {sides} FROM picked l JOIN picked r ON l.unique_id < r.unique_id), "
        f"graded AS (SELECT {graded} FROM paired), agreeing AS (SELECT *, {agree} AS agree FROM graded) "
        f"SELECT {sums} FROM agreeing"
    ).as_dict()
    return {c.name: _u_of(c, [counts[f"{c.name}:{k}"][0] for k in range(len(c.levels) + 1)], rows) for c in used}


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
    table: Any, rows: pa.Table, start: tuple[Trained, ...], rules: tuple[Rule, ...]
) -> tuple[dict[str, tuple[float, ...]], dict[Rule, float]]:
    """m per comparison, and per way of blocking the number of matches it held."""
    from splink import Linker

    linker = Linker(
        table, settings(start, rules, prior=1e-4, frequencies=False), log_level=None, validate_settings=False
    )
    learned: dict[str, list[tuple[float, ...]]] = {}
    found: dict[Rule, float] = {}
    for way in _WAYS:
        if any(rows[column].null_count == len(rows) for column in way):
            continue
        pairs = pairs_of(rows, way)
        if pairs < _LEAST_WAY:
            continue
        with quiet():
            session = linker.training.estimate_parameters_using_expectation_maximisation(
                rule_sql(way),
                estimate_without_term_frequencies=True,
                max_pairs=EM_PAIRS if pairs > EM_PAIRS else None,
            )
        core = session.core_model_settings
        found[way] = pairs * core.probability_two_random_records_match
        for comparison in core.comparisons:
            name = _name_of(comparison.output_column_name)
            if not set(BY_NAME[name].columns) & set(way):
                levels = [level for level in comparison.comparison_levels if not level.is_null_level]
                learned.setdefault(name, []).append(_smooth([_number(level.m_probability) for level in levels]))
    return {name: _middle(ways) for name, ways in learned.items()}, found


def _name_of(output: str) -> str:
    return next(name for name in BY_NAME if name.replace("-", "").replace(" ", "_") == output)


def _number(m: object) -> float:
    return float(m) if isinstance(m, int | float) and not math.isnan(m) else 0.0


def _smooth(m: list[float]) -> tuple[float, ...]:
    kept = [max(x, _STAYS) for x in m]
    return tuple(x / sum(kept) for x in kept)


def _middle(ways: list[tuple[float, ...]]) -> tuple[float, ...]:
    """The median over ways of blocking, level by level, so that one odd way does not decide."""
    middle = [median(of) for of in zip(*ways, strict=True)]
    return tuple(_rounded(x / sum(middle)) for x in middle)


def _rounded(x: float) -> float:
    """Six digits: sums over threads differ in the fifteenth, and the model must not."""
    return float(f"{x:.6g}")


def _prior(rows: pa.Table, trained: tuple[Trained, ...], found: dict[Rule, float]) -> float:
    """The chance that two records are one person: matches found, over the part that the way can find, over all."""
    n = len(rows)
    exact = {c.levels[0].frequency: t.m[0] for t in trained for c in [BY_NAME[t.name]] if c.levels[0].frequency}
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

