"""Charts of value: what is drawn, what its table says, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shopkeeper.web.show import Show, words

if TYPE_CHECKING:
    from shopkeeper.domain.value import Predicted, ValueReport


class Plot(Struct, frozen=True, kw_only=True):
    """A chart with its table: ``rows`` are its points, ``head`` names their columns."""

    key: str
    title: str
    kind: str
    data: dict[str, Any]
    sentence: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    label: str
    legend: tuple[tuple[str, str], ...] = ()


def concentration(report: ValueReport, show: Show) -> Plot:
    """The curve of who holds the value."""
    return Plot(
        key="concentration",
        title="How the value is spread",
        kind="curves",
        data=_curves(
            [f"{show.percent(share)} of customers" for share, _ in report.concentration],
            [
                {
                    "name": "share of the value",
                    "values": [round(held, 4) for _, held in report.concentration],
                },
                {"name": "if all were alike", "values": [share for share, _ in report.concentration]},
            ],
            unit="percent",
        )
        | {"every": 20, "rest": min(10, len(report.concentration) - 1)},
        sentence="Customers from the most valuable on, and the part of the value they hold together.",
        head=("Customers", "Of the value"),
        rows=tuple((show.percent(share), show.percent(held)) for share, held in report.top),
        label="A curve of the share of the value held by the most valuable customers; the table below has figures",
        legend=(("first", "held"), ("second", "if all were alike")),
    )


def plots(report: ValueReport, show: Show) -> list[Plot]:
    """The pictures of the score card: what the model foretold on time it had not seen, and what came."""
    evidence = report.choice.get("evidence") or {}
    both = (("first", "came"), ("second", "foretold"))
    found = []
    if tracking := evidence.get("tracking"):
        weeks, actual, expected = (tracking[key] for key in ("weeks", "actual", "expected"))
        found.append(
            Plot(
                key="tracking", title="Week by week", kind="curves",
                data=_curves(
                    [f"week {week:g}" for week in weeks],
                    [
                        {"name": "orders came", "values": actual},
                        {"name": "foretold", "values": [round(one, 1) for one in expected]},
                    ],
                ),
                sentence="Orders of all customers in each week after the latest test began.",
                head=("Week", "Came", "Foretold"),
                rows=tuple(
                    (f"{w:g}", show.count(a), show.number(e, 1))
                    for w, a, e in zip(weeks, actual, expected, strict=True)
                ),
                label="Lines of orders that came and that were foretold, week by week; the table below has figures",
                legend=both,
            )
        )  # fmt: skip
    if deciles := evidence.get("deciles"):
        names = [f"tenth {place}" for place in range(1, len(deciles) + 1)]
        found.append(
            Plot(
                key="calibration", title="By tenth of customers", kind="pairs",
                data=_curves(
                    names,
                    [
                        {"name": "orders came", "values": [round(one["actual"], 3) for one in deciles]},
                        {"name": "foretold", "values": [round(one["predicted"], 3) for one in deciles]},
                    ],
                ),
                sentence="Customers in ten groups by what was foretold, lowest first: mean orders of each.",
                head=("Tenth", "Customers", "Came", "Foretold"),
                rows=tuple(
                    (name, show.count(one["n"]), show.number(one["actual"]), show.number(one["predicted"]))
                    for name, one in zip(names, deciles, strict=True)
                ),
                label="Bars of mean orders by tenth of customers; the table below has figures",
                legend=both,
            )
        )  # fmt: skip
    if repeats := evidence.get("repeats"):
        last = repeats[-1]["purchases"]
        names = [f"{one['purchases']}{'+' if one['purchases'] == last else ''}" for one in repeats]
        found.append(
            Plot(
                key="repeats", title="How many order how often", kind="pairs",
                data=_curves(
                    names,
                    [
                        {"name": "customers", "values": [one["actual"] for one in repeats]},
                        {"name": "foretold", "values": [round(one["expected"], 1) for one in repeats]},
                    ],
                ),
                sentence="Customers by the number of orders within the test.",
                head=("Orders", "Customers", "Foretold"),
                rows=tuple(
                    (name, show.count(one["actual"]), show.count(one["expected"]))
                    for name, one in zip(names, repeats, strict=True)
                ),
                label="Bars of customers by number of orders; the table below has figures",
                legend=both,
            )
        )  # fmt: skip
    if cohorts := evidence.get("cohorts"):
        found.append(
            Plot(
                key="cohorts", title="By when they began", kind="pairs",
                data=_curves(
                    [one["name"] for one in cohorts],
                    [
                        {"name": "orders a customer", "values": [round(one["actual"][-1], 3) for one in cohorts]},
                        {"name": "foretold", "values": [round(one["expected"][-1], 3) for one in cohorts]},
                    ],
                ),
                sentence="Mean orders within the test of customers who first ordered in the same period.",
                head=("Began", "Customers", "Came", "Foretold"),
                rows=tuple(
                    (
                        one["name"], show.count(one["n"]), show.number(one["actual"][-1]),
                        show.number(one["expected"][-1]),
                    )
                    for one in cohorts
                ),
                label="Bars of mean orders by cohort; the table below has figures",
                legend=both,
            )
        )  # fmt: skip
    if coverage := report.choice.get("coverage"):
        found.append(
            Plot(
                key="coverage", title="Do the ranges hold?", kind="pairs",
                data=_curves(
                    [one["group"] for one in coverage],
                    [
                        {"name": "within the range", "values": [round(one["expected"], 3) for one in coverage]},
                        {"name": "should be", "values": [one["level"] for one in coverage]},
                    ],
                    unit="percent",
                ),
                sentence="How often what came lay within the range, by how many orders a customer had before.",
                head=("Orders before", "Customers", "Within", "Should be"),
                rows=tuple(
                    (one["group"], show.count(one["n"]), show.percent(one["expected"]), show.percent(one["level"]))
                    for one in coverage
                ),
                label="Bars of how often ranges held, by number of orders before; the table below has figures",
                legend=(("first", "within"), ("second", "should be")),
            )
        )  # fmt: skip
    return found


def history(report: ValueReport, show: Show) -> Plot | None:
    """Total value at every refresh that is kept."""
    if len(report.runs) < 2:
        return None
    days = [show.day(at) for at, _, _ in report.runs]
    return Plot(
        key="history", title="At earlier refreshes", kind="curves",
        data=_curves(days, [{"name": "expected value", "values": [round(v) for _, v, _ in report.runs]}], unit="money")
        | {"currency": report.currency},
        sentence="What was expected of all customers together, refresh by refresh.",
        head=("Refresh", "Value", "Customers"),
        rows=tuple((day, show.money(v), show.count(n)) for day, (_, v, n) in zip(days, report.runs, strict=True)),
        label="A line of the expected value at each refresh; the table below has figures",
    )  # fmt: skip


def of_customer(found: Predicted, show: Show) -> Plot | None:
    """Expected value with its range, and the chance of still being a customer, refresh by refresh."""
    points = [one for one in found.points if one.clv_12m is not None]
    if not points:
        return None
    days = [show.day(one.as_of) for one in points]
    return Plot(
        key="earlier", title="What was expected earlier", kind="ranges",
        data=_curves(
            days,
            [
                {"name": "expected", "values": [one.clv_12m for one in points]},
                {"name": "at least", "values": [one.clv_low for one in points]},
                {"name": "at most", "values": [one.clv_high for one in points]},
                {"name": "still a customer", "values": [one.p_alive for one in points]},
            ],
            unit="money",
        )
        | {"currency": found.currency},
        sentence="Margin expected within the horizon of each refresh, with its range.",
        head=("Refresh", "Expected", "At least", "At most", "Still a customer", "State"),
        rows=tuple(
            (day, show.money(one.clv_12m), show.money(one.clv_low), show.money(one.clv_high),
             show.chance(one.p_alive), words(one.state))
            for day, one in zip(days, points, strict=True)
        ),
        label="A line of the expected value with its range at each refresh; the table below has figures",
    )  # fmt: skip


def _curves(names: list[str], series: list[dict[str, Any]], unit: str = "count") -> dict[str, Any]:
    return {"names": names, "series": series, "unit": unit}
