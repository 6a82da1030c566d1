"""The figures of the library: against published ones, against each other, and as drawings."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import stats

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import (
    BGNBD,
    MBGCNBD,
    MBGNBD,
    GammaGamma,
    Heterogeneity,
    ParetoNBD,
    RepeatRate,
    Season,
    Seasonal,
    WithCovariates,
    alive_path,
    amount_heterogeneity,
    cohort_curves,
    compare,
    dropout_heterogeneity,
    evidence_figures,
    expectations,
    forecast,
    history_matrix,
    rate_heterogeneity,
    repeat_counts,
    score_table,
    split,
    summarise,
    track,
)
from shopkeeper.predict.value.drawing import Chart, Series, day_steps, steps, svg
from shopkeeper.predict.value.summary import purchase_days

from .conftest import Log

_SVG = "{http://www.w3.org/2000/svg}"
AUTUMN = Season(weeks=tuple(0.5 + np.arange(52) / 51.0), used=True)


def orders(seed: int = 3, customers: int = 60) -> dict[str, Any]:
    """Some customers who began within four months of 2024, each with some orders."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(customers), rng.integers(1, 6, customers))
    start = rng.integers(0, 120, customers)[who]
    later = np.where(np.diff(who, prepend=-1) == 0, rng.integers(1, 200, who.size), 0)
    return {"customer_id": who, "date": np.datetime64("2024-01-01") + start + later}


def drawn(figure: Any, **how: Any) -> ET.Element:
    """The drawing of a figure as a tree: it is XML, and every number in it is one."""
    text = figure.svg(**how)
    assert re.search(r"\b(nan|inf)\b", text) is None
    return ET.fromstring(text)


def test_the_published_conditional_expectations_of_cdnow(sample: Log) -> None:
    """The walkthrough of the R package BTYD: purchases in weeks 40 to 78 by frequency in the first 39, Pareto/NBD."""
    cut = split(
        customer=sample.customer, occurred_at=sample.occurred_at, end="1997-09-30", until="1998-06-30"
    )
    fit = ParetoNBD().fit(**cut.known.history)
    found = expectations(fit, cut)
    assert found.actual == pytest.approx(
        [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594], abs=2e-4
    )
    assert found.expected == pytest.approx(
        [0.1385, 0.5996, 1.1957, 1.7142, 2.3988, 2.9068, 3.8185, 6.4037], abs=1e-3
    )
    assert found.customers[0] == 1411
    assert found.customers.sum() == 2357
    by_silence = expectations(fit, cut, by="silence")
    for one in (found, by_silence, expectations(fit, cut, by="T"), expectations(fit, cut, by="recency")):
        assert one.customers @ one.actual == pytest.approx(cut.orders.sum())
        assert one.customers @ one.expected == pytest.approx(fit.expected_purchases(cut.t).sum())
        assert (one.low <= one.high).all()
        assert len(drawn(one).findall(f"{_SVG}rect")) == 2 * one.actual.size + 3, (
            "bars, two in the legend, the ground"
        )
    assert 5 <= by_silence.customers.size <= 10
    with pytest.raises(UnknownName, match="by"):
        expectations(fit, cut, by="money")


@pytest.mark.parametrize(
    "model", [BGNBD(), MBGNBD(), ParetoNBD(), MBGCNBD(k=2)], ids=lambda one: type(one).__name__
)
def test_the_counts_of_repeats_are_a_distribution_with_the_mean_of_the_model(model: Any) -> None:
    log = summarise(orders(), end="2024-12-31")
    fit = model.fit(**log.history)
    few, many = (repeat_counts(fit, log, most=most) for most in (3, 60))
    for found in (few, many):
        assert found.actual.sum() == found.expected.sum().round(6) == 60
    assert (few.actual[:3] == many.actual[:3]).all()
    np.testing.assert_allclose(few.expected[:3], many.expected[:3], rtol=1e-9)
    assert many.purchases @ many.expected == pytest.approx(fit.expected_repeats(log.T).sum(), rel=1e-4)
    assert few.table().column_names == ["purchases", "actual", "expected"]
    assert "3+" in few.svg()
    with pytest.raises(InvalidInput, match="most is 0"):
        repeat_counts(fit, log, most=0)


def test_heterogeneity_is_the_mixing_distribution() -> None:
    log = summarise(orders(), end="2024-12-31")
    pareto, dropout, regular = (model.fit(**log.history) for model in (ParetoNBD(), BGNBD(), MBGCNBD(k=2)))
    amounts = GammaGamma().fit(frequency=[2, 1, 3, 4] * 20, monetary=[20.0, 35.0, 18.0, 60.0] * 20)
    shares, x = np.array([0.01, 0.3, 0.99]), np.array([0.001, 0.02, 0.4, 0.9])
    for found, same in (
        (rate_heterogeneity(pareto), stats.gamma(pareto.r, scale=1.0 / pareto.alpha)),
        (rate_heterogeneity(regular), stats.gamma(regular.r, scale=0.5 / regular.alpha)),
        (Heterogeneity("leaving", "gamma", 0.6, 11.7), stats.gamma(0.6, scale=1.0 / 11.7)),
        (Heterogeneity("leaving", "beta", 0.79, 2.43), stats.beta(0.79, 2.43)),
        (amount_heterogeneity(amounts), stats.invgamma(amounts.q, scale=amounts.p * amounts.v)),
    ):
        many = x * 100.0 if found.family == "inverse gamma" else x
        np.testing.assert_allclose(found.quantile(shares), same.ppf(shares), rtol=1e-8)
        np.testing.assert_allclose(found.below(many), same.cdf(many), rtol=1e-8, atol=1e-300)
        np.testing.assert_allclose(found.density(many), same.pdf(many), rtol=1e-8, atol=1e-300)
        assert found.mean == pytest.approx(same.mean())
        assert found.deviation == pytest.approx(same.std())
        assert found.density(-1.0) == 0.0
        assert drawn(found).find(f"{_SVG}polyline") is not None
    assert amount_heterogeneity(amounts).mean == pytest.approx(amounts.population_mean)
    assert dropout_heterogeneity(dropout).mean == pytest.approx(dropout.a / (dropout.a + dropout.b))
    unknown = ParetoNBD().fit(frequency=[0, 0], recency=[0, 0], T=[9.0, 9.0])
    assert not dropout_heterogeneity(unknown).identified
    assert "not identified" in dropout_heterogeneity(unknown).svg()
    with pytest.raises(InvalidInput, match="GammaGammaFit has no distribution of dropout"):
        dropout_heterogeneity(amounts)
    with pytest.raises(InvalidInput, match="share"):
        rate_heterogeneity(pareto).quantile(2.0)


@pytest.mark.parametrize(
    "model", [BGNBD(), MBGNBD(), ParetoNBD(), MBGCNBD(k=2)], ids=lambda one: type(one).__name__
)
def test_poor_data_give_figures_too(model: Any) -> None:
    for data in (
        {"frequency": [], "recency": [], "T": []}, {"frequency": [0], "recency": [0], "T": [0]},
        {"frequency": [0] * 50, "recency": [0] * 50, "T": [9.0] * 50},
        {"frequency": [5] * 50, "recency": [9.0] * 50, "T": [9.0] * 50},
        {"frequency": [1, 200], "recency": [1.0, 90], "T": [100.0, 90]},
    ):  # fmt: skip
        fit = model.fit(**data)
        for found in (rate_heterogeneity(fit), dropout_heterogeneity(fit), history_matrix(fit, T=9.0)):
            drawn(found)
            assert all(np.isfinite(values).all() for values in found.columns().values())
        drawn(alive_path(fit, occurred_at=["2024-01-01"], end="2024-03-01"))
        assert math.isfinite(fit.aic + fit.bic)
        assert fit.table().num_rows == 4
    nothing = amount_heterogeneity(GammaGamma().fit(frequency=[0], monetary=[0.0]))
    drawn(nothing)
    assert nothing.mean == 0.0


def test_the_path_of_one_customer_is_what_would_have_been_told_each_day() -> None:
    log = orders()
    fit = MBGNBD().fit(**summarise(log).history)
    here = log["customer_id"] == 7
    alone = alive_path(fit, occurred_at=log["date"][here], end="2025-06-30")
    for frame in (log, pd.DataFrame(log), pl.DataFrame(log), pl.DataFrame(log).to_arrow()):
        assert alive_path(fit, frame, who=7, end="2025-06-30").p_alive.tolist() == alone.p_alive.tolist()
    for at in (0, 50, alone.day.size - 1):
        told = summarise(occurred_at=log["date"][here], customer=np.zeros(here.sum(), int), end=alone.day[at])
        assert alone.p_alive[at] == pytest.approx(fit.p_alive(**told.history)[0])
    assert alone.purchases.tolist() == np.unique(log["date"][here]).tolist()
    assert alone.table()["purchase"].to_numpy().sum() == alone.purchases.size
    assert len(drawn(alone).findall(f"{_SVG}polyline")) == 1
    short = alive_path(fit, occurred_at=log["date"][here], end=alone.purchases[0])
    assert short.purchases.size == short.p_alive.size == 1
    drawn(short)
    with pytest.raises(InvalidInput, match="no order of that customer"):
        alive_path(fit, log, who="7")
    with pytest.raises(InvalidInput, match="no orders were given"):
        alive_path(fit, who=7, occurred_at=log["date"])
    with pytest.raises(InvalidInput, match="no order of that customer up to 2023-12-31"):
        alive_path(fit, log, who=7, end="2023-12-31")
    for mixed in (log, {"client": log["customer_id"], "date": log["date"], "customer": log["customer_id"]}):
        with pytest.raises(InvalidInput, match="more than one customer"):
            alive_path(fit, mixed, customer="client" if "client" in mixed else None)
    only = {name: column[here] for name, column in log.items()}
    for frame in (only, {"date": only["date"]}):
        assert alive_path(fit, frame, end="2025-06-30").p_alive.tolist() == alone.p_alive.tolist()


def test_a_path_knows_zones_returns_seasons_and_levels() -> None:
    log = orders()
    when = pd.to_datetime(log["date"]).tz_localize("Europe/Berlin")
    fit = MBGNBD().fit(**summarise(log).history)
    who = int(np.bincount(log["customer_id"]).argmax())
    back = np.arange(when.size) == np.flatnonzero(log["customer_id"] == who)[1]
    zoned = pd.DataFrame({**log, "date": when, "amount": np.where(back, -1.0, 2.0)})
    with pytest.raises(InvalidInput, match="negative"):
        alive_path(fit, zoned, who=who)
    bought = {name: np.asarray(column)[~back] for name, column in log.items()}
    paths = [alive_path(fit, zoned, who=who, returns="drop"), alive_path(fit, bought, who=who)]
    paths = [one.p_alive[: min(len(each.p_alive) for each in paths)].tolist() for one in paths]
    assert paths[0] == paths[1] != []
    days = purchase_days(customer=log["customer_id"], occurred_at=log["date"])
    seasonal = Seasonal(MBGNBD(), AUTUMN).fit(days, end="2024-12-31")
    path = alive_path(seasonal, log, who=7, end="2024-12-31")
    place = np.flatnonzero(np.asarray(summarise(log, end="2024-12-31").customer) == 7)
    assert path.p_alive[-1] == pytest.approx(seasonal.p_alive()[place][0])
    early = Seasonal(seasonal.fit, AUTUMN).fit(days, end="2024-08-15")
    there = np.flatnonzero(path.day == np.datetime64("2024-08-15"))
    known = summarise(log, end="2024-08-15")
    mine = {name: values[np.asarray(known.customer) == 7] for name, values in known.history.items()}
    assert path.p_alive[there] == pytest.approx(early.p_alive(**mine), rel=1e-9)
    levels = {"channel": np.where(np.arange(60) % 2, "web", "shop")}
    grouped = WithCovariates(MBGNBD()).fit(**summarise(log).history, covariates=levels)
    web, shop = (alive_path(grouped, log, who=7, levels={"channel": one}) for one in ("web", "shop"))
    assert (
        web.p_alive.tolist() == alive_path(grouped.of_levels({"channel": "web"}), log, who=7).p_alive.tolist()
    )
    assert web.p_alive.tolist() != shop.p_alive.tolist()
    with pytest.raises(UnknownName, match="channel"):
        alive_path(grouped, log, who=7, levels={"chanel": "web"})


def test_a_fit_in_another_unit_is_refused_by_figures_and_comparison() -> None:
    """Its times ahead would be read as seven times as long."""
    cut, by_day = (split(orders(), end="2024-06-30", until="2024-12-31", unit=unit) for unit in "WD")
    fit = BGNBD().fit(**cut.known.history)
    for ask in (
        lambda: repeat_counts(fit, by_day.known),
        lambda: expectations(fit, by_day),
        lambda: compare([fit], by_day),
    ):
        with pytest.raises(InvalidInput, match="the unit W, and unit is D"):
            ask()
    days = purchase_days(customer=orders()["customer_id"], occurred_at=orders()["date"])
    seasonal = Seasonal(BGNBD(), AUTUMN).fit(days, end="2024-06-30")
    assert repeat_counts(seasonal, cut.known).actual.sum() == cut.known.T.size
    for other in (by_day.known, summarise(orders(), end="2024-12-31")):
        for refused in (repeat_counts, compare):
            with pytest.raises(InvalidInput, match="up to 2024-06-30 in the unit W, and these"):
                refused(seasonal, other)
    # Asked of others, as of those of another day, it answers.
    assert repeat_counts(fit, summarise(orders(), end="2024-12-31")).actual.sum() == 60


def test_a_matrix_says_of_every_history_what_the_fit_says() -> None:
    fit = ParetoNBD().fit(**summarise(orders(), end="2024-12-31").history)
    alive = history_matrix(fit, T=39.0, most=5, rows=14)
    ahead = history_matrix(fit, T=39.0, t=13.0, most=5, rows=14)
    one = {"frequency": [5], "recency": [alive.recency[9]], "T": [39.0]}
    assert alive.grid[9, 5] == fit.p_alive(**one)[0]
    assert ahead.grid[9, 5] == fit.expected_purchases(13.0, **one)[0]
    assert np.isnan(alive.grid[0, 1:]).all()
    assert np.isnan(alive.grid[1:, 0]).all()
    assert np.isfinite(alive.grid[1:, 1:]).all()
    assert alive.table().num_rows == 1 + 13 * 5
    cells = drawn(alive).findall(f"{_SVG}rect")
    assert len(cells) == 1 + 13 * 5 + 1 + 20, "histories, the ground and the scale"
    assert len(drawn(history_matrix(fit, T=39.0, most=200)).findall(f"{_SVG}rect")) < 60 * 60
    for wrong in ({"T": 0.0}, {"T": 39.0, "most": 0}, {"T": 39.0, "rows": 1}):
        with pytest.raises(InvalidInput):
            history_matrix(fit, **wrong)


def test_cohorts_add_up_to_all_repeat_purchases() -> None:
    log = orders()
    fit = MBGNBD().fit(**summarise(log, end="2024-12-31").history)
    found = cohort_curves(fit, log, by="M", until="2024-12-31")
    assert found.cohorts == ("2024-01", "2024-02", "2024-03", "2024-04")
    assert found.customers.sum() == 60
    first = {who: log["date"][log["customer_id"] == who].min() for who in range(60)}
    for row, name in enumerate(found.cohorts):
        mine = [who for who, day in first.items() if str(day)[:7] == name]
        ages = np.concatenate(
            [np.unique(log["date"][log["customer_id"] == who]) - first[who] for who in mine]
        )
        for week in (1, 10, 30):
            assert found.actual[row, week] == pytest.approx(
                ((ages > 0) & (ages <= week * 7)).sum() / len(mine)
            )
        youngest = int((np.datetime64("2024-12-31") - max(first[who] for who in mine)).astype(int)) // 7
        assert np.isfinite(found.actual[row]).sum() == youngest + 1
    np.testing.assert_allclose(found.expected, fit.expected_repeats(found.weeks))
    assert len(drawn(found).findall(f"{_SVG}polyline")) == 5
    assert cohort_curves(fit, log, until="2024-12-31").cohorts == ("2024-Q1", "2024-Q2")
    with pytest.raises(InvalidInput, match="week old"):
        cohort_curves(fit, {"customer": [1], "date": ["2024-01-01"]})
    with pytest.raises(InvalidInput, match="the unit W, and unit is D"):
        cohort_curves(fit, log, until="2024-12-31", unit="D")


def test_a_track_knows_units_returns_and_seasons() -> None:
    log = orders()
    by_week, by_day = (BGNBD().fit(**summarise(log, end="2024-06-30", unit=unit).history) for unit in "WD")
    weekly = track(by_week, log, end="2024-06-30", until="2024-12-31")
    daily = track(by_day, log, end="2024-06-30", until="2024-12-31", unit="D")
    np.testing.assert_allclose(weekly.expected, daily.expected, rtol=1e-3)
    with pytest.raises(InvalidInput, match="give unit='D'"):
        track(by_day, log, end="2024-06-30", until="2024-12-31")
    money = {**log, "amount": np.where(np.arange(log["date"].size) % 5 == 4, -1.0, 2.0)}
    bought = {name: column[money["amount"] > 0] for name, column in log.items()}
    fit = BGNBD().fit(**summarise(bought).history)
    assert track(fit, money, returns="net").actual == track(fit, bought).actual
    with pytest.raises(InvalidInput, match="negative"):
        track(fit, money)
    assert weekly.calibrated == pytest.approx(181 / 7, abs=1.0)
    assert len(drawn(weekly, cumulative=True).findall(f"{_SVG}polyline")) == 2
    assert weekly.table()["actual_summed"][-1].as_py() == sum(weekly.actual)
    assert weekly._repr_svg_() == weekly.svg()
    days = purchase_days(customer=log["customer_id"], occurred_at=log["date"])
    seasonal = Seasonal(BGNBD(), AUTUMN).fit(days, end="2024-12-31")
    found = track(seasonal, log, until="2024-12-31")
    inner = summarise(log, end="2024-12-31")
    told = seasonal.told(**inner.history)["T"]
    assert found.cumulative[1][-1] == pytest.approx(seasonal.fit.expected_repeats(told).sum(), rel=0.02)
    flat = Seasonal(by_week, Season()).fit(days, end="2024-06-30")
    np.testing.assert_allclose(
        track(flat, log, end="2024-06-30", until="2024-12-31").expected, weekly.expected, rtol=1e-9
    )
    grouped = WithCovariates(BGNBD()).fit(**inner.history, covariates={"channel": ["a", "b"] * 30})
    for figure in (track, cohort_curves):
        with pytest.raises(InvalidInput, match="of_levels"):
            figure(grouped, log)
    with pytest.raises(InvalidInput, match="of_levels"):
        repeat_counts(grouped, inner)
    with pytest.raises(InvalidInput, match="of_levels"):
        rate_heterogeneity(grouped)


def test_counts_of_repeats_with_seasons_are_told_in_their_time() -> None:
    log = orders()
    days = purchase_days(customer=log["customer_id"], occurred_at=log["date"])
    seasonal = Seasonal(MBGNBD(), AUTUMN).fit(days, end="2024-12-31")
    known = summarise(log, end="2024-12-31")
    found = repeat_counts(seasonal, known, most=60)
    told = seasonal.told(**known.history)["T"]
    assert found.purchases @ found.expected == pytest.approx(
        seasonal.fit.expected_repeats(told).sum(), rel=1e-4
    )
    assert rate_heterogeneity(seasonal).shape == seasonal.fit.params["r"]


def test_a_drawing_escapes_its_words_and_leaves_gaps_where_nothing_is_known(tmp_path: Any) -> None:
    y = np.array([1.0, np.nan, 3.0, 4.0])
    chart = Chart("<a> & b", "x", "y", (Series("<&>", np.arange(4.0), y),), marks=(2.0,), marked="now")
    tree = ET.fromstring(svg(chart))
    assert tree.find(f"{_SVG}title").text == "<a> & b"
    assert len(tree.findall(f"{_SVG}polyline")) == 2
    assert ET.fromstring(svg(Chart("empty", "x", "y", ()))) is not None
    flat = Chart("flat", "x", "y", (Series("one", np.zeros(3), np.zeros(3)),))
    assert "nan" not in svg(flat)
    many = tuple(Series(str(one), np.arange(2.0), np.full(2, one)) for one in range(9))
    lines = ET.fromstring(svg(Chart("many", "x", "y", many))).findall(f"{_SVG}polyline")
    assert len({(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}) == 9
    long = tuple(Series(f"a long name {one}", np.arange(2.0), np.ones(2)) for one in range(9))
    words = [
        one
        for one in ET.fromstring(svg(Chart("long", "x", "y", long)))
        if (one.text or "").startswith("a long")
    ]
    assert len({one.get("y") for one in words}) > 1, "the legend takes more than a row"
    assert all(float(one.get("x")) + 6 * len(one.text) < 640 for one in words)
    found = rate_heterogeneity(MBGNBD().fit(**summarise(orders()).history))
    found.save(tmp_path / "rates.svg")
    assert (tmp_path / "rates.svg").read_text(encoding="utf-8") == found.svg()


def test_the_figures_of_a_tournament_are_its_evidence() -> None:
    rng = np.random.default_rng(4)
    log = {
        "customer": rng.integers(0, 150, 600), "date": np.datetime64("2024-01-01") + rng.integers(0, 360, 600),
        "margin": rng.gamma(3.0, 10.0, 600),
    }  # fmt: skip
    choice = forecast(log, end="2024-12-31", horizon=13.0).choice
    found, evidence = evidence_figures(choice), choice.evidence
    assert evidence is not None
    assert set(found) == {"tracking", "calibration", "repeats", "cohorts"}
    assert found["tracking"].table()["actual"].to_pylist() == list(evidence.tracking.actual)
    assert found["calibration"].table()["expected"].to_pylist() == [one.predicted for one in evidence.deciles]
    assert found["repeats"].table()["expected"].to_pylist() == [one.expected for one in evidence.repeats]
    last = [one.actual[-1] for one in evidence.cohorts]
    assert found["cohorts"].table()["actual"].to_pylist()[len(evidence.cohorts[0].weeks) - 1] == last[0]
    for name, count in (("tracking", 2), ("calibration", 2), ("repeats", 0), ("cohorts", 0)):
        assert len(drawn(found[name]).findall(f"{_SVG}polyline")) == count
    table = score_table(choice.cards)
    assert table["name"].to_pylist() == [card.name for card in choice.cards]
    assert table["rmse_high"].to_pylist() == [card.intervals["rmse"].high for card in choice.cards]
    assert table["picked"].to_pylist().count(True) == 1


def test_a_figure_of_what_is_no_fit_says_what_to_give() -> None:
    log = summarise(orders())
    fit, rule = BGNBD().fit(**log.history), RepeatRate(observed=9.0)
    for ask in (
        lambda: alive_path(BGNBD(), orders(), who=7), lambda: alive_path(rule, orders(), who=7),
        lambda: history_matrix(rule, T=9.0), lambda: repeat_counts(rule, log), lambda: track(BGNBD(), orders()),
        lambda: cohort_curves(BGNBD(), orders()), lambda: rate_heterogeneity(BGNBD()),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match="fit"):
            ask()
    with pytest.raises(InvalidInput, match="cut is a Summary"):
        expectations(fit, log)
    with pytest.raises(InvalidInput, match="log is a dict"):
        repeat_counts(fit, log.history)
    cut = split(orders(), end="2024-06-30")
    assert expectations(rule, cut).expected.size > 1, "a rule foretells, too"


def test_axes_have_a_few_round_steps() -> None:
    assert steps(0.0, 0.35) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert steps(-1.0, 1.0) == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert steps(3.0, 3.0) == [3.0]
    start = np.datetime64("2024-01-10").astype(int)
    for span in (3, 10, 40, 200, 1000, 9000):
        named = day_steps(start, start + span)
        assert 1 <= len(named) <= 7
        assert all(start <= day <= start + span for day, _ in named)
        assert [str(np.datetime64(int(day), "D")).startswith(name) for day, name in named] == [True] * len(
            named
        )
