"""What is drawn from a fit has the fit's distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import (
    BGNBD,
    MBGCNBD,
    MBGNBD,
    GammaGamma,
    ParetoNBD,
    Season,
    Seasonal,
    repeat_counts,
    simulate,
    summarise,
    track,
)
from shopkeeper.predict.value.summary import purchase_days

from .conftest import Log

_CUSTOMERS = 20_000
FIRST = np.datetime64("2023-01-01") + np.arange(_CUSTOMERS) % 91


@pytest.mark.parametrize(
    "model", [BGNBD(), MBGNBD(), ParetoNBD(), MBGCNBD(k=2)], ids=lambda one: type(one).__name__
)
def test_a_fit_to_what_was_drawn_finds_the_parameters_again(sample: Log, model: Any) -> None:
    """Purchases of one day count as one, which takes a little off the rate: days are a seventh of a week here."""
    fit = model.fit(**sample.calibration().history)
    log = summarise(simulate(fit, first=FIRST, end="2024-06-30", seed=1), end="2024-06-30")
    assert log.T.size == _CUSTOMERS
    again = model.fit(**log.history)
    for name, value in fit.params.items():
        error = again.standard_errors[name]
        assert error is not None
        assert abs(again.params[name] - value) < 4.0 * error + 0.05 * value, name
    assert log.frequency.sum() == pytest.approx(fit.expected_repeats(log.T).sum(), rel=0.04)
    counts = repeat_counts(fit, log)
    assert np.abs(counts.actual - counts.expected).max() < 5.0 * np.sqrt(_CUSTOMERS / 4)


def test_what_is_drawn_knows_seasons_and_is_the_same_for_a_seed(sample: Log) -> None:
    season = Season(weeks=tuple(0.5 + np.arange(52) / 51.0), used=True)
    days = purchase_days(customer=sample.customer, occurred_at=sample.occurred_at)
    fit = Seasonal(MBGNBD(), season).fit(days, end="1997-09-30")
    one, same, other = (simulate(fit, first=FIRST, end="2024-12-31", seed=seed) for seed in (1, 1, 2))
    assert all((one[name] == same[name]).all() for name in one)
    assert one["customer"].size != other["customer"].size
    found = track(fit, one, until="2024-12-31")
    halves = [np.add.reduceat(values, [52, 78]) for values in (found.actual[:104], found.expected[:104])]
    np.testing.assert_allclose(*halves, rtol=0.06)
    assert halves[1][1] > 1.2 * halves[1][0], "the second half of the year is the stronger one"


def test_only_models_of_orders_are_drawn_from() -> None:
    fit = MBGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    with pytest.raises(InvalidInput, match="after 2024-01-01"):
        simulate(fit, first=["2024-01-02"], end="2024-01-01")
    with pytest.raises(UnknownName, match="unit"):
        simulate(fit, first=["2024-01-02"], end="2024-02-01", unit="week")
    with pytest.raises(InvalidInput, match="GammaGammaFit"):
        simulate(GammaGamma().fit(frequency=[1], monetary=[9.0]), first=["2024-01-02"], end="2024-02-01")
    none = simulate(fit, first=np.empty(0, "datetime64[D]"), end="2024-02-01")
    assert none["customer"].size == none["occurred_at"].size == 0
