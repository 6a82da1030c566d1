"""What a customer will buy and be worth: purchase models, amounts, the choice of a model, the forecast.

* A log becomes a table: `summarise`, `split`, `day_by_day`; drawn from a model: `simulate`.
* Models, each with ``fit``: `ParetoNBD`, `MBGNBD`, `BGNBD`, `MBGCNBD`, `BGCNBD`; `Seasonal` and `WithCovariates` around
  one of them; `GammaGamma` for amounts. Fits answer ``p_alive``, ``expected_purchases`` and more; `load` reads one.
* Rules to beat: `RepeatRate`, `LastPeriod`, `Hiatus`. Beside each other: `compare`, `score`.
* Figures: `track`, `repeat_counts`, `expectations`, `cohort_curves`, `history_matrix`, `alive_path`,
  `rate_heterogeneity`, `dropout_heterogeneity`, `amount_heterogeneity`.
* Value: `Discount`, `project`. All of it, with the model chosen on the past: `forecast` (`choose`, `evidence_figures`).

>>> from shopkeeper.predict.value import BGNBD, summarise
>>> days = ["2024-01-01", "2024-02-01", "2024-01-15"]
>>> log = summarise(customer=[1, 1, 2], occurred_at=days, end="2024-04-01")
>>> fit = BGNBD().fit(frequency=log.frequency, recency=log.recency, T=log.T)
>>> fit.n
2
"""

from __future__ import annotations

from shopkeeper.predict.value.alive_path import AlivePath, alive_path
from shopkeeper.predict.value.bgnbd import BGNBD, BGNBDFit
from shopkeeper.predict.value.choose import Choice, choose
from shopkeeper.predict.value.cnbd import BGCNBD, MBGCNBD, BGCNBDFit, MBGCNBDFit
from shopkeeper.predict.value.cohorts import CohortCurves, cohort_curves
from shopkeeper.predict.value.comparison import Comparison, compare
from shopkeeper.predict.value.covariate_fit import CovariateFit
from shopkeeper.predict.value.covariates import WithCovariates
from shopkeeper.predict.value.diagnostics import (
    Expectations,
    HistoryMatrix,
    RepeatCounts,
    expectations,
    history_matrix,
    repeat_counts,
)
from shopkeeper.predict.value.discount import Discount
from shopkeeper.predict.value.evidence_figures import evidence_figures, score_table
from shopkeeper.predict.value.features import FeatureTable, from_orders
from shopkeeper.predict.value.figure import Figure
from shopkeeper.predict.value.forecast import Forecast, Projection, forecast, project
from shopkeeper.predict.value.gammagamma import GammaGamma, GammaGammaFit
from shopkeeper.predict.value.heterogeneity import (
    Heterogeneity,
    amount_heterogeneity,
    dropout_heterogeneity,
    rate_heterogeneity,
)
from shopkeeper.predict.value.learner import Learner, LearnerFit
from shopkeeper.predict.value.lessons import learn
from shopkeeper.predict.value.loading import load
from shopkeeper.predict.value.mbgnbd import MBGNBD, MBGNBDFit
from shopkeeper.predict.value.pareto import ParetoNBD, ParetoNBDFit
from shopkeeper.predict.value.rules import Hiatus, LastPeriod, RepeatRate
from shopkeeper.predict.value.score import ScoreCard, score
from shopkeeper.predict.value.season import Season, season
from shopkeeper.predict.value.seasonal import Seasonal, SeasonalFit
from shopkeeper.predict.value.simulate import simulate
from shopkeeper.predict.value.split import Days, Split, day_by_day, split
from shopkeeper.predict.value.summary import Summary, summarise
from shopkeeper.predict.value.track import Track, track

__all__ = [
    "BGCNBD",
    "BGNBD",
    "MBGCNBD",
    "MBGNBD",
    "AlivePath",
    "BGCNBDFit",
    "BGNBDFit",
    "Choice",
    "CohortCurves",
    "Comparison",
    "CovariateFit",
    "Days",
    "Discount",
    "Expectations",
    "FeatureTable",
    "Figure",
    "Forecast",
    "GammaGamma",
    "GammaGammaFit",
    "Heterogeneity",
    "Hiatus",
    "HistoryMatrix",
    "LastPeriod",
    "Learner",
    "LearnerFit",
    "MBGCNBDFit",
    "MBGNBDFit",
    "ParetoNBD",
    "ParetoNBDFit",
    "Projection",
    "RepeatCounts",
    "RepeatRate",
    "ScoreCard",
    "Season",
    "Seasonal",
    "SeasonalFit",
    "Split",
    "Summary",
    "Track",
    "WithCovariates",
    "alive_path",
    "amount_heterogeneity",
    "choose",
    "cohort_curves",
    "compare",
    "day_by_day",
    "dropout_heterogeneity",
    "evidence_figures",
    "expectations",
    "forecast",
    "from_orders",
    "history_matrix",
    "learn",
    "load",
    "project",
    "rate_heterogeneity",
    "repeat_counts",
    "score",
    "score_table",
    "season",
    "simulate",
    "split",
    "summarise",
    "track",
]
