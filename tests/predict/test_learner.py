"""Features from orders and the learner on top of a probability model."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.domain.errors import BadFile, InvalidInput
from shopkeeper.predict.value import MBGNBD
from shopkeeper.predict.value.features import ORDER_WORDS, WINDOWS, FeatureTable, from_orders
from shopkeeper.predict.value.learner import Learner, LearnerFit
from shopkeeper.predict.value.lessons import learn, lessons
from shopkeeper.predict.value.origin import hold_out
from shopkeeper.predict.value.score import ranks
from shopkeeper.predict.value.summary import PurchaseDays, Summary, purchase_days, summarise_days

from .conftest import Log

START = np.datetime64("2023-01-01")
AS_OF = 300
ORDERS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 420), st.integers(-3, 30)), min_size=1, max_size=40
)


def log_of(orders: list[tuple[int, int, int]]) -> PurchaseDays:
    who, day, amount = (np.array(column) for column in zip(*orders, strict=True))
    return purchase_days(customer=who, occurred_at=START + day, amount=amount.astype(float))


def plain(orders: list[tuple[int, int, int]], customer: int) -> dict[str, float]:
    """The features of one customer, told one by one."""
    per_day: dict[int, float] = {}
    for who, day, amount in orders:
        if who == customer and day <= AS_OF:
            per_day[day] = per_day.get(day, 0.0) + amount
    days, amounts = sorted(per_day), [per_day[day] for day in sorted(per_day)]
    gaps = [(b - a) / 7 for a, b in itertools.pairwise(days)]
    silence = (AS_OF - days[-1]) / 7
    nan = float("nan")
    found = {
        "frequency": len(days) - 1, "recency": (days[-1] - days[0]) / 7, "T": (AS_OF - days[0]) / 7,
        "silence": silence, "gap_mean": np.mean(gaps) if gaps else nan, "gap_last": gaps[-1] if gaps else nan,
        "gap_max": max(gaps) if gaps else nan, "gap_cv": np.std(gaps) / np.mean(gaps) if len(gaps) > 1 else nan,
        "silence_over_gap": silence / np.mean(gaps) if gaps else nan,
        "orders_season": sum(273 <= AS_OF - day < 364 for day in days),
        "amount_mean": np.mean(amounts), "amount_first": amounts[0], "amount_last": amounts[-1],
        "amount_max": max(amounts),
        "amount_cv": np.std(amounts) / np.mean(amounts) if len(days) > 1 and np.mean(amounts) > 0 else nan,
        "weekend": np.mean([(START + day).astype(object).weekday() >= 5 for day in days]),
        "last_weekday": (START + days[-1]).astype(object).weekday(),
        "first_month": (START + days[0]).astype(object).month,
    }  # fmt: skip
    for weeks in WINDOWS:
        recent = [place for place, day in enumerate(days) if AS_OF - day < weeks * 7]
        found[f"orders_{weeks}w"] = len(recent)
        found[f"amount_{weeks}w"] = sum(amounts[place] for place in recent)
    earlier = found["orders_26w"] - found["orders_13w"]
    return found | {"orders_trend": found["orders_13w"] - earlier}


@settings(max_examples=60, deadline=None)
@given(ORDERS)
def test_every_feature_is_what_it_says_and_nothing_later_is_seen(orders: list[tuple[int, int, int]]) -> None:
    as_of = START + AS_OF
    table = from_orders(log_of(orders), as_of)
    known = sorted({who for who, day, _ in orders if day <= AS_OF})
    assert table.customer.tolist() == known
    assert table.names == tuple(ORDER_WORDS)
    for row, customer in enumerate(known):
        expected = plain(orders, customer)
        told = [expected[name] for name in table.names]
        np.testing.assert_allclose(table.values[row], told, rtol=1e-9, atol=1e-6, err_msg=str(table.names))
    past = [order for order in orders if order[1] <= AS_OF]
    if past:
        np.testing.assert_array_equal(table.values, from_orders(log_of(past), as_of).values)


@pytest.mark.parametrize(("span", "window"), [(700, 91), (272, 273), (30, 365), (3, 7), (1000, 1)])
def test_lessons_end_by_the_end_day(span: int, window: int) -> None:
    for lesson in lessons(100, 100 + span, window):
        assert lesson.day + lesson.window <= 100 + span
        assert lesson.day >= 100 + span // 2
        assert 1 <= lesson.window <= window


def foretell(past: Summary, weeks: float) -> np.ndarray:
    history = {"frequency": past.frequency, "recency": past.recency, "T": past.T}
    return MBGNBD().fit(**history).expected_purchases(weeks, **history)


@pytest.fixture(scope="module")
def taught(sample: Log) -> tuple[PurchaseDays, Summary, np.ndarray, np.ndarray, LearnerFit]:
    """CDNOW's first 39 weeks, what MBG/NBD foretells of the next 39, what was bought, and the learner's fit."""
    days = purchase_days(customer=sample.customer, occurred_at=sample.occurred_at, amount=sample.amount)
    held = hold_out(days, end_day=int(np.datetime64("1998-06-30").astype(np.int64)), window_days=273)
    past, end = held.known.past, held.known.end_day
    fit = learn(days, end_day=end, window_days=273, foretell=foretell)
    return days, past, foretell(past, 39.0), held.orders, fit


def test_on_cdnow_it_is_as_good_as_the_model_it_corrects(taught) -> None:
    days, past, offset, actual, fit = taught
    assert fit.trees > 0
    assert fit.notes == ()
    mine = fit.expected(from_orders(days, past.end), offset)
    errors = [np.sqrt(((one - actual) ** 2).mean()) for one in (mine, offset)]
    order = [np.corrcoef(ranks(one), ranks(actual))[0, 1] for one in (mine, offset)]
    assert errors[0] < 1.62  # the model has 1.607, trees on Pareto/NBD without lessons 1.724
    assert order[0] > order[1]


def test_what_comes_after_the_end_changes_no_fit_and_the_same_data_give_the_same(taught) -> None:
    days, past, _, _, fit = taught
    end = int(past.end.astype(np.int64))
    known = days.day <= end
    cut = PurchaseDays(days.customers, days.code[known], days.day[known], days.amount[known])
    assert learn(cut, end_day=end, window_days=273, foretell=foretell) == fit


def test_a_fit_is_saved_as_json_and_read_again(taught, tmp_path) -> None:
    days, past, offset, _, fit = taught
    fit.save(tmp_path / "fit.json")
    again = LearnerFit.load(tmp_path / "fit.json")
    assert again == fit
    table = from_orders(days, past.end)
    np.testing.assert_array_equal(again.expected(table, offset), fit.expected(table, offset))
    assert sum(fit.importance.values()) == pytest.approx(1.0, abs=1e-4)
    assert fit.in_words(1)[0].endswith("%: present silence over the own mean gap")
    cut = fit.to_json().replace(b"Tree=3\\n", b"Tre3\\n")
    with pytest.raises(BadFile, match="trees are missing"):
        LearnerFit.from_json(cut)


def a_table(n: int, seed: int = 1, **columns: np.ndarray) -> FeatureTable:
    rng = np.random.default_rng(seed)
    columns = columns or {"views": rng.poisson(2.0, n).astype(float), "noise": rng.random(n)}
    return FeatureTable(np.arange(n), tuple(columns), np.column_stack([*columns.values()]), {}, START)


def test_what_predicts_is_learnt_and_the_rest_is_not() -> None:
    rng = np.random.default_rng(5)
    table, base = a_table(3000), rng.gamma(2.0, 0.5, 3000)
    truth = base * np.exp(0.4 * table.column("views") - 0.8)
    fit = Learner().fit(table, offset=base, target=rng.poisson(truth))
    assert fit.importance["views"] > 0.8
    mine = fit.expected(table, base)
    assert np.sqrt(((mine - truth) ** 2).mean()) < 0.35 * np.sqrt(((base - truth) ** 2).mean())
    nothing = Learner().fit(table, offset=base, target=rng.poisson(base))
    assert nothing.trees < 10
    assert np.abs(nothing.expected(table, base) / base - 1).mean() < 0.03


def test_texts_keep_their_meaning_whatever_their_number() -> None:
    rng = np.random.default_rng(6)
    codes = rng.integers(0, 2, 1000).astype(float)
    base = np.ones(1000)
    bought = rng.poisson(np.where(codes == 1, 3.0, 0.3))
    first = FeatureTable(np.arange(1000), ("channel",), codes[:, None], {"channel": ("till", "web")}, START)
    other = FeatureTable(
        np.arange(1000), ("channel",), 1 - codes[:, None], {"channel": ("web", "till")}, START
    )
    fit = Learner().fit(first, offset=base, target=bought)
    np.testing.assert_array_equal(fit.expected(first, base), fit.expected(other, base))
    assert fit.expected(first, base)[codes == 1].mean() > 4 * fit.expected(first, base)[codes == 0].mean()
    unknown = FeatureTable(np.arange(1), ("channel",), np.zeros((1, 1)), {"channel": ("app",)}, START)
    assert np.isfinite(fit.expected(unknown, [1.0])).all()


@pytest.mark.parametrize("objective", ["poisson", "tweedie"])
@pytest.mark.parametrize(
    ("n", "offset", "target", "note"),
    [
        (0, 1.0, 0.0, "too few"),
        (1, 1.0, 1.0, "too few"),
        (10, 1.0, 3.0, "too few"),
        (400, 1.0, 0.0, "only 0 bought"),
        (400, 0.0, 1.0, "expects nothing"),
        (400, 1.0, 1.0, "nothing known"),
        (400, 1e-12, 1.0, ""),
        (400, 1e9, 1.0, ""),
    ],
)
def test_bad_data_give_a_usable_answer_and_a_note(objective, n, offset, target, note) -> None:
    table = a_table(n)
    fit = Learner(objective=objective).fit(table, offset=np.full(n, offset), target=np.full(n, target))
    expected = fit.expected(table, np.full(n, offset))
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert note in " ".join(fit.notes)


def test_offsets_of_nothing_among_others_stay_near_nothing() -> None:
    rng = np.random.default_rng(3)
    table, base = a_table(500), np.where(np.arange(500) % 2, 0.0, 2.0)
    fit = Learner().fit(table, offset=base, target=rng.poisson(base))
    assert (fit.expected(table, base)[base == 0] < 0.05).all()


def test_spend_is_learnt_returns_count_as_nothing_and_one_wholesaler_does_not_bend_it() -> None:
    rng = np.random.default_rng(4)
    table, base = a_table(2000), np.full(2000, 50.0)
    truth = 50.0 * np.where(table.column("views") > 2, 2.0, 0.5)
    spent = np.where(rng.random(2000) < 0.5, 0.0, rng.gamma(2.0, truth))
    spent[:3] = -20.0, -5.0, 1_000_000.0
    fit = Learner(objective="tweedie").fit(table, offset=base, target=spent)
    assert "2 negative amounts were taken as 0" in fit.notes
    mine = fit.expected(table, base)
    assert np.abs(mine - truth).mean() < 0.6 * np.abs(base - truth).mean()
    assert mine.max() < 400


def test_a_large_shop_is_learnt_from_a_part_of_its_customers() -> None:
    rng = np.random.default_rng(8)
    table, base = a_table(1000), np.ones(1000)
    fit = Learner(most_rows=500).fit([table, table], offset=[base, base], target=[rng.poisson(base)] * 2)
    assert 300 < fit.n < 700
    assert "of 2000 rows" in fit.notes[0]


@pytest.mark.parametrize(
    ("offset", "target", "message"),
    [
        ([1.0, -1.0, 1.0], [0, 0, 0], r"offset is negative in 1 of 3 rows \(row 1\)"),
        ([1.0, np.nan, 1.0], [0, 0, 0], "offset is not a finite number"),
        ([1.0, 1.0], [0, 0, 0], "2 offsets for 3 rows"),
        ([1.0, 1.0, 1.0], [0, 0, -2], "target is negative in 1 of 3 rows"),
        ([1.0, 1.0, 1.0], [0, 0], "arrays differ in length"),
    ],
)
def test_bad_rows_are_named(offset, target, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        Learner().fit(a_table(3), offset=offset, target=target)


def test_without_lightgbm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    table = a_table(100)
    with pytest.raises(InvalidInput, match="needs LightGBM") as caught:
        Learner().fit(table, offset=np.ones(100), target=np.arange(100) % 3)
    assert "shopkeeper[learn]" in caught.value.hint


def test_all_rows_count_only_what_the_summary_counts(sample: Log) -> None:
    days = purchase_days(customer=sample.customer, occurred_at=sample.occurred_at, amount=sample.amount)
    past = summarise_days(days, end=np.datetime64("1997-09-30"))
    table = from_orders(days, np.datetime64("1997-09-30"))
    assert (table.customer == past.customer).all()
    for name, column in (("frequency", past.frequency), ("recency", past.recency), ("T", past.T)):
        np.testing.assert_allclose(table.column(name), column)


def test_columns_of_some_customers_are_those_of_their_rows() -> None:
    table = FeatureTable(
        np.array([3, 5, 9]),
        ("a", "b"),
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        {},
        np.datetime64("2024-01-01"),
    )
    wanted = [9, 4, 3]
    columns = dict(table.columns_of(wanted))
    assert tuple(columns) == table.names
    np.testing.assert_array_equal(np.column_stack([*columns.values()]), table.rows_of(wanted).values)
