"""Drift: this refresh beside an earlier one, put together for the manifest of the run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import hypot
from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.domain.errors import BadFile
from shopkeeper.domain.value import Change, Drift, Kept, Run
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.orders import OrderDays
from shopkeeper.shop.predicting.recalling import as_today

if TYPE_CHECKING:
    import pyarrow as pa

COMPARED = ("clv_12m", "expected_orders_12m", "p_alive")
LOOKED_AHEAD = (7, 28, 91, 364)
"""Days for which each run keeps how many orders it expects of each customer, and their variance."""
_MONTH = timedelta(days=28)
_HALF = timedelta(days=14)


def drifts(places: Places, run: Run, now: pa.Table, orders: OrderDays) -> tuple[Drift, ...]:
    """This run beside the one before, and beside the one nearest to four weeks before where that is another."""
    here = [one for one in runs.runs(places) if one < run.run]
    wanted = here[-1:]
    then = run.as_of - _MONTH
    month = [one for one in here if abs(runs.moment(one) - then) <= _HALF]
    if month and (nearest := min(month, key=lambda one: abs(runs.moment(one) - then))) not in wanted:
        wanted.append(nearest)
    with places.ledger.read() as reader:
        became = reader.aliases(None)
    found = []
    for one in wanted:
        earlier = runs.manifest(places, one)
        if earlier is None or not earlier.end:
            continue
        try:
            before = runs.table(places, one)
        except BadFile:
            continue  # nothing to compare with, which is no reason not to go on
        found.append(_drift(earlier, as_today(before, became), run, now, orders))
    return tuple(found)


def _drift(earlier: Run, before: pa.Table, run: Run, now: pa.Table, orders: OrderDays) -> Drift:
    import numpy as np

    from shopkeeper.predict import drift

    first, last = np.datetime64(earlier.end, "D"), np.datetime64(run.end, "D")
    days = int((last - first).astype(np.int64))
    before, now = (
        rows.filter(rows["clv_12m"].is_valid()) for rows in (before, now)
    )  # others only speak for the shop
    was, is_ = _numbers(before), _numbers(now)
    since = orders.customer[(orders.day > first) & (orders.day <= last)]
    who, counts = np.unique(since, return_counts=True)
    then, today = _terms(earlier), _terms(run)
    compared = COMPARED if then == today else ("p_alive",)
    shifts = tuple(
        drift.shift(name, was[name], is_[name]) for name in compared if name in was and name in is_
    )
    kept: tuple[Kept, ...] = ()
    # Whoever objects since, or was erased, is in no count.
    there = np.isin(was["customer"], is_["customer"])
    if days > 0 and _ahead(LOOKED_AHEAD[0], "mean") in was:
        mean, variance = (_within(was, days, what)[there] for what in ("mean", "variance"))
        came = np.zeros(was["customer"].size, dtype=np.int64)
        at = np.minimum(np.searchsorted(was["customer"], who), max(was["customer"].size - 1, 0))
        known = was["customer"][at] == who if was["customer"].size else np.zeros(who.size, np.bool_)
        came[at[known]] = counts[known]
        kept = drift.kept(mean, variance, came[there], together=together(earlier))
    both = np.isin(is_["customer"], was["customer"])
    parameters = drift.parameters(earlier.models, run.models)
    changes = drift.changes(_value(was), _value(is_), np.isin(is_["customer"], who))
    warnings = drift.warnings(shifts, kept, parameters)
    if then != today:
        turned = sum(one.value for one in changes)
        changes = (Change(name=f"{today} instead of {then}", customers=int(both.sum()), value=turned),)
        warnings = (f"values are of {today} and were of {then}: they tell nothing of drift", *warnings)
    return Drift(
        run=earlier.run,
        as_of=earlier.as_of,
        days=days,
        customers_before=was["customer"].size,
        customers=is_["customer"].size,
        value_before=float(np.nansum(was["clv_12m"])),
        value=float(np.nansum(is_["clv_12m"])),
        pick_before=earlier.pick,
        pick=run.pick,
        changes=changes,
        shifts=shifts,
        states=drift.moves(_texts(before, there), _texts(now, both)),
        parameters=parameters,
        kept=kept,
        warnings=warnings,
    )


def _terms(run: Run) -> str:
    """What a run's values are of: other settings make other values, whatever customers do."""
    return f"{run.horizon_weeks:g} weeks at {run.discount * 100:g} %"


def together(run: Run) -> float:
    """By which share all customers may be off at once, as the tournament learned on the shop's own past."""
    level = (run.choice.get("learned") or {}).get("level") or {}
    return hypot(level.get("mean", 0.0), level.get("deviation", 0.0))


def _within(was: Mapping[str, Any], days: int, what: str) -> Any:
    """What was expected within so many days: straight lines between the days that were kept."""
    import numpy as np

    at = np.array([0, *LOOKED_AHEAD], dtype=np.float64)
    known = [np.zeros(was["customer"].size), *(was[_ahead(one, what)] for one in LOOKED_AHEAD)]
    place = int(np.clip(np.searchsorted(at, days), 1, at.size - 1))
    share = (days - at[place - 1]) / (at[place] - at[place - 1])
    return np.nan_to_num(known[place - 1] + share * (known[place] - known[place - 1]))


def ahead(future: Any, days_per_unit: float) -> dict[str, Any]:
    """What a run keeps to be checked by the next: orders expected within some days, and their variance."""
    import numpy as np

    from shopkeeper.predict.value.interval import centre

    found = {}
    for days in LOOKED_AHEAD:
        t = days / days_per_unit
        found[_ahead(days, "mean")] = future.mean(t)
        found[_ahead(days, "variance")] = np.maximum(future.square(t) - centre(future, t) ** 2, 0.0)
    return found


def _ahead(days: int, what: str) -> str:
    return f"orders_{days}d_{what}"


def _numbers(rows: pa.Table) -> dict[str, Any]:
    import pyarrow as pa

    return {
        name: column.to_numpy()
        for name, column in zip(rows.column_names, rows.columns, strict=True)
        if pa.types.is_floating(column.type) or name == "customer"
    }


def _value(columns: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    return {"customer": columns["customer"], "value": np.nan_to_num(columns["clv_12m"])}


def _texts(rows: pa.Table, mask: Any) -> list[str]:
    import pyarrow as pa

    if "state" not in rows.column_names:
        return [""] * int(mask.sum())
    return [text or "" for text in rows["state"].filter(pa.array(mask)).to_pylist()]


def as_json(model: Any) -> Any:
    """A fitted model as plain data."""
    return msgspec.json.decode(msgspec.json.encode(model))
