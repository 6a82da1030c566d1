"""Covariates: an effect is found within its interval, none is said to be none, rare or new levels do no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import (
    BGNBD,
    MBGCNBD,
    MBGNBD,
    CovariateFit,
    ParetoNBD,
    RepeatRate,
    WithCovariates,
)
from shopkeeper.predict.value.covariate_fit import columns as columns_of

RATE, LEAVING = 0.7, -0.8


def world(seed: int, n: int = 6000, k: int = 1) -> tuple[dict[str, Any], NDArray[np.str_], NDArray[np.str_]]:
    """Draw histories of up to 60 weeks: customers from friends buy e^.7 as often and leave at e^-.8 the odds."""
    rng = np.random.default_rng(seed)
    friends = rng.random(n) < 0.4
    region = rng.choice(["north", "south", "west"], n)
    rate = rng.gamma(1.0, 1 / 8.0, n) * np.where(friends, np.exp(RATE), 1.0)
    leaves = rng.beta(1.0, 2.0 * np.where(friends, np.exp(-LEAVING), 1.0))
    age = rng.integers(20 * 7, 60 * 7, n) / 7
    x, last, gaps, now, live = (*(np.zeros(n) for _ in range(4)), np.arange(n))
    live = live[rng.random(n) > leaves]
    while live.size:
        gap = rng.gamma(k, 1 / rate[live])
        now[live] += gap
        inside = now[live] < age[live]
        live, gap = live[inside], gap[inside]
        x[live] += 1
        last[live] = now[live]
        gaps[live] += np.log(gap)
        live = live[rng.random(live.size) > leaves[live]]
    return (
        {"frequency": x, "recency": last, "T": age, "log_gaps": gaps},
        np.where(friends, "friends", "search"),
        region.astype(np.str_),
    )


@pytest.mark.parametrize(("model", "k"), [(MBGNBD(), 1), (MBGCNBD(), 2)])
def test_an_effect_is_found_within_its_interval_and_none_is_none(model: Any, k: int) -> None:
    data, channel, region = world(seed=5, k=k)
    if k == 1:
        del data["log_gaps"]
    fit = WithCovariates(model).fit(**data, covariates={"channel": channel, "region": region})
    assert fit.converged
    assert fit.baseline["channel"] == "search"
    by_level = {effect.level: effect for effect in fit.effects}
    friends = by_level["friends"]
    assert friends.purchases_error is not None
    assert friends.leaving_error is not None
    assert abs(friends.purchases - RATE) < 2.6 * friends.purchases_error < 0.6
    assert abs(friends.leaving - LEAVING) < 2.6 * friends.leaving_error < 0.8
    assert fit.p_value["channel"] < 1e-6
    assert fit.log_likelihood > fit.log_likelihood_without + 20
    assert fit.p_value["region"] > 0.05
    assert fit.notes == (f"the data show no effect of region (p = {fit.p_value['region']:.2f})",)


def test_the_other_models_see_the_effect_too() -> None:
    data, channel, _ = world(seed=6, n=2500)
    del data["log_gaps"]
    for model in (BGNBD(), ParetoNBD()):
        fit = WithCovariates(model).fit(**data, covariates={"channel": channel})
        assert fit.p_value["channel"] < 1e-6
        assert fit.effects[0].purchases > 0.4
        # Pareto/NBD tells leaving per time: more purchases at lower odds each come to as much.
        error = fit.effects[0].leaving_error
        assert error is not None
        if isinstance(model, BGNBD):
            assert fit.effects[0].leaving < -0.2
        else:
            assert abs(fit.effects[0].leaving - (RATE + LEAVING)) < 3 * error


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    alarms = 0
    for seed in range(20):
        data, _, region = world(seed=100 + seed, n=400)
        del data["log_gaps"]
        fit = WithCovariates(MBGNBD()).fit(**data, covariates={"region": region})
        alarms += fit.p_value["region"] <= 0.05
    # Binomial(20, 1/20): more than 4 happens once in 400 times.
    assert alarms <= 4


def test_predictions_follow_the_levels_and_new_ones_count_as_the_baseline() -> None:
    data, channel, _ = world(seed=7, n=2000)
    del data["log_gaps"]
    fit = WithCovariates(MBGNBD()).fit(**data, covariates={"channel": channel})
    known = {"frequency": [2.0] * 4, "recency": [20.0] * 4, "T": [30.0] * 4}
    levels = {"channel": ["search", "friends", "an unheard one", None]}
    mean = fit.expected_purchases(26.0, **known, covariates=levels)
    assert mean[1] > mean[0] == mean[2] == mean[3]
    assert mean[0] == fit.expected_purchases(26.0, **known)[0] == fit.fit.expected_purchases(26.0, **known)[0]
    future = fit.future(**known, covariates=levels)
    assert future.take(np.array([1, 0])).mean(26.0).tolist() == mean[[1, 0]].tolist()
    each = np.array([26.0, 26.0, 0.0, 13.0])
    assert future.mean(each)[:3].tolist() == [mean[0], mean[1], 0.0]
    assert (future.square(26.0) >= mean).all()
    assert (future.at_least(1.0, 26.0) <= 1).all()
    assert (future.discounted(np.inf, 0.01) > 0).all()
    assert future.alive().tolist() == fit.p_alive(**known, covariates=levels).tolist()


def test_rare_levels_and_poor_data_do_no_harm() -> None:
    data, channel, _ = world(seed=8, n=600)
    del data["log_gaps"]
    many = np.array([f"campaign {i}" for i in range(600)])
    many[:400] = "none"
    rare = channel.copy()
    rare[:2] = "cinema"
    fit = WithCovariates(MBGNBD()).fit(**data, covariates={"channel": rare, "campaign": many})
    assert sum(effect.covariate == "campaign" for effect in fit.effects) == 12
    assert {effect.level for effect in fit.effects} >= {"cinema", "other"}
    rare = next(one for one in many[400:] if one not in {effect.level for effect in fit.effects})
    assert fit.of_levels({"campaign": str(rare)}) == fit.of_levels({"campaign": "other"}) != fit.fit
    known = {"frequency": [1.0], "recency": [2.0], "T": [9.0]}
    by_name, as_other = (
        fit.expected_purchases(9.0, **known, covariates={"campaign": [one]}) for one in (rare, "other")
    )
    assert by_name == as_other
    assert all(abs(effect.purchases) < 3 and abs(effect.leaving) < 3 for effect in fit.effects)
    for history in (
        ([], [], []),
        ([0], [0], [10.0]),
        ([0, 0], [0, 0], [0, 0]),
        ([3, 0], [5.0, 0], [9.0, 9.0]),
    ):
        given: dict[str, Any] = dict(zip(("frequency", "recency", "T"), history, strict=True))
        one = WithCovariates(MBGNBD()).fit(**given, covariates={"channel": ["a", "b"][: len(history[0])]})
        assert one.notes
        assert np.isfinite(list(one.fit.params.values())).all()


def test_what_cannot_be_used_is_refused_and_a_fit_is_stored(tmp_path: Path) -> None:
    known: dict[str, Any] = {"frequency": [1, 0, 4], "recency": [2, 0, 20], "T": [5, 50, 30]}
    with pytest.raises(InvalidInput, match="RepeatRate takes no covariates"):
        WithCovariates(RepeatRate(observed=3.0))  # type: ignore[arg-type] # that is the test
    with pytest.raises(InvalidInput, match="ridge is 0"):
        WithCovariates(BGNBD(), ridge=0)
    with pytest.raises(InvalidInput, match="no covariate was given"):
        WithCovariates(BGNBD()).fit(**known, covariates={})
    with pytest.raises(InvalidInput, match="covariate channel has 1 entries for 3 customers"):
        WithCovariates(BGNBD()).fit(**known, covariates={"channel": ["a"]})
    with pytest.raises(InvalidInput, match="numbers with fractions"):
        WithCovariates(BGNBD()).fit(**known, covariates={"income": [1.5, 2.0, 3.0]})
    fit = WithCovariates(BGNBD()).fit(**known, covariates={"channel": ["a", "b", "a"]})
    fit.save(tmp_path / "fit.json")
    assert CovariateFit.load(tmp_path / "fit.json") == fit
    with pytest.raises(UnknownName, match="did you mean 'channel'"):
        fit.future(**known, covariates={"chanel": ["a", "b", "a"]})


def test_covariates_come_as_any_data_frame_and_what_is_missing_is_a_level() -> None:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    levels = ["a", None, "b"]
    told = {"channel": ["a", "", "b"]}
    for given in (
        {"channel": levels}, pd.DataFrame({"channel": levels}), pl.DataFrame({"channel": levels}),
        pa.table({"channel": levels}), pd.DataFrame({"channel": ["a", float("nan"), "b"]}),
    ):  # fmt: skip
        assert {name: values.tolist() for name, values in columns_of(given, 3).items()} == told
