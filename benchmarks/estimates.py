"""How often the money interval of an estimate holds the truth: segments of a million customers, a sample of 20,000.

    uv run python benchmarks/estimates.py [--json FILE] [--draws 400] [--data FILE]

The amounts are what the customers of Online Retail II spent, the same with a chance to come back on them, and
log-normal ones of three spreads; segments are drawn at random, from the highest amounts, from the lower half, and the
likelier the higher the amount. Members that the sample has of a segment: 6, 20, 98 and 1,000. The peer is the plain
interval, the mean give or take 1.96 standard errors.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shopkeeper.domain.size import Amounts, total

OF, ASKED = 1_000_000, 20_000
MEMBERS = (6, 20, 98, 1_000)
Array = npt.NDArray[np.float64]


def amounts(values: Array) -> Amounts:
    """What a question to the lake tells of amounts."""
    some = values[values > 0]
    roots, logs = np.sqrt(some), np.log(some)
    return Amounts(
        len(some), float(some.sum()), float((some * some).sum()), float(roots.sum()), float((roots * logs).sum()),
        float((roots * logs * logs).sum()),
    )  # fmt: skip


def plain(values: Array) -> tuple[float, float]:
    """The mean give or take 1.96 standard errors."""
    mean = values.sum() / ASKED
    variance = max((values * values).sum() / ASKED - mean * mean, 0.0) * ASKED / (ASKED - 1)
    half = 1.96 * OF * sqrt(variance / ASKED * (1 - ASKED / OF))
    return mean * OF - half, mean * OF + half


def worlds(chance: np.random.Generator, data: Path) -> Iterator[tuple[str, Array]]:
    """Amounts of everybody."""
    if data.exists():
        import pyarrow.parquet as pq

        log = pq.read_table(data, columns=["customer_id", "amount"]).to_pandas().dropna()
        spent = log.groupby("customer_id")["amount"].sum()
        real = spent[spent > 0].to_numpy()
        yield "Online Retail II", chance.choice(real, OF)
        yield "the same, may come back", chance.choice(real, OF) * chance.beta(0.3, 0.6, OF)
    for spread in (0.5, 1.0, 1.5):
        yield f"log-normal {spread}", np.exp(chance.normal(0, spread, OF))
    some = np.exp(chance.normal(0, 1.2, OF))
    some[chance.random(OF) < 0.7] = 0
    yield "log-normal 1.2, 70 % nothing", some


def segments(chance: np.random.Generator, values: Array, size: int) -> Iterator[tuple[str, Array]]:
    """Amounts of a segment's members."""
    yield "at random", chance.choice(values, size, replace=False)
    yield "the highest", np.partition(values, -size)[-size:]
    lower = values[(values > 0) & (values < np.quantile(values[values > 0], 0.5))]
    yield "of the lower half", chance.choice(lower, size, replace=False)
    likely = np.sqrt(values) + 1e-9
    yield "the likelier the higher", chance.choice(values, size, replace=False, p=likely / likely.sum())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).parents[2] / "shared/data/online_retail_II.parquet"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    chance = np.random.default_rng(1)
    rows: list[dict[str, Any]] = []
    print(f"{'':55} {'covers':>7} {'peer':>7} {'length':>8} {'peer':>7}  (of the true total)")
    for world, values in worlds(chance, options.data):
        for members in MEMBERS:
            for kind, inside in segments(chance, values, members * OF // ASKED):
                truth, held, lengths = inside.sum(), [], []
                for _ in range(options.draws):
                    drawn = chance.hypergeometric(len(inside), OF - len(inside), ASKED)
                    seen = chance.choice(inside, drawn, replace=False)
                    ours = total(amounts(seen), amounts(chance.choice(values, ASKED)), ASKED, OF)
                    pairs = (ours, plain(seen))
                    held.append([low <= truth <= high for low, high in pairs])
                    lengths.append([(high - low) / truth for low, high in pairs])
                (covers, peer), (length, other) = np.mean(held, axis=0), np.median(lengths, axis=0)
                name = f"{world}, {members:,} seen, {kind}"
                print(f"{name:55} {covers:7.3f} {peer:7.3f} {length:8.2f} {other:7.2f}", flush=True)
                rows.append(
                    {
                        "name": f"interval of money covers: {name}", "value": round(float(covers), 3), "unit": "share",
                        "better": "higher", "goal": 0.95, "peer": "plain", "peer_value": round(float(peer), 3),
                    }
                )  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
