"""What customers are worth over any horizon, as of any day: what a refresh chose, fitted to what is dated by then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from shopkeeper.domain.clock import day_or_instant
from shopkeeper.domain.condition.profiling import OBJECTS
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.traits import Trait
from shopkeeper.domain.value import Run
from shopkeeper.shop import asking
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.comparing import together
from shopkeeper.shop.predicting.orders import order_days, taken_as, unknown_note
from shopkeeper.shop.predicting.recalling import last_before
from shopkeeper.shop.predicting.worths import LEVEL, choice_of, deviation

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from shopkeeper.predict.value.choose import Choice
    from shopkeeper.predict.value.discount import Discount

_NO_END = 100 * 365.25 / 7
"""Weeks for which 'without end' stands: discounting leaves nothing worth counting after them."""
_LEAST_DISCOUNT = 0.01


def worth(
    places: Places,
    traits: Sequence[Trait],
    *,
    condition: str | None,
    horizon: float | None,
    until: date | str | None,
    as_of: date | datetime | str | None,
    discount: Discount | float | None,
) -> pa.Table:
    """A row per customer: orders and margin expected within ``horizon`` weeks from the end of a day, or ``until`` one.

    The kind of model is the one that the refresh at or before that day chose; it is fitted to the orders dated up to
    then, as they are known today.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from shopkeeper.predict.value.discount import per_year
    from shopkeeper.predict.value.forecast import forecast

    run, end = last_before(places, as_of), _day(places, as_of)
    if until is not None:
        weeks = _weeks_until(until, end, horizon)
    else:
        weeks = run.horizon_weeks if horizon is None else _weeks(horizon)
    rate = run.discount if discount is None else per_year(discount)
    without_end = weeks >= _NO_END
    if without_end and rate < _LEAST_DISCOUNT:
        raise InvalidInput(
            f"without end at a discount of {rate}", hint="give at least 0.01 a year, or a horizon"
        )
    if end > _day(places, None):
        raise InvalidInput(f"{end} is not over yet", hint="give a day of the past, or a longer horizon")
    # Asked first: what is wrong with a condition is told at once, and not after everything was fitted.
    asked = asking.customers(places, condition, traits, columns=[OBJECTS])
    allowed = asked.filter(pc.invert(pc.fill_null(asked[OBJECTS], False)))["id"]
    with places.ledger.read() as reader:
        orders = order_days(reader, places.scale)
    keep = orders.day <= end
    found = forecast(
        customer=orders.customer[keep],
        occurred_at=orders.day[keep],
        margin=taken_as(orders.customer[keep], orders.margin[keep]),
        end=end,
        horizon=min(weeks, _NO_END),
        discount=rate if discount is None else discount,
        level=LEVEL,
        choice=choice_at(run, without_end=without_end),
    )
    p = found.projection
    table = pa.table(
        {
            "customer": found.customer,
            "expected_orders": p.expected_orders,
            "orders_low": p.orders_low,
            "orders_high": p.orders_high,
            "margin_per_order": p.margin_per_order,
            "value": p.clv,
            "value_low": p.clv_low,
            "value_high": p.clv_high,
            "value_sd": deviation(found),
            "p_alive": p.p_alive,
        }
    )
    kept = table.filter(pc.is_in(table["customer"], allowed.combine_chunks()))
    total, low, high = _together(kept, together(run))
    told = {
        "total": f"{total:.2f}", "total_low": f"{low:.2f}", "total_high": f"{high:.2f}",
        "as_of": str(end), "run": str(run.run), "model": found.choice.pick, "horizon_weeks": f"{weeks:g}",
        "discount": f"{rate:g}", "level": f"{LEVEL:g}", "together": f"{together(run):.4f}",
        "currency": places.settings.currency, "tested_weeks": f"{found.choice.window_days / 7:g}",
        "notes": "\n".join((*found.notes, *unknown_note(orders.margin[keep]))),
    }  # fmt: skip
    return kept.replace_schema_metadata(told)


def _together(rows: pa.Table, at_once: float) -> tuple[float, float, float]:
    """The sum of values with its range: variances add up, and all of them may be off at once by a share."""
    from shopkeeper.predict.value.sums import of_both_signs, range_of_sum

    each = rows["value"].to_numpy()
    total = float(each.sum())
    alone = float((rows["value_sd"].to_numpy() ** 2).sum())
    return total, *range_of_sum(total, alone + (at_once * total) ** 2, LEVEL, both_signs=of_both_signs(each))


def _weeks(horizon: float) -> float:
    try:
        return float(horizon)
    except (TypeError, ValueError):
        raise InvalidInput(f"horizon is {horizon!r:.40}", hint="give a positive number of weeks") from None


def _weeks_until(until: date | str, end: np.datetime64, horizon: float | None) -> float:
    import numpy as np

    if horizon is not None:
        raise InvalidInput("both a horizon and a last day", hint="give horizon= or until=, not both")
    try:
        last = day_or_instant(until)
    except InvalidInput:
        last = None
    if last is None or isinstance(last, datetime):
        raise InvalidInput(f"until is {until!r:.40}", hint="give a day, such as 2027-06-30")
    if (day := np.datetime64(last, "D")) <= end:
        raise InvalidInput(
            f"{day} is not after {end}, the last day known",
            hint="give a later day; what was known on an earlier one is as_of=",
        )
    return float((day - end) / np.timedelta64(7, "D"))


def choice_at(run: Run, *, without_end: bool) -> Choice | None:
    """What the tournament chose; without an end only a model that knows that customers leave makes sense.

    None, which asks for another tournament, where the run is of a version whose choice cannot be followed.
    """
    from shopkeeper.predict.value.calibration import Learned
    from shopkeeper.predict.value.candidates import LIVING, UNTESTED
    from shopkeeper.predict.value.choose import Choice

    choice = choice_of(run)
    if not without_end or (choice is not None and choice.pick in LIVING):
        return choice
    if choice is None:
        return Choice(pick=UNTESTED, cards=(), window_days=0, n=0)
    living = [card.name for card in sorted(choice.cards, key=lambda one: one.loss) if card.name in LIVING]
    # The form of amounts stays, or an order would be worth something else; what was learned of ranges goes.
    spend = choice.spend and msgspec.structs.replace(choice.spend, groups=(), coverage=())
    return msgspec.structs.replace(
        choice, pick=living[0] if living else UNTESTED, spend=spend, learned=Learned()
    )


def _day(places: Places, given: date | datetime | str | None) -> np.datetime64:
    import numpy as np

    as_of = places.clock.now() if given is None else day_or_instant(given)
    if isinstance(as_of, datetime):
        as_of = as_of.astimezone(ZoneInfo(places.settings.time_zone)).date()
    return np.datetime64(as_of, "D")
