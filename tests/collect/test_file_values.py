"""Values of text: decimals with point or comma, dates in many forms, the shop's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.collect.files.amounts import Exact, Sum, half_even, multiply
from shopkeeper.collect.files.dates import DateEvidence, to_instants
from shopkeeper.collect.files.numbers import MILLION, NumberEvidence, micros_of_typed, to_micros
from shopkeeper.collect.files.zone import to_utc
from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.money import line_amount

HEAD = "order_id;date;product_id;quantity;unit_price\n"


def one(text, **how):
    at, bad = to_instants(pa.array([text]), day_first=how.get("day_first", True), zone=how.get("zone", "UTC"))
    return None if bad[0] else instant(int(at[0])).isoformat()


@pytest.mark.parametrize(
    "text",
    [
        "2011-12-09 12:50", "2011-12-09T12:50:00", "2011-12-09T12:50:00Z", "2011-12-09T13:50:00+01:00",
        "2011/12/09 12:50", "9.12.2011 12:50", "09/12/2011 12:50", "9/12/11 12:50", "9 Dec 2011 12:50",
        "09-Dez-2011 12:50", "December 9, 2011 12:50 PM", "9 décembre 2011 12:50", "20111209T1250", "20111209125000",
        "40886.5347222222", "1323435000", "1323435000000",
    ],
)  # fmt: skip
def test_one_moment_in_many_forms(text):
    assert one(text) == "2011-12-09T12:50:00+00:00"


@pytest.mark.parametrize(
    "text", ["31/02/2011", "2011-13-01", "2011-12-09 25:00", "soon", "12:50", "0/0/0", "3011-01-01"]
)
def test_what_is_no_moment(text):
    assert one(text) is None


def test_day_or_month_first_is_decided_by_the_whole_column(bring):
    rows = "1;03/04/2011;p;1;2\n2;05/13/2011;p;1;2\n"
    months = [instant(event.occurred_at).month for event in bring(HEAD + rows).events]
    assert months == [3, 5]
    days = bring(HEAD + rows.replace("05/13", "13/05"), "later.csv", source="other")
    assert [instant(event.occurred_at).month for event in days.events] == [4, 5]


def test_an_undecided_column_is_day_first_says_so_and_can_be_overridden(bring):
    rows = HEAD + "1;03/04/2011;p;1;2\n"
    brought = bring(rows)
    assert instant(brought.events[0].occurred_at).month == 4
    assert any("does not tell day from month" in note for note in brought.notes)
    assert any("does not tell day from month" in note for note in brought.guess.notes)
    other = bring(rows, "us.csv", day_first=False, source="us")
    assert instant(other.events[0].occurred_at).month == 3
    assert not other.notes


def test_contradicting_dates_are_refused_not_guessed(bring):
    brought = bring(HEAD + "1;14/04/2011;p;1;2\n2;15/04/2011;p;1;2\n3;04/16/2011;p;1;2\n")
    assert brought.reasons == {4: "bad_time"}
    assert any("the others are refused" in note for note in brought.notes)


def test_three_formats_in_one_column(bring):
    brought = bring(HEAD + "1;2011-12-09;p;1;2\n2;10.12.2011;p;1;2\n3;11 Dec 2011;p;1;2\n")
    assert [instant(event.occurred_at).day for event in brought.events] == [9, 10, 11]


@settings(deadline=None, max_examples=40)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)))
def test_any_written_moment_is_read_back(at):
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    told = at.replace(tzinfo=UTC).isoformat()
    assert one(at.isoformat(sep=" ")) == told
    assert one(at.isoformat() + "Z") == told
    minute = at.replace(second=0, microsecond=0)
    expected = minute.replace(tzinfo=UTC).isoformat()
    assert one(minute.strftime("%d/%m/%Y %H:%M")) == expected
    assert one(minute.strftime("%m/%d/%Y %H:%M"), day_first=False) == expected
    assert one(minute.strftime("%d.%m.%Y %H:%M"), day_first=False) == expected


@settings(deadline=None)
@given(
    st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1)), min_size=1, max_size=20),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_wall_clocks_are_read_as_the_zone_database_says(moments, zone):
    wall = np.array([(m - datetime(1970, 1, 1)) // timedelta(microseconds=1) for m in moments], np.int64)
    expected = [
        (m.replace(tzinfo=ZoneInfo(zone)) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        for m in moments
    ]
    assert to_utc(wall, zone).tolist() == expected


def test_times_around_the_change_of_the_clocks_are_defined():
    assert one("2011-03-27 01:30", zone="Europe/London") == "2011-03-27T01:30:00+00:00"  # does not exist
    assert one("2011-10-30 01:30", zone="Europe/London") == "2011-10-30T00:30:00+00:00"  # the first of two
    with pytest.raises(InvalidInput, match="no time zone"):
        to_utc(np.array([0]), "Europe/Nowhere")


@pytest.mark.parametrize(
    ("text", "comma", "expected"),
    [
        ("6.95", False, "6.95"), ("1,234.50", False, "1234.5"), ("1.234,50", True, "1234.5"), ("-0,5", True, "-0.5"),
        ("£6.95", False, "6.95"), ("6,95 €", True, "6.95"), ("GBP 7", False, "7"), ("(3.20)", False, "-3.2"),
        ("3.20-", False, "-3.2"), ("1 234 567,8", True, "1234567.8"), ("1'234.5", False, "1234.5"),
        (".5", False, "0.5"), ("1e-3", False, "0.001"), ("2.5500000000000003", False, "2.55"),
    ],
)  # fmt: skip
def test_one_number_in_many_forms(text, comma, expected):
    micros, bad, _ = to_micros(pa.array([text]), comma=comma)
    assert not bad[0]
    assert Decimal(int(micros[0])).scaleb(-6) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["", "x", "1.2.3", "12,34", "--1", "1e99", "nan", "inf", "1 a", "1234567890123"]
)
def test_what_is_no_number(text):
    assert to_micros(pa.array([text]), comma=False)[1][0]


@settings(deadline=None)
@given(
    st.lists(st.decimals(-(10**9), 10**9, places=4), min_size=1, max_size=30), st.booleans(), st.booleans()
)
def test_any_written_number_is_read_back(numbers, comma, grouped):
    texts = [f"{n:,.4f}" if grouped else f"{n:.4f}" for n in numbers]
    if comma:
        texts = [text.translate(str.maketrans(",.", ".,")) for text in texts]
    column = pa.array(texts)
    evidence = NumberEvidence()
    evidence.add(column)
    assert evidence.comma() is comma
    micros, bad, rounded = to_micros(column, comma=comma)
    assert not bad.any()
    assert not rounded
    assert [Decimal(m).scaleb(-6) for m in micros.tolist()] == numbers


def test_decimal_commas_are_recognised_per_column_and_thousands_follow_the_file(bring):
    rows = "1;2011-12-09;p;1.200;6,95\n2;2011-12-09;p;3;1.234,50\n"
    brought = bring(HEAD + rows)
    lines = [event.properties.products[0] for event in brought.events]
    assert [(line.quantity, line.price, line.amount) for line in lines] == [
        (1200, Decimal("6.95"), 834_000),
        (3, Decimal("1234.5"), 370_350),
    ]
    assert any("'quantity'" in note for note in brought.notes)
    other = bring(HEAD + rows.replace("6,95", "6.95").replace("1.234,50", "5.25"), "b.csv", source="b")
    assert other.events[0].properties.products[0].quantity == 1.2


def test_typed_columns_keep_their_exact_value():
    decimals = pa.array([Decimal("6.950"), None, Decimal("-0.001")], pa.decimal128(18, 3))
    assert micros_of_typed(decimals)[0].tolist() == [6_950_000, 0, -1_000]
    assert micros_of_typed(decimals.slice(2))[0].tolist() == [-1_000]
    assert micros_of_typed(pa.array([0.1, 1e300, float("nan")]))[1].tolist() == [False, True, True]
    assert micros_of_typed(pa.array([3, -4], pa.int8()))[0].tolist() == [3_000_000, -4_000_000]
    assert micros_of_typed(pa.array([1 / 3]))[2] == 1


@settings(deadline=None)
@given(st.decimals(-1000, 1000, places=6), st.integers(-1000, 1000), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_line_amounts_agree_with_the_rule_of_money(price, quantity, currency):
    unit = {"GBP": 10_000, "JPY": 1_000_000, "KWD": 1_000}[currency]
    exact = multiply(np.array([int(price * MILLION)]), np.array([quantity * MILLION]))
    assert half_even(exact, np.array([unit])).tolist() == [line_amount(price, quantity, currency)]


@settings(deadline=None)
@given(st.decimals(-1000, 1000, places=3), st.decimals(-100, 100, places=3))
def test_weighed_goods_are_exact_too(price, weight):
    exact = multiply(np.array([int(price * MILLION)]), np.array([int(weight * MILLION)]))
    assert half_even(exact, np.array([10_000])).tolist() == [line_amount(price, weight, "GBP")]


def test_a_product_beyond_64_bits_is_marked():
    assert multiply(np.array([10**17]), np.array([10**12])).bad.tolist() == [True]
    assert half_even(
        Exact(np.array([15_000]), np.array([1]), np.array([False])), np.array([10_000])
    ).tolist() == [2]


def test_parts_of_a_sum_add_up():
    total = Sum()
    assert [total.add(0, 400_000) for _ in range(5)] == [0, 1, 0, 1, 0]


def test_evidence_sees_days_above_twelve():
    evidence = DateEvidence()
    evidence.add(pa.array(["01/02/2011", "13/02/2011", None, "x"]))
    assert (evidence.day_first, evidence.month_first, evidence.unclear) == (1, 0, 1)
