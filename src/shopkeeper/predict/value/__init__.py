"""What a customer will buy and be worth: purchase models, amounts, the choice of a model, the forecast.

>>> from shopkeeper.predict.value import BGNBD, summarise
>>> days = ["2024-01-01", "2024-02-01", "2024-01-15"]
>>> log = summarise(customer=[1, 1, 2], occurred_at=days, end="2024-04-01")
>>> fit = BGNBD().fit(frequency=log.frequency, recency=log.recency, T=log.T)
>>> fit.n
2
"""

from __future__ import annotations

from shopkeeper.predict.value.bgnbd import BGNBD, BGNBDFit
from shopkeeper.predict.value.choose import Choice, choose
from shopkeeper.predict.value.cnbd import BGCNBD, MBGCNBD, BGCNBDFit, MBGCNBDFit
from shopkeeper.predict.value.covariate_fit import CovariateFit
from shopkeeper.predict.value.covariates import WithCovariates
from shopkeeper.predict.value.discount import Discount
from shopkeeper.predict.value.features import FeatureTable, from_orders
from shopkeeper.predict.value.forecast import Forecast, Projection, forecast, project
from shopkeeper.predict.value.gammagamma import GammaGamma, GammaGammaFit
from shopkeeper.predict.value.learner import Learner, LearnerFit
from shopkeeper.predict.value.lessons import learn
from shopkeeper.predict.value.mbgnbd import MBGNBD, MBGNBDFit
from shopkeeper.predict.value.pareto import ParetoNBD, ParetoNBDFit
from shopkeeper.predict.value.rules import Hiatus, LastPeriod, RepeatRate
from shopkeeper.predict.value.score import ScoreCard, score
from shopkeeper.predict.value.season import Season, season
from shopkeeper.predict.value.seasonal import Seasonal, SeasonalFit
from shopkeeper.predict.value.split import Days, Split, day_by_day, split
from shopkeeper.predict.value.summary import Summary, summarise
from shopkeeper.predict.value.track import track

__all__ = [
    "BGCNBD",
    "BGNBD",
    "MBGCNBD",
    "MBGNBD",
    "BGCNBDFit",
    "BGNBDFit",
    "Choice",
    "CovariateFit",
    "Days",
    "Discount",
    "FeatureTable",
    "Forecast",
    "GammaGamma",
    "GammaGammaFit",
    "Hiatus",
    "LastPeriod",
    "Learner",
    "LearnerFit",
    "MBGCNBDFit",
    "MBGNBDFit",
    "ParetoNBD",
    "ParetoNBDFit",
    "Projection",
    "RepeatRate",
    "ScoreCard",
    "Season",
    "Seasonal",
    "SeasonalFit",
    "Split",
    "Summary",
    "WithCovariates",
    "choose",
    "day_by_day",
    "forecast",
    "from_orders",
    "learn",
    "project",
    "score",
    "season",
    "split",
    "summarise",
    "track",
]
