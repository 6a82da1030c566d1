"""Who holds the value, how sure that is, and how it moved: the predictions of the last refresh added up.

Ranges of sums have two parts. The variances of customers add up, as if what one does told nothing of another. And a
season, a price change or a wrong model moves everybody at once: by how much that went at the origins of the tournament
is known (``choice.learned.level``), and for a large group it is nearly all there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Protocol

from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.traits import Trait
from shopkeeper.domain.value import Held, Run, ValueReport
from shopkeeper.shop import insights, standing
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.comparing import together

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shopkeeper.know.insight import People

    Mask = NDArray[np.bool_]

AT_RISK = ("fading", "lapsed")
_TENTHS = 10
_CURVE = 100
_TOP = (0.01, 0.05, 0.1, 0.2, 0.5)
_SHOWN_RUNS = 60
_WORTH_TELLING = 0.01
"""Share of what was sold from which on it is told that its margin is assumed."""


def report(places: Places, traits: Sequence[Trait]) -> ValueReport:
    """The value of everybody, as of the last refresh. Raises Conflict before it."""
    told = insights.known(places, traits)
    run = runs.in_lake(places, told.run)
    if run is None or run.schema_version < 2:
        raise Conflict("nothing was predicted yet", hint="bring in orders, then run 'shopkeeper refresh'")
    asked = tuple(f"{name} {one.text}" for name, one in told.setting.segments.items())
    return insights.kept(places, told, ("value", str(run.run), *asked), lambda: _made(places, told, run))


def _made(places: Places, told: insights.Known, run: Run) -> ValueReport:
    import numpy as np

    people = insights.people_of(places, told)
    columns = _columns(people)
    scored = ~np.isnan(columns["clv_12m"])
    value = np.nan_to_num(columns["clv_12m"])
    whole = float(value.sum())
    held = _holder(columns, run.level, whole, together(run))
    order = np.argsort(-value, kind="stable")
    order = order[scored[order]]
    curve = (
        np.concatenate(([0.0], np.cumsum(value[order]) / whole)) if whole > 0 else np.zeros(order.size + 1)
    )
    conditions = told.setting.segments
    masks = insights.masks_of(places, told, people, list(conditions.values()))

    def at(share: float) -> tuple[float, float]:
        return share, float(np.interp(share * order.size, np.arange(order.size + 1), curve))

    def of_top(share: float) -> tuple[float, float]:
        """Of few customers the top hundredth is still one of them."""
        return share, float(curve[min(ceil(share * order.size - 1e-9), order.size)])

    return ValueReport(
        shop=places.settings.name,
        currency=places.settings.currency,
        as_of=run.as_of,
        run=run.run,
        horizon_weeks=run.horizon_weeks,
        discount=run.discount,
        level=run.level,
        total=held("all customers", scored),
        at_risk=held("fading or lapsed", scored & _any_of(people, "state", AT_RISK)),
        deciles=tuple(
            held(f"tenth {place}", _mask(part, scored.size))
            for place, part in enumerate(np.array_split(order, _TENTHS), start=1)
            if part.size
        ),
        concentration=tuple(at(step / _CURVE) for step in range(_CURVE + 1)),
        top=tuple(of_top(share) for share in _TOP) if whole > 0 else (),
        states=_by(people, "state", held, scored),
        alarms_per_year=_alarms(places),
        channels=_by(people, "acquisition_channel", held, scored),
        segments=tuple(
            sorted(
                (held(name, mask & scored) for name, mask in zip(conditions, masks, strict=True)),
                key=lambda one: -one.value,
            )
        ),
        pick=run.pick,
        notes=(*_of_money(places, people), *run.notes),
        scores=run.scores,
        choice=run.choice,
        drift=run.drift,
        runs=_earlier(places, run.run),
    )


class Spread(Protocol):
    """Gives the range of a sum from the variance of its customers alone."""

    def __call__(self, value: float, variance: float, *, both_signs: bool = False) -> tuple[float, float]:
        """Give the bounds; ``both_signs`` says that it is of gains and of losses."""
        ...


def spreading(places: Places) -> Spread:
    """What gives the ranges of sums over the lake, by the run it tells of."""
    from shopkeeper.predict.value.sums import range_of_sum

    run = runs.in_lake(places, places.lake.manifest().run) or Run(run=0, as_of=places.clock.now())
    at_once = together(run)

    def spread(value: float, variance: float, *, both_signs: bool = False) -> tuple[float, float]:
        low, high = range_of_sum(value, variance + (at_once * value) ** 2, run.level, both_signs=both_signs)
        return round(low, 2) + 0.0, round(high, 2) + 0.0

    return spread


def ranges_of(
    places: Places, people: People, value: Any, masks: Sequence[Any]
) -> list[tuple[float | None, float | None]]:
    """The range of what each group is expected to bring, of everybody's ``value``; none where nothing said how sure
    that is, as in a refresh of an earlier version.
    """
    import numpy as np

    from shopkeeper.predict.value.sums import of_both_signs

    sd = people.column("clv_sd") if "clv_sd" in {trait.name for trait in people.traits} else None
    if not masks or not isinstance(sd, np.ndarray):
        return [(None, None)] * len(masks)
    spread, variance = spreading(places), np.nan_to_num(sd) ** 2
    return [
        spread(float(own.sum()), float(variance[mask].sum()), both_signs=of_both_signs(own))
        for mask in masks
        for own in (value[mask],)
    ]


def _columns(people: People) -> dict[str, Any]:
    import numpy as np

    wanted = ("clv_12m", "clv_sd", "expected_orders_12m", "margin")
    there = {trait.name for trait in people.traits}
    return {name: people.column(name) if name in there else np.full(len(people), np.nan) for name in wanted}


def _holder(
    columns: dict[str, Any], level: float, whole: float, at_once: float
) -> Callable[[str, Any], Held]:
    """Adds up what some customers hold; ``at_once`` is the share by which all may be off together."""
    import numpy as np

    from shopkeeper.predict.value.sums import of_both_signs, range_of_sum

    known = {name: np.nan_to_num(values) for name, values in columns.items()}

    def held(name: str, mask: Mask) -> Held:
        own = known["clv_12m"][mask]
        value = float(own.sum())
        variance = float((known["clv_sd"][mask] ** 2).sum()) + (at_once * value) ** 2
        low, high = range_of_sum(value, variance, level, both_signs=of_both_signs(own))
        return Held(
            name=name,
            customers=int(mask.sum()),
            orders=round(float(known["expected_orders_12m"][mask].sum()), 1),
            value=round(value, 2) + 0.0,  # never minus zero
            low=round(low, 2) + 0.0,
            high=round(high, 2) + 0.0,
            share=value / whole if whole > 0 else 0.0,
            margin=round(float(known["margin"][mask].sum()), 2),
        )

    return held


def _of_money(places: Places, people: People) -> tuple[str, ...]:
    """What of the margin is assumed, and what could not be told in the shop's currency: value rests on both."""
    import numpy as np

    names = {trait.name for trait in people.traits}
    if not {"revenue", "assumed_margin_on", "unconverted"} <= names:
        return ()
    notes = []
    revenue, assumed = (
        float(np.nansum(np.asarray(people.column(one), float))) for one in ("revenue", "assumed_margin_on")
    )
    if revenue > 0 and (share := min(assumed / revenue, 1.0)) >= _WORTH_TELLING:
        notes.append(
            f"the cost of {share:.0%} of what was sold is not known: {places.settings.assumed_margin:.0%} of it is "
            "taken as margin (setting assumed_margin)"
        )
    foreign: Any = people.column("unconverted")
    if foreign.rows.size:
        codes = sorted({foreign.levels[code].split(" ")[0] for code in np.unique(foreign.codes)})
        who = np.unique(foreign.rows).size
        notes.append(
            f"{who:,} customer{'' if who == 1 else 's'} paid in {' and '.join(codes)}, for which no exchange rate is "
            "known: what they spent leaves it out, and such an order is taken as worth what their others, or the "
            "average customer's, are (bring in a file of rates)"
        )
    return tuple(notes)


def _by(people: People, trait: str, held: Callable[[str, Any], Held], scored: Mask) -> tuple[Held, ...]:
    """By the values of a text, the one that holds most first."""
    found: Any = people.column(trait)
    rows = [held(level, (found.codes == code) & scored) for code, level in enumerate(found.levels)]
    unknown = (found.codes < 0) & scored
    if unknown.any():
        rows.append(held("", unknown))
    return tuple(sorted((row for row in rows if row.customers), key=lambda row: -row.value))


def _any_of(people: People, trait: str, wanted: Sequence[str]) -> Mask:
    """Of whom a text is one of some."""
    import numpy as np

    found: Any = people.column(trait)
    return np.isin(found.codes, [code for code, level in enumerate(found.levels) if level in wanted])


def _alarms(places: Places) -> float | None:
    with places.ledger.read() as reader:
        rhythm = standing.in_force(places, reader)
    return None if rhythm is None else rhythm.alarms_per_year


def _mask(rows: Any, size: int) -> Mask:
    import numpy as np

    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return mask


def _earlier(places: Places, last: int) -> tuple[tuple[Any, float, int], ...]:
    here = [run for run in runs.runs(places) if run <= last]
    found = (runs.manifest(places, run) for run in here[-_SHOWN_RUNS:])
    return tuple((run.as_of, run.value, run.customers) for run in found if run is not None)
