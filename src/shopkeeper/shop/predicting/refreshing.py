"""The part of a refresh that foretells: everybody's order days go in, each model adds its columns, the run is kept."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.report import Score
from shopkeeper.domain.value import Run
from shopkeeper.shop.advocating import advocate
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.comparing import as_json, drifts
from shopkeeper.shop.predicting.foretold import Foretold
from shopkeeper.shop.predicting.orders import OrderDays, order_days
from shopkeeper.shop.predicting.rhythms import rhythms, turns
from shopkeeper.shop.predicting.worths import ORDERS, WHOLE, foresee, whole_record, worths
from shopkeeper.shop.predicting.writing import make_current, next_run, write
from shopkeeper.shop.unnaming import unbring
from shopkeeper.stores.contract.ledger import LedgerWriter

if TYPE_CHECKING:
    import numpy as np

    from shopkeeper.predict.value.forecast import Forecast


def predict(places: Places, progress: Progress | None = None, *, anew: bool = False) -> Foretold:
    """Fit, score everybody who ever ordered, and make the scores current. Returns what was foretold.

    ``anew`` holds a tournament of models however lately there was one.
    """
    with without_collecting():
        return _predict(places, progress or _silent, anew=anew)


def _predict(places: Places, tell: Progress, *, anew: bool) -> Foretold:
    began = perf_counter()
    tell("predict", 0.0)
    with places.ledger.read() as reader:
        orders = order_days(reader, places.scale)
        erasures = reader.setting("erasures")
    _leave_out(places, orders.objecting)
    if not orders.customer.size:
        return Foretold.of([])
    end = today(places)
    foreseen, tested = foresee(places, orders, end, anew=anew)
    read_whole = whole_record(places, tested)
    tell("predict", 0.5)
    worth, beside = worths(foreseen)
    rhythm, stands = rhythms(places, orders)
    advocates, explained = advocate(places, Foretold.of([worth, rhythm]))
    foretold = Foretold.of([worth, rhythm, advocates])
    tell("predict", 0.7)
    run = next_run(places)
    write(places, run, foretold, turns(foretold, stands), explained.of)
    _keep(places, run, foreseen, tested, foretold, beside, orders, began, read_whole=read_whole)
    foretold.run = run
    if not make_current(places, run, stands):
        runs.discard(places, run)
    with places.ledger.read() as reader:
        erased_meanwhile = reader.setting("erasures") != erasures
    if erased_meanwhile:
        _forget_unknown(places, {*foretold.ids.tolist(), *explained.named()})
    runs.prune(places)
    tell("predict", 1.0)
    return foretold


def today(places: Places) -> np.datetime64:
    """The present day in the shop's zone: the last day observed."""
    import numpy as np

    zone = ZoneInfo(places.settings.time_zone)
    return np.datetime64(places.clock.now().astimezone(zone).date(), "D")


def _keep(
    places: Places,
    number: int,
    foreseen: Forecast,
    tested: Run | None,
    foretold: Foretold,
    beside: dict[str, Any],
    orders: OrderDays,
    began: float,
    *,
    read_whole: bool,
) -> None:
    import numpy as np
    import pyarrow as pa

    table = foretold.table
    place = np.searchsorted(foretold.ids, foreseen.customer)
    for name, values in beside.items():
        whole = np.full(len(foretold), np.nan)
        whole[place] = values
        table = table.append_column(name, pa.array(whole, pa.float32()))
    run = Run(
        run=number,
        as_of=places.clock.now(),
        schema_version=2,
        pick=foreseen.choice.pick,
        notes=tuple(foreseen.notes),
        scores=scores(foreseen),
        models={"orders": as_json(foreseen.orders), "amounts": as_json(foreseen.amounts)},
        choice=as_json(foreseen.choice),
        tested=tested.tested if tested else str(foreseen.end),
        tested_customers=tested.tested_customers if tested else int(foreseen.customer.size),
        features=(ORDERS, WHOLE) if read_whole else (ORDERS,),
        columns={field.name: str(field.type) for field in table.schema},
        customers=len(foretold),
        value=float(np.nansum(foreseen.projection.clv)),
        horizon_weeks=foreseen.horizon,
        discount=foreseen.discount,
        level=foreseen.level,
        end=str(foreseen.end),
    )
    drift = drifts(places, run, table, orders)
    took = round(perf_counter() - began, 3)
    runs.keep(places, msgspec.structs.replace(run, drift=drift, seconds=took), table)


def scores(foreseen: Forecast) -> tuple[Score, ...]:
    """The score card, as reports show it."""
    from shopkeeper.predict.value.rules import Hiatus, LastPeriod, RepeatRate

    rules = {RepeatRate.name, LastPeriod.name, Hiatus.name}
    return tuple(
        Score(
            name=row.name, mae=row.mae, rmse=row.rmse, bias=row.bias, spearman=row.spearman,
            top_decile=row.top_decile, chosen=row.picked, rule=row.name in rules, beaten=row.beaten,
        )
        for row in foreseen.choice.cards
    )  # fmt: skip


def _leave_out(places: Places, objecting: frozenset[int]) -> None:
    """What was predicted of people before they objected to it goes, too, from every run: the last may lack them."""
    if objecting:
        with places.ledger.read() as reader:
            theirs = {*objecting, *reader.aliases(sorted(objecting))}
        runs.forget(places, theirs)


def _forget_unknown(places: Places, ids: set[int]) -> None:
    """Somebody was erased while this was worked out: nothing of them stays, nor what it says of them beside others."""
    with places.ledger.read() as reader:
        known = {row.customer for row in reader.records(sorted(ids))} | reader.aliases(None).keys()
    if gone := ids - known:

        def work(tx: LedgerWriter) -> None:
            tx.unpredict(sorted(gone))
            unbring(tx, gone, places.scale)

        places.ledger.write(work)
        runs.forget(places, gone)


def _silent(_step: str, _share: float) -> None:
    return None
