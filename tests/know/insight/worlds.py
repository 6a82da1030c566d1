"""Simulated customers, drawn here without any help of the engine under test."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa

from shopkeeper.domain.traits import Trait
from shopkeeper.know.insight.people import People
from shopkeeper.stores.lake import open_lake

KINDS = ("int", "float", "money", "bool", "text", "time", "texts")
_ARROW = {
    "int": pa.int64(), "float": pa.float64(), "money": pa.float64(), "bool": pa.bool_(), "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"), "texts": pa.list_(pa.string()),
}  # fmt: skip


def trait(name, kind):
    return Trait(name=name, kind=kind, label=name.capitalize(), sentence=f"{name}.")


@contextmanager
def lake_of(columns, **tables):
    """A lake whose customers have ``columns``: name -> (kind, values). Ids are 1 to n, in no order."""
    size = len(next(iter(columns.values()))[1])
    ids = np.random.default_rng(5).permutation(size) + 1
    made = {"id": pa.array(ids, pa.int64())}
    made |= {name: pa.array(list(values), _ARROW[kind]) for name, (kind, values) in columns.items()}
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(Path(folder) / "lake")
        try:
            with lake.change() as change:
                change.replace("customers", pa.table(made))
                for table, rows in tables.items():
                    change.replace(table, rows)
            yield lake, People(lake.query, [trait(name, kind) for name, (kind, _) in columns.items()])
        finally:
            lake.close()


def mixed(size, columns, seed):
    """Columns of every kind, tied and skewed, with NULLs, and depending on each other through one hidden factor."""
    draw = np.random.default_rng(seed)
    hidden = draw.normal(size=size)
    made = {}
    for at in range(columns):
        kind = KINDS[at % len(KINDS)]
        pull = 0.8 * hidden * (-1) ** at + draw.normal(size=size)
        gone = draw.random(size) < (0.3 if at % 3 == 0 else 0.0)
        name = f"x{at}"
        if kind == "int":
            values = np.floor(np.exp(np.clip(pull, None, 3)))  # half of them zero
        elif kind in {"float", "money"}:
            values = np.exp(pull)
        elif kind == "bool":
            values = pull > 1
        elif kind == "text":
            values = np.array(list("ABCDEFG"))[np.clip((pull + 3).astype(int), 0, 6)]
        elif kind == "time":
            values = (15_000 + pull * 100).astype("datetime64[D]").astype("datetime64[us]")
        else:
            made[name] = (kind, [[f"i{int(p) % 5}", "all"] if p > 0 else [] for p in pull])
            continue
        made[name] = (
            kind,
            [None if lost else value for lost, value in zip(gone, values.tolist(), strict=True)],
        )
    return made
