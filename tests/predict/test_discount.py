"""A discount rate says its period and refuses what is none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import BGNBD, Discount
from shopkeeper.predict.value.discount import DAYS_PER_PERIOD


@given(st.floats(0.0, 0.0015), st.sampled_from(sorted(DAYS_PER_PERIOD)), st.sampled_from("DWMY"))
def test_a_period_is_discounted_by_its_rate_in_any_unit(rate: float, per: str, unit: str) -> None:
    days = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}[unit]
    discount = Discount(rate, per=per)
    assert discount.factor(DAYS_PER_PERIOD[per] / days, unit) == pytest.approx(1 / (1 + rate))
    assert Discount(discount.yearly).continuous(unit) == pytest.approx(discount.continuous(unit))


@pytest.mark.parametrize(
    ("rate", "per", "reason"),
    [
        (10, "year", "0.1 for 10 % per year"),
        (-0.1, "year", "share from 0 to below 1"),
        (float("nan"), "year", "rate is nan"),
        (float("inf"), "year", "rate is inf"),
        (True, "year", "rate is True"),
        ("0.1", "year", "rate is '0.1'"),
        (0.1, "day", "a rate of 0.1 per day is .* % a year; say of which period"),
        (0.1, "years", "did you mean 'year'"),
    ],
)
def test_nonsense_is_refused(rate: Any, per: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        Discount(rate, per=per)


def test_it_is_kept_as_json_and_checked_when_read() -> None:
    kept = msgspec.json.encode(Discount(0.02, per="quarter"))
    assert msgspec.json.decode(kept, type=Discount) == Discount(0.02, per="quarter")
    with pytest.raises((InvalidInput, msgspec.ValidationError)):
        msgspec.json.decode(b'{"rate": 7, "per": "year"}', type=Discount)
    with pytest.raises(UnknownName, match="unit"):
        Discount(0.1).continuous("weeks")


def test_residual_purchases_without_end_are_worth_less_at_a_higher_rate() -> None:
    fit = BGNBD().fit(frequency=[2, 1, 0, 0], recency=[30.4, 1.7, 0, 0], T=[38.9, 38.9, 38.9, 20.0])
    low, high = (
        fit.future().discounted(float("inf"), Discount(rate).continuous("W")) for rate in (0.05, 0.15)
    )
    assert (low > high).all()
