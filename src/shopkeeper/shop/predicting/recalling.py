"""What was predicted earlier: of everybody as of a day, and of one customer over time.

Predictions were made of customers as they were then. Who was merged since is one customer today: values, bounds and
orders of the parts add up, as do squares of deviations, the chance of still being a customer is that any of them is
one, and the rest is said by the part that was worth most. Who was parted since keeps what was predicted under the id
that stayed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import hypot, isnan, prod
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from shopkeeper.domain.clock import day_or_instant
from shopkeeper.domain.condition.profiling import OBJECTS
from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import BadFile, NotFound
from shopkeeper.domain.traits import Trait
from shopkeeper.domain.value import Point, Predicted, Run
from shopkeeper.know.fold import unpack
from shopkeeper.predict.traits import TRAITS
from shopkeeper.shop import asking
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.showing import resolve

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_POINTS = 120
_SHOWN = ("clv_12m", "clv_low", "clv_high", "p_alive", "expected_orders_12m", "state")
_SUMMED = re.compile(
    r"clv_(12m|low|high)|expected_orders_12m|orders_(low|high|\d+d_(mean|variance))", re.ASCII
)


def last_before(places: Places, as_of: date | datetime | str | None) -> Run:
    """The last run at or before a day's end, or an instant. Raises NotFound where none that early is kept."""
    here = runs.runs(places)
    if as_of is not None:
        at = _instant(places, as_of)
        here = [run for run in here if runs.moment(run) <= at]
    for run in reversed(here):
        if (found := runs.manifest(places, run)) is not None:
            return found
    if as_of is None or not runs.runs(places):
        raise NotFound("nothing was predicted yet", hint="bring in orders, then run 'shopkeeper refresh'")
    first = runs.moment(runs.runs(places)[0])
    raise NotFound("no prediction that early is kept", hint=f"the earliest is of {first:%Y-%m-%d %H:%M} UTC")


def predicted(
    places: Places, as_of: date | datetime | str | None, condition: str | None, traits: Sequence[Trait]
) -> pa.Table:
    """What the last refresh at or before a day predicted of customers, as they are one today.

    ``condition`` says whose predictions, by what is known of them now. Who objects to profiling is left out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    run = last_before(places, as_of)
    with places.ledger.read() as reader:
        became = reader.aliases(None)
    names = [trait.name for trait in TRAITS]
    rows = as_today(runs.table(places, run.run, ["customer", *names]), became)
    asked = asking.customers(places, condition, traits, columns=[OBJECTS])
    allowed = asked.filter(pc.invert(pc.fill_null(asked[OBJECTS], False)))["id"]
    found = rows.filter(pc.is_in(rows["customer"], allowed.combine_chunks()))
    told = {
        "as_of": run.as_of.isoformat(), "run": str(run.run), "condition": condition or "", "model": run.pick,
        "horizon_weeks": f"{run.horizon_weeks:g}", "discount": f"{run.discount:g}", "level": f"{run.level:g}",
        "currency": places.settings.currency,
    }  # fmt: skip
    return pa.table(found).replace_schema_metadata(told)


def of_customer(places: Places, who: str | int) -> Predicted:
    """What was predicted of one customer at every refresh that is kept; nothing of who objects to profiling."""
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who)
        ids = [customer, *reader.aliases([customer])]
        kept = reader.records([customer])
    points: list[Point] = []
    if kept and not objects(unpack(kept[0].body)):
        became = dict.fromkeys(ids, customer)
        for run in _thinned(runs.runs(places)):
            try:
                found = runs.table(places, run, ["customer", *_SHOWN], ids)
            except BadFile:
                continue  # what one damaged run said is lost; the others tell the story
            for row in as_today(found, became).to_pylist():
                told = {name: row[name] for name in _SHOWN if row.get(name) is not None}
                points.append(Point(as_of=runs.moment(run), run=run, merged=found.num_rows, **told))
    return Predicted(id=f"c{customer}", currency=places.settings.currency, points=tuple(points))


def as_today(rows: pa.Table, became: dict[int, int]) -> pa.Table:
    """Predictions of customers as they were, put together for those who are one today; by customer."""
    import numpy as np
    import pyarrow as pa

    ids = rows["customer"].to_numpy()
    if not became or not rows.num_rows:
        return rows
    old = np.array(sorted(became), dtype=np.int64)
    new = np.array([became[one] for one in old.tolist()], dtype=np.int64)
    at = np.minimum(np.searchsorted(old, ids), old.size - 1)
    now = np.where(old[at] == ids, new[at], ids)
    moved = np.flatnonzero(now != ids)
    if not moved.size:
        return rows
    together = np.flatnonzero(np.isin(now, now[moved]))
    apart = rows.take(np.setdiff1d(np.arange(ids.size), together))
    groups: dict[int, list[dict[str, Any]]] = {}
    for place, row in zip(together.tolist(), rows.take(together).to_pylist(), strict=True):
        groups.setdefault(int(now[place]), []).append(row)
    merged = [_one(customer, parts) for customer, parts in groups.items()]
    return pa.concat_tables([apart, pa.Table.from_pylist(merged, schema=rows.schema)]).sort_by("customer")


def _one(customer: int, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of several."""
    largest = max(range(len(parts)), key=lambda at: parts[at].get("clv_12m") or 0.0)
    row = dict(parts[largest])
    row["customer"] = customer
    for name in filter(_SUMMED.fullmatch, row):
        known = _known(parts, name)
        row[name] = sum(known) if known else None
    if "clv_sd" in row:
        known = _known(parts, "clv_sd")
        row["clv_sd"] = hypot(*known) if known else None
    if "p_alive" in row:
        known = _known(parts, "p_alive")
        row["p_alive"] = 1.0 - prod(1.0 - one for one in known) if known else None
    return row


def _known(parts: list[dict[str, Any]], name: str) -> list[float]:
    return [value for part in parts if (value := part[name]) is not None and not isnan(value)]


def _thinned(all_: list[int]) -> list[int]:
    """At most so many runs, evenly, with the last one."""
    step = -(-len(all_) // _MOST_POINTS) or 1
    return all_[::-1][::step][::-1]


def _instant(places: Places, given: date | datetime | str) -> datetime:
    as_of = day_or_instant(given)
    if isinstance(as_of, datetime):
        return as_of
    zone = ZoneInfo(places.settings.time_zone)
    return datetime(as_of.year, as_of.month, as_of.day, tzinfo=zone) + timedelta(days=1, microseconds=-1)
