"""From orders to frequency, recency, T and amounts."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value import ParetoNBD, split, summarise
from shopkeeper.predict.value.history import checked, collapse, table
from shopkeeper.predict.value.summary import purchase_days
from shopkeeper.predict.value.times import days_of

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
        ({"customer": ["a", ""], "occurred_at": ["2024-01-01"] * 2}, "customer is missing .* 1 of 2 .*row 1"),
        ({"customer": [1, 2], "occurred_at": ["2024-01-01"] * 2, "order": ["x", None]}, "order is missing"),
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


def test_numbers_of_cards_longer_than_a_machine_word_are_told_apart() -> None:
    cards = [98_765_432_109_876_543_210, 98_765_432_109_876_543_211, 98_765_432_109_876_543_210]
    log = summarise(customer=cards, occurred_at=["2024-01-01", "2024-01-02", "2024-01-03"])
    assert log.customer.tolist() == sorted(map(str, set(cards)))
    assert log.frequency.tolist() == [1.0, 0.0]


def test_an_end_with_a_zone_is_a_day_of_the_shops() -> None:
    """Half past eleven at night in London is the next day in Berlin, for orders and for the end alike."""
    log: dict[str, Any] = {
        "customer": [1, 1], "occurred_at": ["2024-01-01T12:00Z", "2024-02-01T23:30Z"], "time_zone": "Europe/Berlin"
    }  # fmt: skip
    told = summarise(**log, end="2024-02-01T23:30Z", unit="D")
    assert (str(told.end), told.after_end, told.recency.tolist()) == ("2024-02-02", 0, [32.0])
    cut = split(**log, end="2024-01-31T23:30Z", until="2024-02-01T23:30Z", unit="D")
    assert (str(cut.known.end), str(cut.until), cut.orders.tolist()) == ("2024-02-01", "2024-02-02", [1.0])


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


LOG = {
    "customer_id": ["a", "b", "a", "a"],
    "date": ["2024-01-01T23:30", "2024-01-05T00:00", "2024-01-08T00:00", "2024-02-01T00:00"],
    "total": [10.0, 5.0, 20.0, -3.0],
}


def arrow(zone: str | None = None, *, coded: bool = False) -> pa.Table:
    table = pa.table(LOG)
    times = table["date"].cast(pa.timestamp("us")).cast(pa.timestamp("us", tz=zone))
    table = table.set_column(1, "date", times)
    return table.set_column(0, "customer_id", table["customer_id"].dictionary_encode()) if coded else table


@pytest.mark.parametrize(
    ("orders", "last"),
    [
        (LOG, 7),
        ({name: np.array(values) for name, values in LOG.items()}, 7),
        (arrow(), 7),
        (arrow("Europe/Berlin", coded=True), 6),
        (arrow().to_batches()[0], 7),
        (arrow("Europe/Berlin", coded=True).to_batches()[0], 6),
        (LOG | {"date": [datetime.fromisoformat(text) for text in LOG["date"]]}, 7),
        (LOG | {"date": [datetime.fromisoformat(f"{text}Z") for text in LOG["date"]]}, 7),
        (LOG | {"date": [f"{text}:00Z" for text in LOG["date"]]}, 7),
    ],
)
def test_any_data_frame_will_do(orders: Any, last: float) -> None:
    """23:30 in London is the next day in Berlin, where the frame says that it is shown."""
    log = summarise(orders, returns="net", end="2024-02-05", unit="D")
    assert log.customer.tolist() == ["a", "b"]
    assert log.frequency.tolist() == [1, 0]
    assert log.recency.tolist() == [last, 0]
    assert log.first_amount.tolist() == [10, 5]
    assert log.monetary.tolist() == [17, 0]
    named = summarise(orders, customer="customer_id", occurred_at="date", returns="drop", end="2024-02-05")
    assert named.returns_left_out == 1
    assert named.after_end == 0


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_of_other_libraries_will_do(library: str) -> None:
    frames = importlib.import_module(library)
    plain = frames.DataFrame(LOG | {"date": [datetime.fromisoformat(text) for text in LOG["date"]]})
    zoned = frames.DataFrame(LOG | {"date": [datetime.fromisoformat(f"{text}Z") for text in LOG["date"]]})
    if library == "pandas":
        zoned["date"] = zoned["date"].dt.tz_convert("Europe/Berlin")
        zoned["customer_id"] = zoned["customer_id"].astype("category")
    else:
        zoned = zoned.with_columns(frames.col("date").dt.convert_time_zone("Europe/Berlin"))
    for orders, last in ((plain, 7), (zoned, 6)):
        log = summarise(orders, returns="net", end="2024-02-05", unit="D")
        assert (log.customer.tolist(), log.recency.tolist(), log.monetary.tolist()) == (
            ["a", "b"], [last, 0], [17, 0],
        )  # fmt: skip
        assert ParetoNBD().fit(
            frequency=frames.Series(log.frequency), recency=frames.Series(log.recency), T=frames.Series(log.T)
        ).n == 2  # fmt: skip


def test_what_speaks_arrow_will_do_and_a_lazy_frame_is_to_be_collected() -> None:
    duckdb, polars = importlib.import_module("duckdb"), importlib.import_module("polars")
    told = arrow()
    relation = duckdb.connect().sql("SELECT * FROM told WHERE total <> 5")
    assert summarise(relation, returns="net").customer.tolist() == ["a"]
    assert (
        summarise(customer=told["customer_id"].chunk(0), occurred_at=told["date"].chunk(0)).frequency.sum()
        == 2
    )
    with pytest.raises(InvalidInput, match="lazy frame"):
        summarise(polars.LazyFrame(LOG))


def test_times_in_several_zones_count_in_the_one_that_is_said() -> None:
    log: dict[str, Any] = {
        "customer": [1, 1], "occurred_at": ["2024-01-01T23:30:00+00:00", "2024-01-02T00:10:00+01:00"]
    }  # fmt: skip
    with pytest.raises(
        InvalidInput, match=r"in another time zone than row 0 in 1 of 2 rows .row 1.*time_zone="
    ):
        summarise(**log)
    assert summarise(**log, time_zone="Europe/Berlin").frequency.tolist() == [0]
    assert summarise(**log, time_zone="UTC").frequency.tolist() == [0]
    assert summarise(**log, time_zone="Pacific/Auckland").frequency.tolist() == [0]
    with pytest.raises(InvalidInput, match="unknown time zone"):
        summarise(**log, time_zone="Atlantis")
    log["occurred_at"][1] = "2024-01-02T00:10:00"
    with pytest.raises(InvalidInput, match="has a time zone while other rows have none in 1 of 2"):
        summarise(**log)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(0, 3 * 10**7), min_size=1, max_size=20),
    st.sampled_from(["Europe/Berlin", "Asia/Kolkata"]),
)
def test_days_are_those_of_the_wall_clock(seconds: list[int], zone: str) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(seconds=one) for one in seconds]
    expected = [moment.astimezone(ZoneInfo(zone)).date().toordinal() - 719_163 for moment in moments]
    column = pa.chunked_array([pa.array(moments, pa.timestamp("us", tz="UTC"))])
    assert days_of("at", column, zone).tolist() == expected
    assert days_of("at", moments, zone).tolist() == expected
    assert days_of("at", column.cast(pa.timestamp("us", tz=zone))).tolist() == expected


def test_a_return_is_taken_off_the_purchase_before() -> None:
    log: dict[str, Any] = {
        "customer": [1, 1, 1, 2, 1],
        "occurred_at": ["2024-01-05", "2024-01-01", "2024-01-09", "2024-01-02", "2024-01-05"],
        "amount": [30, 10, -4, -7, -1],
    }
    with pytest.raises(InvalidInput, match=r"amount is negative in 3 of 5 rows .row 2, 3, 4.*returns='net'"):
        summarise(**log)
    net = summarise(**log, returns="net", end="2024-02-01")
    assert (net.customer.tolist(), net.frequency.tolist(), net.monetary.tolist()) == ([1], [1], [25])
    assert net.returns_left_out == 1
    before = summarise(**log, returns="net", end="2024-01-08")
    assert before.monetary.tolist() == [29], "what came back later is not known yet"
    dropped = summarise(**log, returns="drop")
    assert (dropped.frequency.tolist(), dropped.monetary.tolist(), dropped.returns_left_out) == ([1], [30], 3)
    kept = summarise(**log, returns="keep")
    assert (kept.frequency.tolist(), kept.first_amount.tolist()) == ([2, 0], [10, -7])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(-9, 9)), min_size=1, max_size=30)
)
def test_netting_loses_nothing_but_what_nothing_was_bought_before(data: list[tuple[int, int, int]]) -> None:
    log = {
        "customer": [who for who, _, _ in data],
        "occurred_at": [np.datetime64("2024-01-01") + day for _, day, _ in data],
        "amount": [amount for _, _, amount in data],
    }
    net = purchase_days(**log, returns="net")
    expected = 0
    for who in {who for who, _, _ in data}:
        own = [(day, amount) for one, day, amount in data if one == who]
        bought = [day for day, amount in own if amount >= 0]
        expected += sum(amount for day, amount in own if bought and day >= min(bought))
    assert net.amount.sum() == pytest.approx(expected)


def test_a_repeated_order_is_refused_or_explained() -> None:
    log: dict[str, Any] = {
        "customer": [1, 1, 2], "occurred_at": ["2024-01-01"] * 3, "amount": [5, 6, 7], "order": ["x", "x", "y"]
    }  # fmt: skip
    with pytest.raises(
        InvalidInput, match=r"order id is given again in 1 of 3 rows .row 1.*duplicates='sum'"
    ):
        summarise(**log)
    assert summarise(**log, duplicates="sum").first_amount.tolist() == [11, 7]
    assert summarise(**log, duplicates="first").first_amount.tolist() == [5, 7]
    with pytest.raises(InvalidInput, match="belongs to another customer, too, in 1 of 3 rows"):
        summarise(**log | {"customer": [1, 2, 2]}, duplicates="first")
    with pytest.raises(InvalidInput, match="on another day, too"):
        summarise(**log | {"occurred_at": ["2024-01-01", "2024-01-02", "2024-01-03"]}, duplicates="sum")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"orders": [1, 2]}, "orders is a list, no data frame"),
        ({"orders": {"who": [1]}}, "no column has a usual name of customer; there are who"),
        ({"orders": LOG | {"margin": [1, 2, 3, 4]}}, "more than one column may be the amount: total, margin"),
        (
            {"orders": LOG, "customer": "custmer_id"},
            "unknown column 'custmer_id'; did you mean 'customer_id'",
        ),
        ({"orders": LOG, "customer": [1, 2, 3, 4]}, "no name of a column"),
        ({}, "no orders were given"),
        ({"orders": LOG, "returns": "nett"}, "unknown returns 'nett'; did you mean 'net'"),
        ({"customer": [1, 2], "occurred_at": ["2024-01-01", "soon"]}, "not times in 1 of 2 rows .row 1"),
        ({"orders": LOG | {"total": ["1", "2", "3", "4"]}}, "amount is text, not numbers, in 4 of 4 rows"),
        ({"orders": LOG | {"total": [1, "2", 3, 4]}}, "amount is text, not numbers, in 1 of 4 rows .row 1"),
    ],
)
def test_what_cannot_be_read_is_said(call: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        summarise(**call)
