"""Which model to trust: a tournament inside the past, and the simpler wins unless it is clearly worse.

At five days of the past, the origins, each entry is fitted to what was known then and foretells each customer's
purchases in the weeks after, as many weeks as are asked for where the history is three times as long. The loss is
half of ln RMSE and half of ln RMSE with counts capped at the 99.5th percentile, averaged over origins: squared
errors, for the mean is what is wanted (MAE alone rewards predicting 0), but not decided by a few wholesalers alone.
The pick is the simplest entry that is not clearly worse than the best one (see `score.simplest`), among those that
are wrong about the fewest groups of customers as a whole (`bias`): a rule that expects nothing of all who bought once
may have the smallest error and is no expectation. Rules are simpler than probability models, those than the mean of one
and a learner, that than the learner.

Of a shop with many customers a random part is compared, all their purchases with them; the pick is fitted to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from shopkeeper.predict.value.bias import allowed, clearly_biased
from shopkeeper.predict.value.calibration import Case, Learned, coverage_elsewhere, learn_distribution
from shopkeeper.predict.value.candidates import MODELS, TELLING, UNTESTED, Entry, Fitted
from shopkeeper.predict.value.course import course
from shopkeeper.predict.value.evidence import Evidence, evidence
from shopkeeper.predict.value.field import FEW, entries
from shopkeeper.predict.value.history import Floats
from shopkeeper.predict.value.interval import Coverage
from shopkeeper.predict.value.level import Level
from shopkeeper.predict.value.origin import (
    WEEK,
    Features,
    Held,
    Known,
    believable,
    hold_out,
    plan,
    some_days,
)
from shopkeeper.predict.value.score import Bootstrap, ScoreCard, Scored, beaten, card, scored, simplest
from shopkeeper.predict.value.spend import SpendChoice, choose_spend
from shopkeeper.predict.value.summary import PurchaseDays
from shopkeeper.predict.value.wander import LONGER, LONGEST

COMPARED = 20_000
"""Customers who are compared at most."""
_MIN_CUSTOMERS = 30


class OriginCards(msgspec.Struct, frozen=True, kw_only=True):
    """The score cards at one origin: its day, the weeks foretold, customers, and one card per entry."""

    day: str
    weeks: float
    n: int
    cards: tuple[ScoreCard, ...]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The pick and all that speaks for it.

    Attributes:
        pick: name of the entry that was chosen.
        cards: one per entry, from the simplest, averaged over the origins.
        window_days: how far was foretold at each origin; 0 where no test was possible.
        n: customers compared at the latest origin.
        notes: what a reader should know, in plain words.
        origins: the cards origin by origin, latest first.
        learned: what the origins taught of the pick's distribution.
        coverage: of ranges of 80 % by group, each origin recalibrated on the other ones only.
        evidence: of the pick; the figures behind the plots.
        spend: how amounts are foretold, and what speaks for it.
        alive: the simplest model that can tell who left and is not clearly worse than the best of these: P(alive) is
            from it where the pick cannot tell. Empty where none was compared.
    """

    pick: str
    cards: tuple[ScoreCard, ...]
    window_days: int
    n: int
    notes: tuple[str, ...] = ()
    origins: tuple[OriginCards, ...] = ()
    learned: Learned = Learned()
    coverage: tuple[Coverage, ...] = ()
    evidence: Evidence | None = None
    spend: SpendChoice | None = None
    alive: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One entry at all origins: what was fitted and the means it foretold."""

    entry: Entry
    fitted: tuple[Fitted, ...]
    means: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class _Before:
    """Places of what an earlier choice used in this tournament, none where it does not take part."""

    pick: int | None = None
    alive: int | None = None
    spend: str = ""

    @classmethod
    def of(cls, incumbent: Choice | None, names: Sequence[str]) -> _Before:
        if incumbent is None or not incumbent.cards:
            return cls()
        place = {name: at for at, name in enumerate(names)}
        told = incumbent.pick if incumbent.pick in TELLING else incumbent.alive
        spend = "" if incumbent.spend is None else incumbent.spend.pick
        return cls(place.get(incumbent.pick), place.get(told), spend)


def choose(
    days: PurchaseDays,
    *,
    end_day: int,
    horizon: float = 52.0,
    features: Features | None = None,
    entrants: Sequence[Entry] | None = None,
    incumbent: Choice | None = None,
    seed: int = 20_240_101,
) -> Choice:
    """Hold the tournament on purchases up to ``end_day``; the same data and seed give the same pick.

    Args:
        days: the purchases.
        end_day: last day observed, days since 1970-01-01.
        horizon: weeks ahead that will be asked for.
        features: what else is known of customers at the end of a day, for the learner.
        entrants: who takes part (default: all that the number of customers bears), from the simplest.
        incumbent: the choice of a tournament before: what it used stays within a band around the noise (see
            `score.simplest`), so that models do not turn every week because two are equally good.
        seed: of the bootstrap and of the part of customers compared.
    """
    days, strange = believable(days, end_day)
    notes = [*strange]
    days = _compared(days, end_day, seed, notes)
    held = origins(days, end_day=end_day, horizon=horizon, features=features, notes=notes)
    if not held:
        note = f"too little history for a test inside the past: {UNTESTED} is used untested"
        return Choice(pick=UNTESTED, cards=(), window_days=0, n=0, notes=(*notes, note))
    if entrants is None:
        entrants = entries(len(held[0].known))
        if len(held[0].known) < FEW:
            notes.append(f"fewer than {FEW} customers: rules and the two simplest models are compared")
    bootstrap = Bootstrap.of(len(days.customers), seed)
    trials = [trial for entry in entrants if (trial := _tried(entry, held)) is not None]
    scores = [
        [
            scored(mean, one.orders, one.known.rows, bootstrap)
            for mean, one in zip(trial.means, held, strict=True)
        ]
        for trial in trials
    ]
    losses = [np.mean([at.figures["loss"] for at in own], axis=0) for own in scores]
    came = [one.orders for one in held]
    biased = [clearly_biased(trial.means, came, held, bootstrap) for trial in trials]
    names = [trial.entry.name for trial in trials]
    before = _Before.of(incumbent, names)
    fair = allowed(biased)
    place, worse = simplest(losses, fair, before.pick)
    pick = trials[place]
    if (otherwise := simplest(losses, fair)[0]) != place:
        notes.append(f"{names[place]} was used before and stays: {names[otherwise]} is as good within noise")
    if (passed_over := simplest(losses, before=before.pick)[0]) != place and passed_over not in fair:
        notes.append(
            f"{names[passed_over]} has as small an error, but is clearly wrong about all customers with "
            f"{' and '.join(biased[passed_over])} repeat purchases together: it is not used"
        )
    telling = np.array([at for at, name in enumerate(names) if name in TELLING])
    cases = [_case(found, mean, one) for found, mean, one in zip(pick.fitted, pick.means, held, strict=True)]
    learned = learn_distribution(
        cases, _level(Known(days, end_day), horizon), _longer(pick.fitted, held, days, end_day)
    )
    return Choice(
        pick=pick.entry.name,
        cards=tuple(
            card(
                trial.entry.name,
                own,
                clearly_worse=float(worse[at]),
                picked=at == place,
                beaten=None if at == place else beaten(scores[place], own),
            )
            for at, (trial, own) in enumerate(zip(trials, scores, strict=True))
        ),
        window_days=round(held[0].window * 7),
        n=len(held[0].known),
        notes=tuple(notes),
        origins=tuple(_origin_cards(one, at, trials, scores) for at, one in enumerate(held)),
        learned=learned,
        coverage=coverage_elsewhere(cases),
        evidence=evidence(pick.entry.name, held, pick.means, pick.fitted[0].future, cases[0].unsure(learned)),
        spend=choose_spend(held, cases, learned, bootstrap, before.spend),
        alive=names[simplest(losses, telling, before.alive)[0]] if telling.size else "",
    )


def origins(
    days: PurchaseDays,
    *,
    end_day: int,
    horizon: float,
    features: Features | None,
    notes: list[str],
) -> tuple[Held, ...]:
    """Give the origins of the tournament, the latest first; none where there is too little to tell from."""
    if not days.day.size:
        return ()
    window, ends = plan(end_day - int(days.day.min()), horizon)
    near: dict[str, Any] = {}
    held = tuple(
        hold_out(days, end_day=end_day - end, window_days=window, features=features, near=near)
        for end in ends
    )
    held = tuple(one for one in held if len(one.known) >= _MIN_CUSTOMERS and one.orders.sum() > 0)
    if held and len(held) < len(ends):
        notes.append(
            f"only {len(held)} origin{'' if len(held) == 1 else 's'} in the past had customers enough"
        )
    if held and window < int(horizon) * 7:
        notes.append(f"tested on {window // 7} weeks ahead: the history is too short for {horizon:g}")
    return held


def _compared(days: PurchaseDays, end_day: int, seed: int, notes: list[str]) -> PurchaseDays:
    """Give the purchases up to the end of all customers, or of a random part where they are many."""
    days = some_days(days, days.day <= end_day)
    present = np.unique(days.code)
    if present.size <= COMPARED:
        return days
    keep = np.zeros(len(days.customers), dtype=np.bool_)
    keep[np.random.default_rng(seed).permutation(present)[:COMPARED]] = True
    notes.append(f"compared on {COMPARED:,} of {present.size:,} customers, drawn at random")
    return some_days(days, keep[days.code])


def _case(found: Fitted, mean: Floats, one: Held) -> Case:
    """The pick at an origin, what came, and the level foretold there."""
    model = float(MODELS[0].fit(one.known, one.window).future.mean(one.window).sum())
    apart = float(np.log((mean.sum() + 1.0) / (model + 1.0)))
    return Case(
        found.future, found.exact, one.known.past.frequency, one.orders, one.window, one.known.end_day,
        _level(one.known, one.window), apart,
    )  # fmt: skip


def _longer(fitted: Sequence[Fitted], held: Sequence[Held], days: PurchaseDays, end_day: int) -> list[Case]:
    """The pick at the earliest origins, over all the time since where that is more than the window tested."""
    return [
        Case(found.future, found.exact, one.known.past.frequency, one.known.later(days, end_day), weeks)
        for found, one in list(zip(fitted, held, strict=True))[-LONGEST:]
        if (weeks := (end_day - one.known.end_day) / WEEK) >= LONGER * one.window
    ]


def _level(known: Known, weeks: float) -> Level:
    """The level foretold of the weeks after a day."""
    fit = MODELS[0].fit(known, weeks).orders
    return course(known.days, last=known.end_day, fit=fit, weeks=weeks).level(weeks)


def _tried(entry: Entry, held: Sequence[Held]) -> Trial | None:
    fitted = []
    for one in held:
        found = entry.fit(one.known, one.window)
        if found is None:
            return None
        fitted.append(found)
    means = tuple(found.future.mean(one.window) for found, one in zip(fitted, held, strict=True))
    return Trial(entry, tuple(fitted), means)


def _origin_cards(
    one: Held, at: int, trials: Sequence[Trial], scores: Sequence[Sequence[Scored]]
) -> OriginCards:
    cards = (card(trial.entry.name, [own[at]]) for trial, own in zip(trials, scores, strict=True))
    day = str(np.datetime64(one.known.end_day, "D"))
    return OriginCards(day=day, weeks=one.window, n=len(one.known), cards=tuple(cards))
