"""Fits the models on everybody's order days and writes what they say of each customer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shopkeeper.domain.customer import objects
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.report import Score
from shopkeeper.know.fold import unpack
from shopkeeper.know.live.definitions import again
from shopkeeper.shop.advocating import advocate
from shopkeeper.shop.places import Places
from shopkeeper.shop.watching import compiled
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Prediction

LEVEL = 0.8
"""Level of the predictive ranges."""
_CHUNK = 20_000


def predict(places: Places, progress: Progress | None = None) -> dict[int, dict[str, Any]]:
    """Fit, score everybody who ever ordered, and make the scores current. Returns predictions by customer."""
    if progress:
        progress("predict", 0.0)
    customers, days, margins = _history(places)
    if not customers:
        return {}
    scores, models = _scores(places, customers, days, margins)
    advocate(places, scores)
    if progress:
        progress("predict", 0.8)
    run = int(places.clock.now().timestamp() * 1000)
    with places.ledger.read() as reader:
        run = max(run, int(reader.setting("run") or 0) + 1)
    rows = [
        Prediction(
            c, s.get("clv_12m", 0.0), s.get("p_alive", 0.0), s.get("state", ""), msgspec.json.encode(s)
        )
        for c, s in scores.items()
    ]
    for start in range(0, len(rows), _CHUNK):
        places.ledger.write(lambda tx, part=rows[start : start + _CHUNK]: tx.predict(part, run=run))  # type: ignore[misc]
    _keep_model(places.folder / "models", run, models, places.clock.now())

    def make_current(tx: LedgerWriter) -> None:
        tx.switch(run)
        if (found := compiled(places, tx)) is not None:
            rules = found.network.rules
            again(tx, {rules[number].segment for number in found.network.refreshed}, "refresh")

    places.ledger.write(make_current)
    if progress:
        progress("predict", 1.0)
    return scores


def current_scores(places: Places) -> list[Score]:
    """The score card of the models in use, the simple rules beside them."""
    pointer = places.folder / "models" / "current"
    try:
        run = pointer.read_text("ascii").strip()
        manifest = json.loads((places.folder / "models" / run / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [msgspec.convert(row, type=Score) for row in manifest["scores"]]


def _history(places: Places) -> tuple[list[int], list[int], list[float]]:
    """One entry per customer and day with an order: customer, day, margin in currency units."""
    customers: list[int] = []
    days: list[int] = []
    margins: list[float] = []
    with places.ledger.read() as reader:
        for chunk in reader.all_records():
            for row in chunk:
                if row.orders:
                    record = unpack(row.body)
                    if objects(record):
                        continue  # nothing is foretold of whom objects to it
                    customers += [row.customer] * len(record.days)
                    days += record.days
                    margins += [m / places.scale for m in record.day_margin]
    return customers, days, margins


def _scores(
    places: Places, customers: list[int], days: list[int], margins: list[float]
) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    import numpy as np

    from shopkeeper.predict.fading import fading, gaps
    from shopkeeper.predict.value.forecast import forecast

    end = np.datetime64(places.clock.now().astimezone(ZoneInfo(places.settings.time_zone)).date(), "D")
    who = np.asarray(customers, dtype=np.int64)
    when = np.asarray(days, dtype="datetime64[D]")
    foreseen = forecast(
        customer=who,
        occurred_at=when,
        margin=np.asarray(margins),
        end=end,
        horizon=float(places.settings.horizon_weeks),
        discount=places.settings.discount_rate,
        level=LEVEL,
    )
    rhythm = gaps(customer=who, occurred_at=when, end=end)
    silence = (end - rhythm.last).astype(np.int64)
    quiet = fading(
        count=rhythm.count, mean_gap=rhythm.mean, silence=silence, cv2=rhythm.cv2, last=rhythm.last
    )
    place = {int(customer): row for row, customer in enumerate(rhythm.customer)}
    p = foreseen.projection
    columns = {
        "clv_12m": p.clv, "clv_low": p.clv_low, "clv_high": p.clv_high,
        "p_alive": p.p_alive, "expected_orders_12m": p.expected_orders,
    }  # fmt: skip
    lists = {name: np.round(values, 4).tolist() for name, values in columns.items()}
    states, bases = quiet.state.tolist(), quiet.basis.tolist()
    since = [_midnight(d) for d in quiet.fading_since.tolist()]
    unusual = [_midnight(d) for d in quiet.unusual_from.tolist()]
    found: dict[int, dict[str, Any]] = {}
    for row, customer in enumerate(foreseen.customer.tolist()):
        other = place[customer]
        found[customer] = {name: values[row] for name, values in lists.items()} | {
            "state": states[other],
            "fading_since": since[other],
            "unusual_from": unusual[other],
            "rhythm_basis": bases[other],
        }
    return found, _described(foreseen)


def _midnight(day: Any) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _described(foreseen: Any) -> dict[str, Any]:
    """The models in words and numbers, for the run's manifest."""
    choice = foreseen.choice
    scores = [
        Score(
            name=row.name,
            mae=row.mae,
            rmse=row.rmse,
            bias=row.bias,
            spearman=row.spearman,
            top_decile=row.top_decile,
            chosen=row.picked,
        )
        for row in choice.cards
    ]
    return {
        "pick": choice.pick,
        "notes": list(foreseen.notes),
        "scores": msgspec.to_builtins(scores),
        "models": {
            "orders": json.loads(msgspec.json.encode(foreseen.orders)),
            "amounts": json.loads(msgspec.json.encode(foreseen.amounts)),
        },
        "features": ["frequency", "recency", "T", "margin"],
        "horizon_weeks": foreseen.horizon,
        "discount": foreseen.discount,
        "level": foreseen.level,
    }


def _keep_model(folder: Path, run: int, described: dict[str, Any], now: datetime) -> None:
    """Keep a run as models/<run>/manifest.json with a checksum, then swing the pointer ``current``."""
    from hashlib import sha256

    place = folder / str(run)
    place.mkdir(parents=True, exist_ok=True)
    body = json.dumps(
        {"run": run, "as_of": now.isoformat(), "schema_version": 1, **described}, indent=1
    ).encode()
    (place / "manifest.json").write_bytes(body)
    (place / "manifest.sha256").write_text(sha256(body).hexdigest() + "\n", "ascii")
    pointer = folder / ".current"
    pointer.write_text(f"{run}\n", "ascii")
    pointer.replace(folder / "current")
