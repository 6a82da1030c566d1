"""The part of a refresh that foretells: everybody's order days go in, each model adds its columns, the run is kept."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from shopkeeper.domain.protocols import Progress
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.foretold import Foretold
from shopkeeper.shop.predicting.orders import order_days
from shopkeeper.shop.predicting.rhythms import rhythms
from shopkeeper.shop.predicting.runs import described, keep_run
from shopkeeper.shop.predicting.worths import foresee, worths
from shopkeeper.shop.predicting.writing import make_current, next_run, write


def predict(places: Places, progress: Progress | None = None) -> Foretold:
    """Fit, score everybody who ever ordered, and make the scores current. Returns what was foretold."""
    import numpy as np

    if progress:
        progress("predict", 0.0)
    with places.ledger.read() as reader:
        orders = order_days(reader, places.scale)
    if not orders.customer.size:
        return Foretold.of([])
    end = np.datetime64(places.clock.now().astimezone(ZoneInfo(places.settings.time_zone)).date(), "D")
    foreseen = foresee(places, orders, end)
    foretold = Foretold.of([worths(foreseen), rhythms(orders, end)])
    if progress:
        progress("predict", 0.8)
    run = next_run(places)
    write(places, run, foretold)
    keep_run(places.folder / "models", run, described(foreseen), places.clock.now())
    make_current(places, run)
    if progress:
        progress("predict", 1.0)
    return foretold
