"""What everybody is worth: the tournament's pick, fitted and projected, as columns of traits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from shopkeeper.domain.value import Run
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.comparing import ahead
from shopkeeper.shop.predicting.foretold import Part
from shopkeeper.shop.predicting.orders import OrderDays, taken_as
from shopkeeper.shop.watching import TRAITS

if TYPE_CHECKING:
    import numpy as np

    from shopkeeper.predict.value.choose import Choice
    from shopkeeper.predict.value.features import FeatureTable
    from shopkeeper.predict.value.forecast import Forecast
    from shopkeeper.predict.value.origin import Features

LEVEL = 0.8
"""Level of the predictive ranges."""
ORDERS, WHOLE = "log of orders", "whole record"
"""What models read."""
_WEEK = 7.0
_TESTED_FOR = 7
"""Days for which a tournament counts."""
_ALIKE = 0.1
"""Share by which the number of customers may have changed meanwhile."""


def foresee(
    places: Places, orders: OrderDays, end: np.datetime64, *, anew: bool = False
) -> tuple[Forecast, Run | None]:
    """Choose a model on the shop's own past, fit it and project everybody.

    The learner reads what the lake tells of everybody; before the first refresh fed it, the log of orders.
    What was chosen within the last days is taken without another tournament, unless ``anew``: the pick is fitted to
    today's orders all the same. A tournament held now knows what the run before used, so that models do not turn
    because two are equally good. Also returns the run whose tournament it is, None for one held now.
    """
    from shopkeeper.predict.value.forecast import forecast

    settings = places.settings
    earlier = None if anew else _still_good(places, orders, end)
    foreseen = forecast(
        customer=orders.customer,
        occurred_at=orders.day,
        margin=taken_as(orders.customer, orders.margin),
        end=end,
        horizon=float(settings.horizon_weeks),
        discount=settings.discount_rate,
        level=LEVEL,
        features=_whole_record(places) if whole_record(places, earlier) else None,
        choice=None if earlier is None else choice_of(earlier),
        incumbent=_used_before(places),
    )
    return foreseen, earlier


def whole_record(places: Places, tested: Run | None) -> bool:
    """Whether a learner reads whole records: as in the tournament, where one counts still."""
    if tested is not None:
        return WHOLE in tested.features
    return places.lake.manifest().as_of is not None


def _whole_record(places: Places) -> Features:
    """What else is known of customers at the end of a day. Only a learner asks; only then the lake is brought up."""
    found: list[Features] = []

    def known_by(day: np.datetime64) -> FeatureTable:
        from shopkeeper.shop.featuring import features_for

        if not found:
            found.append(features_for(places, TRAITS))
        return found[0](day)

    return known_by


def choice_of(run: Run) -> Choice | None:
    """What the tournament of a run chose; None where another version wrote it and this one cannot follow it."""
    from shopkeeper.predict.value.choose import Choice
    from shopkeeper.predict.value.field import entries

    try:
        choice = msgspec.convert(run.choice, Choice)
    except msgspec.ValidationError:
        return None
    return choice if choice.pick in {entry.name for entry in entries()} else None


def _used_before(places: Places) -> Choice | None:
    """What the current run uses, where it looks as far ahead: farther ahead another model may be best."""
    run = runs.current(places)
    return None if run is None or run.horizon_weeks != places.settings.horizon_weeks else choice_of(run)


def _still_good(places: Places, orders: OrderDays, end: np.datetime64) -> Run | None:
    """The current run, where its tournament was held lately and in much the same shop."""
    import numpy as np

    run = runs.current(places)
    if run is None or not run.tested or run.horizon_weeks != places.settings.horizon_weeks:
        return None
    days = int((end - np.datetime64(run.tested, "D")).astype(np.int64))
    customers = np.unique(orders.customer).size
    alike = abs(customers - run.tested_customers) <= _ALIKE * run.tested_customers
    if not 0 <= days < _TESTED_FOR or not alike:
        return None
    return None if choice_of(run) is None else run


def worths(foreseen: Forecast) -> tuple[Part, dict[str, Any]]:
    """The forecast as columns of traits, and beside them what the next refresh checks it by."""
    p = foreseen.projection
    return (
        Part(
            foreseen.customer,
            {
                "clv_12m": p.clv,
                "clv_low": p.clv_low,
                "clv_high": p.clv_high,
                "clv_sd": deviation(foreseen),
                "p_alive": p.p_alive,
                "expected_orders_12m": p.expected_orders,
                "orders_low": p.orders_low,
                "orders_high": p.orders_high,
                "margin_per_order": p.margin_per_order,
            },
        ),
        ahead(foreseen.future, _WEEK),
    )


def deviation(foreseen: Forecast) -> Any:
    """Standard deviation of each customer's worth within the horizon: of the number of orders and amounts together.

    All of it is discounted by the mean discount. That a customer's rate wanders is in it, that all move at once is not.
    """
    import numpy as np

    from shopkeeper.predict.value.interval import centre
    from shopkeeper.predict.value.level import Level, Unsure
    from shopkeeper.predict.value.worth import second_moment

    p, future, horizon = foreseen.projection, foreseen.future, foreseen.horizon
    alone = Unsure(future, Level(), wander=foreseen.choice.learned.wander)
    # Around its own mean, which is a little off the forecast's (see `centre`).
    number, square = centre(alone, horizon), alone.square(horizon)
    second = second_moment(number, square, foreseen.orders_seen, foreseen.amounts)
    mean = future.mean(horizon)
    later = future.discounted(horizon, float(np.log1p(foreseen.discount)) * 7.0 / 365.25)
    factor = np.divide(later, mean, out=np.ones_like(mean), where=mean > 0)
    return factor * np.abs(p.margin_per_order) * np.sqrt(np.maximum(second - number**2, 0.0))
