"""Models beside each other, what fits tell of themselves, days instead of lengths of time, and files of any fit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopkeeper.domain.errors import BadFile, InvalidInput
from shopkeeper.predict.value import (
    BGCNBD,
    BGNBD,
    MBGCNBD,
    MBGNBD,
    Discount,
    GammaGamma,
    Hiatus,
    ParetoNBD,
    RepeatRate,
    Season,
    Seasonal,
    Summary,
    WithCovariates,
    compare,
    forecast,
    load,
    project,
    score,
    split,
    summarise,
)
from shopkeeper.predict.value.summary import purchase_days

from .conftest import Log


@pytest.fixture(scope="module")
def orders() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {
        "customer": rng.integers(0, 60, 240),
        "date": np.datetime64("2024-01-01") + rng.integers(0, 300, 240),
        "margin": rng.gamma(3.0, 10.0, 240),
    }


@pytest.fixture(scope="module")
def log(orders: dict[str, Any]) -> Summary:
    return summarise(orders, end="2024-10-31")


def test_the_published_likelihoods_of_cdnow_in_one_table(sample: Log) -> None:
    cut = split(
        customer=sample.customer, occurred_at=sample.occurred_at, end="1997-09-30", until="1998-06-30"
    )
    found = compare([BGNBD(), ParetoNBD(), MBGCNBD(), RepeatRate(observed=39.0)], cut)
    rows = {row["model"]: row for row in found.table().to_pylist()}
    bg, pareto, rule = rows["BG/NBD"], rows["Pareto/NBD"], rows["repeat rate x window"]
    assert (bg["log_likelihood"], pareto["log_likelihood"]) == pytest.approx((-9582.43, -9594.98), abs=0.01)
    assert bg["aic"] == pytest.approx(2 * 9582.43 + 8, abs=0.02)
    assert bg["bic"] == pytest.approx(2 * 9582.43 + 4 * math.log(2357), abs=0.02)
    assert rows["MBG/CNBD-1"]["parameters"] == 5, "k is one of them"
    assert (rule["aic"], rule["parameters"], rule["converged"]) == (None, None, None)
    assert pareto["rmse"] == pytest.approx(1.603, abs=0.001)
    fit = found["Pareto/NBD"]
    assert pareto["mae"] == score("", fit.expected_purchases(39.0), cut.orders).mae
    text = repr(found).splitlines()
    assert str(found) == repr(found)
    assert len(text) == 5
    assert len({len(line) for line in text}) == 1
    assert "-9,582.43" in text[1]
    with pytest.raises(InvalidInput, match="there are BG/NBD, Pareto/NBD"):
        found["Pareto"]


def test_only_what_fits_these_customers_is_compared(log: Summary) -> None:
    fit, rule = BGNBD().fit(**log.history), Hiatus(limit=9.0, observed=43.0)
    found = compare([fit, rule, BGCNBD(k=2)], log)
    assert found.fits[:2] == (fit, rule)
    assert "mae" not in found.table().column_names
    assert compare(fit, log).fits == (fit,)
    with pytest.raises(InvalidInput, match="known is a dict"):
        compare([fit], log.history)  # type: ignore[arg-type]
    other = BGNBD().fit(frequency=[1, 0], recency=[2.0, 0], T=[9.0, 9.0])
    for models, said in (
        ([], "no model"), ([other], "fitted to 2 customers"), ([BGNBD], "BGNBD is a class"),
        ([GammaGamma()], "histories alone"), (["BGNBD"], "histories alone"),
        ([Seasonal(BGNBD(), Season())], "histories"),
        ([WithCovariates(BGNBD())], "no covariates"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=said):
            compare(models, log)  # type: ignore[arg-type]


def test_covariates_are_compared_too(orders: dict[str, Any]) -> None:
    cut = split(orders, end="2024-08-31", until="2024-10-31")
    levels = {"channel": np.where(cut.known.customer % 2, "web", "shop")}
    found = compare([MBGNBD(), WithCovariates(MBGNBD()), WithCovariates(MBGCNBD())], cut, covariates=levels)
    plain, grouped, regular = found.fits
    assert (plain.estimated_count, grouped.estimated_count, regular.estimated_count) == (4, 6, 7)
    assert grouped.aic == pytest.approx(2 * 6 - 2 * grouped.log_likelihood)
    expected = grouped.expected_purchases(cut.t, **cut.known.history, covariates=levels)
    assert found.cards[1].mae == score("", expected, cut.orders).mae
    effects = grouped.effects_table().to_pylist()
    assert [(row["covariate"], row["customers"]) for row in effects] == [
        ("channel", grouped.effects[0].customers)
    ]
    assert grouped.table().num_rows == 4


def test_a_table_of_parameters_says_what_the_fit_says(log: Summary) -> None:
    days = purchase_days(
        customer=[1, 1, 2, 3], occurred_at=["2024-01-01", "2024-03-01", "2024-02-01", "2024-05-01"]
    )
    amounts = GammaGamma().fit(**log.spending, log_amounts=log.log_amounts)
    for fit in (ParetoNBD().fit(**log.history), amounts, Seasonal(MBGNBD(), Season()).fit(days)):
        rows = fit.table(0.8).to_pylist()
        assert {row["parameter"]: row["estimate"] for row in rows} == fit.params
        for row in rows:
            ends = fit.intervals(0.8)[row["parameter"]] or (None, None)
            assert (row["low"], row["high"]) == ends
            assert row["standard_error"] == fit.standard_errors[row["parameter"]]
    assert amounts.aic == 2 * len(amounts.params) - 2 * amounts.log_likelihood


def test_a_day_is_as_good_as_a_length_of_time(orders: dict[str, Any], log: Summary) -> None:
    cut = split(orders, end="2024-08-31", until="2024-10-31")
    assert cut.known.until("2024-10-31") == cut.t
    assert cut.known.until(np.datetime64("2024-08-31")) == 0.0
    by_day = summarise(orders, end="2024-08-31", unit="D")
    assert by_day.until(np.array(["2024-09-01", "2024-09-30"], "datetime64[D]")).tolist() == [1.0, 30.0]
    with pytest.raises(InvalidInput, match="2024-08-01 is before 2024-08-31"):
        by_day.until("2024-08-01")
    with pytest.raises(InvalidInput, match="day"):
        by_day.until("at Easter")
    days = purchase_days(customer=orders["customer"], occurred_at=orders["date"])
    assert Seasonal(MBGNBD(), Season()).fit(days, end="2024-08-31").until("2024-10-31") == cut.t
    one, other = (
        forecast(orders, end="2024-10-31", **how) for how in ({"horizon": 13.0}, {"until": "2025-01-30"})
    )
    assert one.table().equals(other.table())
    assert other.horizon == 13.0
    assert (
        repr(other)
        == f"<Forecast: {other.customer.size} customers, 13 weeks from 2024-10-31 by {one.choice.pick}>"
    )
    with pytest.raises(InvalidInput, match="before"):
        forecast(orders, end="2024-10-31", until="2024-10-01")
    with pytest.raises(InvalidInput, match="horizon is 0"):
        forecast(orders, end="2024-10-31", until="2024-10-31")


def test_a_projection_takes_a_discount_with_its_period(log: Summary) -> None:
    fit, amounts = MBGNBD().fit(**log.history), GammaGamma().fit(**log.spending)
    known: dict[str, Any] = {
        **log.history, "margin": log.mean_amount, "margin_count": log.frequency + 1.0, "orders": fit, "alive": fit,
        "amounts": amounts, "horizon": 26.0,
    }  # fmt: skip
    monthly, yearly = (
        project(**known, discount=one) for one in (Discount(0.01, per="month"), 1.01**12 - 1.0)
    )
    np.testing.assert_allclose(monthly.clv, yearly.clv, rtol=1e-9)
    value = fit.discounted_purchases(Discount(0.01, per="month"), 26.0) * amounts.expected_average(
        **log.spending
    )
    np.testing.assert_allclose(monthly.clv, value, rtol=1e-6)


def test_a_summary_shows_no_customer(log: Summary) -> None:
    assert repr(log) == (
        f"<Summary: {log.T.size} customers up to 2024-10-31, times in W; {(log.frequency > 0).sum()} came back, "
        f"{log.frequency.sum():.0f} repeat purchases>"
    )


def test_any_fit_is_read_from_its_file(tmp_path: Path, log: Summary, orders: dict[str, Any]) -> None:
    days = purchase_days(customer=orders["customer"], occurred_at=orders["date"])
    levels = {"channel": np.where(log.customer % 2, "web", "shop")}
    for fit in (
        BGNBD().fit(**log.history), MBGNBD().fit(**log.history), ParetoNBD().fit(**log.history),
        BGCNBD(k=2).fit(**log.history), MBGCNBD(k=3).fit(**log.history), GammaGamma().fit(**log.spending), Season(),
        Seasonal(MBGNBD(), Season()).fit(days), WithCovariates(MBGNBD()).fit(**log.history, covariates=levels),
    ):  # fmt: skip
        fit.save(tmp_path / "fit.json")
        same = load(tmp_path / "fit.json")
        assert type(same) is type(fit)
        assert same == fit
    for text in ("", "[]", "{}", '{"model": "bgnbd"}', '{"model": []}'):
        (tmp_path / "fit.json").write_text(text)
        with pytest.raises(BadFile, match="not a saved"):
            load(tmp_path / "fit.json")
