"""The figures of the tournament's pick on time it had not seen, and cards as a table, for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shopkeeper.predict.value.choose import Choice
from shopkeeper.predict.value.diagnostics import RepeatCounts
from shopkeeper.predict.value.drawing import Chart, Series
from shopkeeper.predict.value.evidence import Cohort, Decile
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.score import ScoreCard
from shopkeeper.predict.value.track import Track

if TYPE_CHECKING:
    import pyarrow as pa

_FIGURES = ("mae", "rmse", "bias", "spearman", "top_decile")


@dataclass(frozen=True, slots=True)
class CalibrationPlot(Figure):
    """Customers in ten groups by what was foretold of them: mean of what was foretold and of what came."""

    deciles: tuple[Decile, ...]
    name: str

    def columns(self) -> dict[str, Any]:
        """Give each group's customers, and purchases foretold and come, each customer's mean."""
        return {
            "customers": [one.n for one in self.deciles],
            "expected": [one.predicted for one in self.deciles],
            "actual": [one.actual for one in self.deciles],
        }

    def chart(self) -> Chart:
        """Give what came over what was foretold, and the line on which both are the same."""
        expected, actual = (np.asarray(self.columns()[name], float) for name in ("expected", "actual"))
        ends = np.array([0.0, max(expected.max(initial=0.0), actual.max(initial=0.0))])
        return Chart(
            title=f"Calibration of {self.name}",
            x_label="purchases expected per customer, by tenths of customers",
            y_label="purchases that came",
            series=(Series("came", expected, actual), Series("as expected", ends, ends)),
        )


@dataclass(frozen=True, slots=True)
class CohortForecasts(Figure):
    """Purchases per customer after the origin, by month, quarter or year of the first purchase."""

    cohorts: tuple[Cohort, ...]
    name: str

    def columns(self) -> dict[str, Any]:
        """Give a row per cohort and week after the origin, purchases summed up to it."""
        rows = [(one, place) for one in self.cohorts for place in range(len(one.weeks))]
        return {
            "cohort": [one.name for one, _ in rows],
            "customers": [one.n for one, _ in rows],
            "week": [one.weeks[place] for one, place in rows],
            "actual": [one.actual[place] for one, place in rows],
            "expected": [one.expected[place] for one, place in rows],
        }

    def chart(self) -> Chart:
        """Give bars of what came and was foretold within the whole window."""
        place = np.arange(float(len(self.cohorts)))
        both = [
            np.array([(one.actual, one.expected)[which][-1] for one in self.cohorts], float)
            for which in (0, 1)
        ]
        return Chart(
            title="Purchases after the origin, by cohort",
            x_label="first purchase",
            y_label="purchases per customer",
            series=(Series("came", place, both[0]), Series(f"expected by {self.name}", place, both[1])),
            labels=tuple(one.name for one in self.cohorts),
        )


def evidence_figures(choice: Choice) -> dict[str, Figure]:
    """Give the figures of a tournament's pick on purchases set aside: tracking, calibration, repeats and cohorts.

    Tracking, repeats and cohorts are of the latest origin, calibration of all of them. Empty where the history is too
    short for a test.

    >>> evidence_figures(Choice(pick="MBG/NBD", cards=(), window_days=0, n=0))
    {}
    """
    found = choice.evidence
    if found is None:
        return {}
    counts = found.repeats
    return {
        "tracking": Track(
            weeks=found.tracking.weeks, actual=found.tracking.actual, expected=found.tracking.expected,
            name=found.name, since="the origin",
        ),
        "calibration": CalibrationPlot(found.deciles, found.name),
        "repeats": RepeatCounts(
            purchases=np.array([one.purchases for one in counts]),
            actual=np.array([one.actual for one in counts]),
            expected=np.array([one.expected for one in counts]),
            name=found.name,
            within="the window after the origin",
        ),
        "cohorts": CohortForecasts(found.cohorts, found.name),
    }  # fmt: skip


def score_table(cards: Sequence[ScoreCard]) -> pa.Table:
    """Give a row per card: its figures with the ends of their intervals of 90 %, and whether it was picked.

    ``score_table(foreseen.choice.cards).to_pandas()`` is the tournament.

    >>> from shopkeeper.predict.value.score import score
    >>> table = score_table([score("rule", np.array([1.0, 0.0]), np.array([2.0, 0.0]))])
    >>> table.column_names[:4], table["mae"].to_pylist()
    (['name', 'picked', 'mae', 'mae_low'], [0.5])
    """
    import pyarrow as pa

    number = pa.float64()
    columns: dict[str, Any] = {
        "name": pa.array([card.name for card in cards], pa.string()),
        "picked": pa.array([card.picked for card in cards], pa.bool_()),
    }
    for name in _FIGURES:
        columns[name] = pa.array([getattr(card, name) for card in cards], number)
        ends = [card.intervals.get(name) for card in cards]
        columns[f"{name}_low"] = pa.array([None if one is None else one.low for one in ends], number)
        columns[f"{name}_high"] = pa.array([None if one is None else one.high for one in ends], number)
    for name in ("loss", "clearly_worse", "beaten"):
        columns[name] = pa.array([getattr(card, name) for card in cards], number)
    return pa.table(columns)
