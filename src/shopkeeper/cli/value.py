"""The report of value in the terminal: who holds it, how sure, whether the model beats rules, how it moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from rich.console import Console

from shopkeeper.cli.screen import (
    bar,
    count,
    day,
    few,
    fill,
    heading,
    money,
    percent,
    points,
    short_money,
    sparkline,
    table,
    text,
)
from shopkeeper.domain.report import Score
from shopkeeper.domain.value import Drift, Held, ValueReport, horizon_in_words, how_often
from shopkeeper.domain.verdict import verdict

_MOST_NOTES = 6


def headlines(report: ValueReport) -> list[str]:
    """What to know first, in sentences."""
    total, currency = report.total, report.currency
    said = [
        f"{short_money(total.value, currency)} of contribution margin is expected of "
        f"{count(total.customers, 'customer')} within {horizon_in_words(report.horizon_weeks)}; "
        f"{percent(report.level)} sure to be between "
        f"{short_money(total.low, currency)} and {short_money(total.high, currency)}."
    ]
    shares = dict(report.top)
    if 0.1 in shares:
        said.append(
            f"The most valuable tenth holds {percent(shares[0.1])} of it, the most valuable hundredth "
            f"{percent(shares.get(0.01))}."
        )
    at_risk = report.at_risk
    if at_risk.customers:
        said.append(
            f"{short_money(at_risk.value, currency)} of it ({short_money(at_risk.low, currency)} to "
            f"{short_money(at_risk.high, currency)}) is expected of "
            f"{count(at_risk.customers, 'customer who is', 'customers who are')} fading or lapsed; a file of who is "
            "fading: shopkeeper customers \"state = 'fading'\" --out fading.csv"
        )
    if found := verdict(report.scores):
        said.append(found.sentence)
    said += [warning[:1].upper() + warning[1:] + "." for one in report.drift for warning in one.warnings]
    return said


def show(console: Console, report: ValueReport, time_zone: str = "UTC") -> None:
    """Print the report; days are those of the shop's time zone."""
    zone = ZoneInfo(time_zone)
    console.print()
    console.print(text(f"{report.shop} · value as of {day(report.as_of, zone)}", "bold"))
    console.print()
    points(console, headlines(report))
    _held(console, "Who holds the value", "tenth of customers", report, _tenths(report.deciles))
    _top(console, report)
    _held(console, "By state", "state", report, report.states)
    if report.alarms_per_year:
        console.print(
            text(
                "Fading: silent for longer than their own rhythm lets expect; who has not left is to be called so by "
                f"mistake about {how_often(report.alarms_per_year)} (setting alarms_per_year)."
            )
        )
    _held(console, "By segment", "segment", report, report.segments)
    _held(console, "By the channel they came through", "channel", report, _named(report.channels))
    score_card(console, report.scores)
    for note in report.notes[:_MOST_NOTES]:
        console.print(text(f"{note[:1].upper()}{note[1:]}."))
    for one in report.drift:
        _drift(console, report, one, zone)
    if len(report.runs) > 1:
        heading(console, "At earlier refreshes")
        values = [run[1] for run in report.runs]
        first = day(report.runs[0][0], zone)
        console.print(text(f"value  {first} {sparkline(values)} {day(report.runs[-1][0], zone)}"))


def _tenths(rows: Sequence[Held]) -> Iterable[tuple[str, Held]]:
    names = {1: "highest", len(rows): "lowest"}
    for place, row in enumerate(rows, start=1):
        yield names.get(place, str(place)), row


def _named(rows: Sequence[Held]) -> Iterable[tuple[str, Held]]:
    return ((row.name.replace("_", " ") or "not known", row) for row in rows)


def _held(
    console: Console,
    title: str,
    noun: str,
    report: ValueReport,
    rows: Iterable[tuple[str, Held]] | Sequence[Held],
) -> None:
    named = [(row.name, row) if isinstance(row, Held) else row for row in rows]
    if not named:
        return
    heading(console, title)
    made = table(
        noun,
        ("customers", "right"),
        ("orders", "right"),
        ("value", "right"),
        (f"{percent(report.level)} from", "right"),
        ("to", "right"),
        ("share", "right"),
        "",
    )
    most = max((row.share for _, row in named), default=0.0) or 1.0
    console.print(
        fill(
            made,
            (
                (
                    name,
                    f"{row.customers:,}",
                    few(row.orders),
                    money(row.value, report.currency),
                    money(row.low, report.currency),
                    money(row.high, report.currency),
                    percent(row.share),
                    bar(row.share / most, 10),
                )
                for name, row in named
            ),
        )
    )


def _top(console: Console, report: ValueReport) -> None:
    if report.top:
        said = ", ".join(
            f"{percent(share)} of customers hold {percent(value)}" for share, value in report.top
        )
        console.print(text(f"The most valuable {said}."))


def score_card(console: Console, scores: Sequence[Score]) -> None:
    """Every model and rule on the shop's own past, and which one is used."""
    heading(console, "Does the model beat simple rules?")
    if not scores:
        console.print(text("Too little history to test a forecast inside the past."))
        return
    made = table(
        "model or rule",
        ("mean error", "right"),
        ("root mean sq.", "right"),
        ("bias", "right"),
        ("rank corr.", "right"),
        ("top tenth holds", "right"),
        "used",
    )
    console.print(
        fill(
            made,
            (
                (
                    one.name, f"{one.mae:.3f}", f"{one.rmse:.3f}",
                    f"{one.bias:+.3f}", f"{one.spearman:.3f}",
                    percent(one.top_decile), "yes" if one.chosen else "",
                )
                for one in scores
            ),
        )
    )  # fmt: skip
    console.print(
        text(
            "Errors are orders per customer in stretches of the past that were set aside; a bias above 0 expected too "
            "much; the last column is the share of all orders that came from the tenth ranked highest."
        )
    )


def _drift(console: Console, report: ValueReport, one: Drift, zone: tzinfo = UTC) -> None:
    heading(console, f"Since the refresh of {day(one.as_of, zone)}")
    moved = one.value - one.value_before
    console.print(
        text(
            f"{money(one.value_before, report.currency)} became {money(one.value, report.currency)} "
            f"({'+' if moved >= 0 else ''}{money(moved, report.currency)}); "
            f"{one.customers_before:,} customers became {one.customers:,}."
        )
    )
    if one.pick_before != one.pick:
        console.print(text(f"{one.pick} is used now; it was {one.pick_before}."))
    if one.changes:
        made = table("part of the change", ("customers", "right"), ("value", "right"))
        rows = (
            (part.name, f"{part.customers:,}", money(part.value, report.currency)) for part in one.changes
        )
        console.print(fill(made, rows))
    if one.kept:
        whole = one.kept[0]
        verdict = "as foretold" if whole.within else "outside the range"
        console.print(
            text(
                f"Foretold for the {count(one.days, 'day')} since: {whole.expected:,.0f} orders "
                f"({whole.low:,.0f} to {whole.high:,.0f}); {whole.orders:,} came: {verdict}."
            )
        )
    for warning in one.warnings:
        console.print(text(f"Look at this: {warning}.", "bold"))
    if not one.warnings:
        console.print(text("Nothing moved by more than chance and enough to matter."))
