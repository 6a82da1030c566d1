"""A log is cut in two without loss, one customer is followed day by day, and tables keep their customers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import BGNBD, day_by_day, forecast, score, split, summarise, track

from .conftest import Log

rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(-20, 60)), min_size=1, max_size=30
)


@settings(deadline=None, max_examples=60)
@given(rows, st.integers(0, 39))
def test_known_and_after_make_the_whole(data: list[tuple[int, int, int]], cut_at: int) -> None:
    """What the customers known by then came to, before and after, is what they came to in all."""
    start = np.datetime64("2024-01-01")
    log: dict[str, Any] = {
        "customer": [who for who, _, _ in data], "date": start + np.array([day for _, day, _ in data]),
        "amount": [float(money) for _, _, money in data],
    }  # fmt: skip
    known = {"end": start + cut_at, "unit": "D", "returns": "net"}
    cut = split(log, until=start + 40, **known)
    alone = summarise(log, **known)
    for name in ("customer", "frequency", "recency", "T", "monetary", "first_amount"):
        assert getattr(cut.known, name).tolist() == getattr(alone, name).tolist()
    whole = summarise(log, **known | {"end": start + 40})
    mine = np.isin(whole.customer, alone.customer)
    assert (cut.orders == whole.frequency[mine] - alone.frequency).all()
    total = [one.mean_amount * (one.frequency + 1) for one in (whole, alone)]
    np.testing.assert_allclose(cut.amounts, total[0][mine] - total[1], atol=1e-9)
    assert cut.newcomers == (~mine).sum()
    assert cut.t == 40 - cut_at


def test_the_published_holdout_of_cdnow(sample: Log) -> None:
    """Fader, Hardie and Lee (2005): 39 weeks to fit, 39 to judge by."""
    cut = split(
        customer=sample.customer, occurred_at=sample.occurred_at, end="1997-09-30", until="1998-06-30"
    )
    assert (cut.known.frequency.size, cut.t, cut.newcomers) == (2357, 39.0, 0)
    fit = BGNBD().fit(**cut.known.history)
    found = score(fit.name, fit.expected_purchases(cut.t), cut.orders)
    assert np.corrcoef(fit.expected_purchases(cut.t), cut.orders)[0, 1] == pytest.approx(0.626, abs=0.001)
    assert found.rmse == pytest.approx(1.6, abs=0.02)
    with pytest.raises(InvalidInput, match="holdout ends on 1997-09-30"):
        split(customer=sample.customer, occurred_at=sample.occurred_at, end="1997-09-30", until="1997-09-30")


def test_the_published_tracking_of_cdnow(sample: Log) -> None:
    """BG/NBD follows the repeat purchases through the calibration and misses their sum of 78 weeks by 5 % at most."""
    when = {"customer": sample.customer, "occurred_at": sample.occurred_at}
    fit = BGNBD().fit(**summarise(**when, end="1997-09-30").history)
    found = track(fit, **when, end="1997-09-30", until="1998-06-30")
    actual, expected = found.cumulative
    repeats = summarise(**when, end="1998-06-30").frequency.sum()
    assert (len(found.weeks), actual[-1]) == (78, repeats)
    assert expected[38] == pytest.approx(actual[38], rel=0.02), "in the calibration"
    assert expected[-1] == pytest.approx(actual[-1], rel=0.05)
    first = summarise(**when, end="1997-09-30").T + 39.0
    assert expected[-1] == pytest.approx(fit.expected_repeats(first).sum(), rel=1e-9)
    with pytest.raises(InvalidInput, match="whole week"):
        track(fit, customer=[1], occurred_at=["1997-01-01"])


def test_the_holdout_ends_with_the_latest_order_whatever_came_back_later() -> None:
    log = {
        "customer": [1, 1, 1, 1],
        "date": ["2024-01-01", "2024-02-01", "2024-02-03", "2024-03-01"],
        "amount": [10.0, 20.0, 5.0, -4.0],
    }
    found, told = (split(log, end="2024-01-10", until=day, returns="net") for day in (None, "2024-02-03"))
    assert (found.until, found.amounts.tolist()) == (told.until, [25.0])
    assert told.amounts.tolist() == [25.0]
    assert split(log, end="2024-01-10", until="2024-03-01", returns="net").amounts.tolist() == [21.0]


def test_a_path_is_what_would_have_been_told_each_day() -> None:
    when = ["2024-01-01", "2024-01-09", "2024-01-09", "2024-02-20"]
    path = day_by_day(when, end="2024-04-01")
    for at in (0, 8, 30, 50, path.day.size - 1):
        then = summarise(customer=[1] * 4, occurred_at=when, end=path.day[at])
        assert {name: values[at] for name, values in path.history.items()} == {
            name: values[0] for name, values in then.history.items()
        }
    alive = BGNBD().fit(**path.history).p_alive(**path.history)
    assert alive.size == path.day.size == 92
    with pytest.raises(UnknownName, match="unit"):
        day_by_day(when, unit="week")
    with pytest.raises(InvalidInput, match="no orders"):
        day_by_day([])


def test_a_forecast_takes_a_data_frame_and_gives_a_table() -> None:
    rng = np.random.default_rng(2)
    log = {
        "customer_id": rng.integers(0, 40, 90).astype(str),
        "date": np.datetime64("2024-01-01") + rng.integers(0, 90, 90),
        "margin": rng.gamma(3.0, 5.0, 90),
    }  # fmt: skip
    told = forecast(log, end="2024-04-10", horizon=4.0)
    same = forecast(
        customer=log["customer_id"],
        occurred_at=log["date"],
        margin=log["margin"],
        end="2024-04-10",
        horizon=4.0,
    )
    table = told.table()
    assert table.equals(same.table())
    assert table["customer"].to_pylist() == summarise(log, end="2024-04-10").table()["customer"].to_pylist()
    assert table["clv"].to_pylist() == told.projection.clv.tolist()
    assert table.schema.metadata[b"end"] == b"2024-04-10"
    with pytest.raises(InvalidInput, match="no margin"):
        forecast({name: log[name] for name in ("customer_id", "date")})
    with pytest.raises(InvalidInput, match="end"):
        forecast(log, end="at Easter")
