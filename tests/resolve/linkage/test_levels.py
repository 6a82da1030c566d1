from __future__ import annotations

import random

import pyarrow as pa
import pytest

from shopkeeper.resolve.linkage.levels import COMPARISONS
from shopkeeper.resolve.linkage.prepare import FIELDS

WORDS = ["ann", "anna", "anne marie", "marie", "jon", "john", "j", "smith", "smyth", "smith jones", "19710624",
         "19710642", "19720624", "zoé", "zoe", "יעל", "יעלה", "a@b.example", "a@c.example", "x" * 48, None]  # fmt: skip


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda c: c.name)
def test_sql_and_python_find_the_same_level(comparison, backend):
    chance = random.Random(11)
    left = [tuple(chance.choice(WORDS) for _ in FIELDS) for _ in range(600)]
    right = [
        tuple(x if chance.random() < 0.4 else chance.choice(WORDS) for x in row) for row in left
    ]  # half of them equal, so that every level is met
    columns = {}
    for i, field in enumerate(FIELDS):
        columns[f"{field}_l"] = pa.array([row[i] for row in left], pa.string())
        columns[f"{field}_r"] = pa.array([row[i] for row in right], pa.string())
    engine = backend()
    engine.register(pa.table({"place": list(range(len(left))), **columns}), table_name="pairs")
    levels = " ".join(f"WHEN {level.sql} THEN {k}" for k, level in enumerate(comparison.levels))
    case = f"CASE WHEN {comparison.unknown.sql} THEN NULL {levels} ELSE {len(comparison.levels)} END"
    found = engine.query_sql(f"SELECT {case} AS level FROM pairs ORDER BY place").as_dict()["level"]
    assert found == [comparison.level(a, b) for a, b in zip(left, right, strict=True)]
    assert len(set(found)) > 2
