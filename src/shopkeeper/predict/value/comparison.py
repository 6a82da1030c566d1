"""Several models beside each other: likelihood, AIC and BIC on what was known, errors on what came after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.predict.value.cnbd import CNBD
from shopkeeper.predict.value.covariate_fit import CovariateFit
from shopkeeper.predict.value.covariates import WithCovariates
from shopkeeper.predict.value.score import ScoreCard, score
from shopkeeper.predict.value.split import Split
from shopkeeper.predict.value.summary import Summary
from shopkeeper.predict.value.track import refuse_other_table

if TYPE_CHECKING:
    import pyarrow as pa

_FITTED = ("parameters", "log_likelihood", "aic", "bic")
_JUDGED = ("mae", "rmse", "bias", "spearman", "top_decile")


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Models beside each other, in the order given.

    Attributes:
        fits: what was compared, fitted.
        cards: how each did on the holdout; empty where there was none.
    """

    fits: tuple[Any, ...]
    cards: tuple[ScoreCard, ...] = ()

    def __getitem__(self, name: str) -> Any:
        """Give the fit of that name, such as ``found["Pareto/NBD"]``."""
        for fit in self.fits:
            if fit.name == name:
                return fit
        known = ", ".join(str(fit.name) for fit in self.fits)
        raise InvalidInput(f"no model is called {name!r}", hint=f"there are {known}")

    def table(self) -> pa.Table:
        """Give a row per model: ``found.table().to_pandas()``. What does not apply (the AIC of a rule) is missing.

        * parameters: how many numbers were estimated.
        * log_likelihood, aic, bic: see `Criteria`; comparable where all know the same customers in the same unit. Of a
          model with seasons the log-likelihood alone: how many numbers its season is worth is not known.
        * converged, boundary: how the search ended, and which parameters the data do not identify.
        * mae, rmse, bias, spearman, top_decile: on the holdout, see `ScoreCard`.
        """
        import pyarrow as pa

        number = pa.float64()
        columns: dict[str, Any] = {"model": [str(fit.name) for fit in self.fits]}
        columns["parameters"] = pa.array(
            [getattr(one, "estimated_count", None) for one in self.fits], pa.int64()
        )
        for name in _FITTED[1:]:
            columns[name] = pa.array([getattr(one, name, None) for one in self.fits], number)
        columns["converged"] = pa.array([getattr(one, "converged", None) for one in self.fits], pa.bool_())
        columns["boundary"] = [", ".join(getattr(one, "boundary", ())) for one in self.fits]
        for name in _JUDGED if self.cards else ():
            columns[name] = pa.array([getattr(card, name) for card in self.cards], number)
        return pa.table(columns)

    def __repr__(self) -> str:
        """Give the table as text: what a notebook shows."""
        table = self.table()
        rows = [table.column_names, *([_said(one) for one in row.values()] for row in table.to_pylist())]
        wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        lines = []
        for row in rows:
            first, *rest = zip(row, wide, strict=True)
            lines.append("  ".join([first[0].ljust(first[1]), *(one.rjust(size) for one, size in rest)]))
        return "\n".join(lines)


def compare(
    models: Any, known: Summary | Split, *, covariates: Mapping[str, ArrayLike] | None = None
) -> Comparison:
    """Fit models to one table of customers and put them beside each other.

    Args:
        models: one or several: models (``ParetoNBD()``), which are fitted here, and whatever is fitted already: fits,
            and rules such as ``RepeatRate(observed=39.0)``.
        known: the customers (`summarise`), or a log cut in two (`split`): then models are fitted to what was known and
            judged by what came after it.
        covariates: of these customers, for models that take any (`WithCovariates`); the others do without.

    Raises:
        InvalidInput: no model, something that is none, or a fit to other customers or in another unit.

    >>> from shopkeeper.predict.value import BGNBD, MBGNBD, summarise
    >>> when = ["2024-01-01", "2024-01-20", "2024-01-08", "2024-02-10", "2024-01-03"]
    >>> found = compare([BGNBD(), MBGNBD()], summarise(customer=[1, 1, 2, 2, 3], occurred_at=when))
    >>> [fit.name for fit in found.fits], found.table().num_rows
    (['BG/NBD', 'MBG/NBD'], 2)
    """
    log = known.known if isinstance(known, Split) else known
    if not isinstance(log, Summary):
        raise InvalidInput(
            f"known is a {type(log).__name__}",
            hint="give what summarise(orders) or split(orders, end=...) gives",
        )
    models = list(models) if isinstance(models, Iterable) else [models]
    if not models:
        raise InvalidInput("no model was given", hint="give models such as [BGNBD(), ParetoNBD()]")
    fits = tuple(_fitted(model, log, covariates) for model in models)
    if not isinstance(known, Split):
        return Comparison(fits)
    cards = []
    for fit in fits:
        more = {"covariates": covariates} if isinstance(fit, CovariateFit) else {}
        foreseen = fit.future(**log.history, **more).mean(known.t)
        cards.append(score(fit.name, foreseen, known.orders))
    return Comparison(fits, tuple(cards))


def _fitted(model: Any, log: Summary, covariates: Mapping[str, ArrayLike] | None) -> Any:
    if covariates is None and isinstance(model, WithCovariates | CovariateFit):
        raise InvalidInput("a model with covariates was given and no covariates", hint="give covariates=")
    if isinstance(model, WithCovariates) and covariates is not None:
        return model.fit(**log.history, log_gaps=log.log_gaps, covariates=covariates)
    if isinstance(model, CNBD):
        return model.fit(**log.history, log_gaps=log.log_gaps)
    if hasattr(model, "future") and hasattr(model, "name"):
        n = getattr(model, "n", log.T.size)
        if n != log.T.size:
            raise InvalidInput(
                f"{model.name} was fitted to {n:,} customers, not to these {log.T.size:,}",
                hint="give fits to these customers, or models that are fitted here",
            )
        refuse_other_table(model, log)
        return model
    if hasattr(model, "fit") and not isinstance(model, type):
        try:
            return model.fit(**log.history)
        except TypeError as error:
            raise _no_model(model) from error
    raise _no_model(model)


def _no_model(model: Any) -> InvalidInput:
    called = (
        f"{model.__name__} is a class" if isinstance(model, type) else f"a {type(model).__name__} is none"
    )
    return InvalidInput(
        f"{called} that can be fitted to histories alone",
        hint="give models such as BGNBD(), fits, or rules such as RepeatRate(observed=39.0)",
    )


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.4f}" if np.isfinite(value) else "-"
    return str(value)
