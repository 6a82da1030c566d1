"""From orders to frequency, recency, T and amounts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import summarise
from shopkeeper.predict.value.history import checked, collapse, table

from .conftest import Log


def test_cdnow_has_the_published_counts(sample: Log) -> None:
    log = sample.calibration()
    assert len(log.customer) == 2357
    assert int((log.frequency > 0).sum()) == 946
    assert log.T.max() == pytest.approx(38.857, abs=1e-3)
    assert log.after_end > 0


def test_orders_of_one_day_are_one_purchase() -> None:
    log = summarise(
        customer=["b", "a", "b", "b"],
        occurred_at=["2024-03-01T23:59", "2024-03-05", "2024-03-01T00:00", "2024-03-31"],
        amount=[5, 7, 6, 20],
        end="2024-04-10",
        unit="D",
    )
    assert log.customer.tolist() == ["a", "b"]
    assert log.frequency.tolist() == [0, 1]
    assert log.recency.tolist() == [0, 30]
    assert log.T.tolist() == [36, 40]
    assert log.first_amount.tolist() == [7, 11]
    assert log.monetary.tolist() == [0, 20]
    assert log.mean_amount.tolist() == [7, 15.5]


def test_log_gaps_are_those_between_purchase_days() -> None:
    log = summarise(
        customer=[1, 2, 1, 1], occurred_at=["2024-01-01", "2024-01-03", "2024-01-15", "2024-01-08"], unit="W"
    )
    assert log.log_gaps.tolist() == [0.0, 0.0]
    log = summarise(customer=[1, 1, 1], occurred_at=["2024-01-01", "2024-01-04", "2024-01-12"], unit="D")
    assert log.log_gaps.tolist() == pytest.approx([np.log(3) + np.log(8)])


def test_later_orders_and_customers_are_left_out_and_counted() -> None:
    log = summarise(
        customer=[1, 1, 2], occurred_at=["2024-01-01", "2024-02-01", "2024-02-02"], end="2024-01-15"
    )
    assert log.customer.tolist() == [1]
    assert log.after_end == 2
    assert log.frequency.tolist() == [0]


def test_an_empty_log_is_no_error() -> None:
    log = summarise(customer=[], occurred_at=[], amount=[])
    assert log.customer.size == log.T.size == 0


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200), st.integers(0, 50)), min_size=1, max_size=40),
    st.sampled_from("DWMY"),
    st.randoms(use_true_random=False),
)
def test_agrees_with_counting_by_hand(data: list[tuple[int, int, int]], unit: str, random: Any) -> None:
    random.shuffle(data)
    start = np.datetime64("2023-05-01")
    log = summarise(
        customer=[who for who, _, _ in data],
        occurred_at=np.array([start + day for _, day, _ in data]),
        amount=[amount for _, _, amount in data],
        end=start + 150,
        unit=unit,
    )
    per = {"D": 1, "W": 7, "M": 365.25 / 12, "Y": 365.25}[unit]
    days: dict[int, dict[int, int]] = {}
    for who, day, amount in data:
        if day <= 150:
            own = days.setdefault(who, {})
            own[day] = own.get(day, 0) + amount
    assert log.customer.tolist() == sorted(days)
    for i, who in enumerate(sorted(days)):
        first, *rest = sorted(days[who])
        assert log.frequency[i] == len(rest)
        assert log.T[i] == pytest.approx((150 - first) / per)
        assert log.recency[i] == pytest.approx((max([first, *rest]) - first) / per)
        assert log.monetary[i] == pytest.approx(sum(days[who][d] for d in rest) / max(len(rest), 1))
    checked(log.frequency, log.recency, log.T)


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        ({"customer": [1, 2], "occurred_at": ["2024-01-01"]}, "differ in length: customer 2, occurred_at 1"),
        (
            {"customer": [1, 2], "occurred_at": ["2024-01-01", "NaT"]},
            "occurred_at is missing in 1 of 2 .*row 1",
        ),
        ({"customer": ["a", None], "occurred_at": ["2024-01-01"] * 2}, "customer is missing in 1 of 2"),
        ({"customer": [1.0, np.nan], "occurred_at": ["2024-01-01"] * 2}, "customer is missing"),
        ({"customer": [1], "occurred_at": ["soon"]}, "not times"),
        ({"customer": [1], "occurred_at": [20240101]}, "not times"),
        (
            {"customer": [1], "occurred_at": ["2024-01-01"], "amount": [np.inf]},
            "amount is not a finite number",
        ),
    ],
)
def test_wrong_orders_are_named(orders: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        summarise(**orders)


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(UnknownName, match="unknown unit 'H'"):
        summarise(customer=[1], occurred_at=["2024-01-01"], unit="H")


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1), st.integers(1, 9)), max_size=40),
    st.sampled_from([1.0, 7.0, 365.25, 3.1]),
)
def test_distinct_rows_stand_for_all_rows(data: list[tuple[int, float, int]], per: float) -> None:
    x = np.array([row[0] for row in data], dtype=float)
    age = np.array([row[2] for row in data], dtype=float) / per
    recency = np.where(x > 0, np.ceil(np.array([row[1] for row in data]) * age * per) / per, 0.0)
    recency = np.where(x > 0, np.clip(recency, 1 / per, age), 0.0)
    history = checked(x, recency, age)
    distinct = collapse(history, inverse=True)
    assert distinct.weights.sum() == len(data)
    assert len(distinct.history) == len({*zip(x, np.round(recency, 9), np.round(age, 9), strict=True)})
    for name in ("frequency", "recency", "T"):
        back = getattr(distinct.history, name)[distinct.inverse]
        np.testing.assert_allclose(back, getattr(history, name), atol=1e-9)
    np.testing.assert_array_equal(collapse(history).weights, distinct.weights)


def test_table_finds_each_value() -> None:
    for values in (
        np.array([3.0, 1.0, 3.0]),
        np.array([0.123456, 9.87, 0.123456]),
        np.array([1e15, 2.0]),
        np.empty(0),
    ):
        distinct, where = table(values)
        np.testing.assert_allclose(distinct[where], values)
