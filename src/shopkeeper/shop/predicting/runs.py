"""Runs of the models as they are kept: ``models/<run>/`` with a manifest, and a pointer to the current one."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.domain.report import Score
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.predict.value.forecast import Forecast


def current_scores(places: Places) -> list[Score]:
    """The score card of the models in use, the simple rules beside them."""
    pointer = places.folder / "models" / "current"
    try:
        run = pointer.read_text("ascii").strip()
        manifest = json.loads((places.folder / "models" / run / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [msgspec.convert(row, type=Score) for row in manifest["scores"]]


def described(foreseen: Forecast) -> dict[str, Any]:
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


def keep_run(folder: Path, run: int, told: dict[str, Any], now: datetime) -> None:
    """Keep a run as models/<run>/manifest.json with a checksum, then swing the pointer ``current``."""
    place = folder / str(run)
    place.mkdir(parents=True, exist_ok=True)
    body = json.dumps({"run": run, "as_of": now.isoformat(), "schema_version": 1, **told}, indent=1).encode()
    (place / "manifest.json").write_bytes(body)
    (place / "manifest.sha256").write_text(sha256(body).hexdigest() + "\n", "ascii")
    pointer = folder / ".current"
    pointer.write_text(f"{run}\n", "ascii")
    pointer.replace(folder / "current")
