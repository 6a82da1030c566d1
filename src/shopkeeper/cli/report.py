"""The report in words and tables: sentences first, then who, what, where and how far the figures can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.console import Console

from shopkeeper.cli.screen import (
    bar,
    chance,
    count,
    day,
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
from shopkeeper.domain.profile import CustomerRow
from shopkeeper.domain.report import ImportSummary, Ranked, Report, Score
from shopkeeper.domain.value import horizon_in_words
from shopkeeper.domain.verdict import verdict

_MOST_RANKED = 12
"""Lines of a ranking in the terminal; the report as data has all."""
_WORTH_NAMING = 0.5
"""Seconds from which a step is named."""
_OLD = timedelta(days=90)
"""Without an order for longer than this, figures that look ahead from today say little."""
_YEAR = timedelta(days=365)
NO_NAME = "(none)"
"""What a ranking calls a line without a name: products of no category."""


def headlines(report: Report, zone: tzinfo = UTC) -> list[str]:
    """What to know first, in sentences; days are those of the shop's zone."""
    people, trade, currency = report.people, report.trade, report.currency
    said = [
        f"{count(people.customers, 'customer')} stand behind {count(people.identities, 'identity', 'identities')}; "
        f"{people.buyers:,} of them bought, {people.omnichannel:,} both in a store and online."
    ]
    if trade.orders:
        back = f", after {short_money(trade.returned, currency)} of returns" if trade.returned else ""
        said.append(
            f"{count(trade.orders, 'order')} from {day(trade.first, zone)} to {day(trade.last, zone)} brought "
            f"{short_money(trade.amount, currency)} and a margin of {short_money(trade.margin, currency)}{back}."
        )
        if old := long_ago(report):
            said.append(old)
    if report.value_total is not None:
        held = (
            f"; the most valuable tenth of the customers holds {percent(report.value_top_tenth)} of it"
            if report.value_top_tenth is not None
            else ""
        )
        said.append(
            f"{short_money(report.value_total, currency)} of margin is expected within "
            f"{horizon_in_words(report.horizon_weeks)}{held}."
        )
    if fading := report.states.get("fading", 0):
        said.append(
            f"{count(fading, 'customer is', 'customers are')} fading by their own rhythm, and "
            f"{short_money(report.fading_value, currency)} of the expected margin with them."
        )
    if trade.unassigned_amount:
        said.append(
            f"{short_money(trade.unassigned_amount, currency)} was sold to people who left nothing behind."
        )
    if report.open_cases:
        said.append(
            f"{count(report.open_cases, 'complaint or request is', 'complaints or requests are')} still open."
        )
    return said


def long_ago(report: Report) -> str:
    """What to do when the last order is old, as in an export of years ago; empty where it is not."""
    last = report.trade.last
    if last is None or report.as_of - last <= _OLD:
        return ""
    then = (last.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        f"The last order is {(report.as_of - last).days:,} days old, and what is expected counts from today. To look "
        f"at the shop as of then, set now = \"{then:%Y-%m-%dT%H:%M:%SZ}\" in shop.toml and run 'shopkeeper refresh'."
    )


def span(report: Report, zone: tzinfo = UTC) -> str:
    """Which twelve months the rankings tell of: the last, or those up to the last order where that is older."""
    last: datetime | None = report.trade.last
    if last is not None and report.as_of - last > _YEAR:
        return f"the 12 months to {day(last, zone)}"
    return "the last 12 months"


def reconciliation(done: ImportSummary) -> str:
    """How the rounded line amounts of a file relate to the exact sum of price times quantity; empty without money."""
    if not done.exact:
        return ""
    exact, rounded, difference = (
        f"{Decimal(sum_):,}" for sum_ in (done.exact, done.rounded, done.difference or "0")
    )
    return (
        f"{done.file}: the exact sum of price times quantity is {done.currency} {exact}; line amounts, each rounded "
        f"half-even to the cent, sum to {rounded}; the difference is {difference}."
    )


def trust(scores: Sequence[Score]) -> str:
    """Which model forecasts and what it beat on purchases set aside; says so when nothing could be tested."""
    if not scores:
        return "Too little history to test a forecast inside the past: take the expected values with care."
    found = verdict(scores)
    if found is None:
        return "No forecast was chosen."
    rule = f" ({percent(found.rule.top_decile)})" if found.rule else ""
    return (
        f"{found.sentence} The tenth it ranks highest made {percent(found.used.top_decile)} of the orders{rule}. All "
        "that was tested: shopkeeper report value."
    )


def show(console: Console, report: Report, time_zone: str = "UTC") -> None:
    """Print the whole report; days are those of the shop's time zone."""
    zone = ZoneInfo(time_zone)
    console.print()
    console.print(text(f"{report.shop} · as of {day(report.as_of, zone)}", "bold"))
    if report.simulated:
        console.print(text(report.simulated, "italic"))
    console.print()
    points(console, headlines(report, zone))
    _people(console, report)
    _trade(console, report)
    valuable = f"Most valuable customers, by margin expected within {horizon_in_words(report.horizon_weeks)}"
    _customers(console, valuable, report, report.most_valuable, zone)
    _customers(console, "Fading, by the margin at stake", report, report.fading, zone, state=False)
    when = span(report, zone)
    _ranking(console, f"Best categories, {when}", "category", report, report.categories)
    if report.categories:
        console.print(text("Products only: postage, fees, vouchers and corrections belong to no category."))
    _ranking(console, f"Where they buy, {when}", "place", report, report.places)
    _channels(console, report)
    _trust(console, report)
    show_imports(console, report.imports)
    _timings(console, report)


def _people(console: Console, report: Report) -> None:
    people = report.people
    heading(console, "Who they are")
    console.print(
        text(
            f"{people.named:,} are known by name, address or account; {people.anonymous:,} are visitors known only by "
            f"a device. {count(people.merged, 'identity', 'identities')} turned out to be somebody already known; "
            f"{people.shared:,} are shared by many people and link nobody."
        )
    )
    if people.by_kind:
        kinds = sorted(people.by_kind.items(), key=lambda kv: -kv[1])
        console.print(
            text("Known by " + ", ".join(f"{kind.replace('_', ' ')} {n:,}" for kind, n in kinds) + ".")
        )
    if report.states:
        total = sum(report.states.values()) or 1
        made = table("state", ("customers", "right"), ("share", "right"), "")
        rows = ((state, f"{n:,}", percent(n / total), bar(n / total)) for state, n in report.states.items())
        console.print(fill(made, rows))


def _trade(console: Console, report: Report) -> None:
    if not report.months:
        return
    heading(console, "Month by month")
    first, last = report.months[0][0], report.months[-1][0]
    for label, values in (
        ("sales ", [month[1] for month in report.months]),
        ("margin", [month[2] for month in report.months]),
        ("orders", [float(month[3]) for month in report.months]),
    ):
        best = max(range(len(values)), key=values.__getitem__)
        peak = f"{values[best]:,.0f}" if label == "orders" else money(values[best], report.currency)
        console.print(
            text(f"{label}  {first} {sparkline(values)} {last}   peak {peak} in {report.months[best][0]}")
        )


def _customers(
    console: Console,
    title: str,
    report: Report,
    rows: Iterable[CustomerRow],
    zone: tzinfo,
    *,
    state: bool = True,
) -> None:
    rows = list(rows)
    if not rows:
        return
    heading(console, title)
    made = table(
        "customer",
        ("orders", "right"),
        ("last order", "right"),
        ("margin so far", "right"),
        (f"next {horizon_in_words(report.horizon_weeks)}", "right"),
        ("still a customer", "right"),
        *(("state",) if state else ()),
    )
    told = (
        (
            row.name or row.id,
            f"{row.orders:,}",
            day(row.last_order, zone),
            money(row.margin, report.currency),
            money(row.clv_12m, report.currency),
            chance(row.p_alive),
            *((row.state,) if state else ()),
        )
        for row in rows
    )
    console.print(fill(made, told))


def _ranking(console: Console, title: str, noun: str, report: Report, rows: Sequence[Ranked]) -> None:
    if not rows:
        return
    heading(console, title)
    grows = any(row.growth is not None for row in rows)
    made = table(
        noun,
        ("sales", "right"),
        ("share", "right"),
        "",
        ("margin", "right"),
        ("orders", "right"),
        ("customers", "right"),
        *((("on last year", "right"),) if grows else ()),
    )
    most = max((row.share for row in rows), default=0) or 1
    shown = rows[:_MOST_RANKED]
    console.print(
        fill(
            made,
            (
                (
                    row.name or NO_NAME,
                    money(row.amount, report.currency),
                    percent(row.share),
                    bar(row.share / most, 10),
                    money(row.margin, report.currency),
                    f"{row.orders:,}",
                    f"{row.customers:,}",
                    *(("–" if row.growth is None else f"{row.growth * 100:+.0f} %",) if grows else ()),
                )
                for row in shown
            ),
        )
    )
    if len(rows) > len(shown):
        rest = sum(row.share for row in rows[_MOST_RANKED:])
        console.print(text(f"and {len(rows) - len(shown)} more with {percent(rest)} together"))


def _channels(console: Console, report: Report) -> None:
    if not report.channels:
        return
    heading(console, "Where customers came from, and what each is worth")
    made = table(
        "channel",
        ("customers", "right"),
        ("margin so far", "right"),
        (f"next {horizon_in_words(report.horizon_weeks)}", "right"),
        ("spend", "right"),
        ("cost each", "right"),
        ("value each", "right"),
        ("value : cost", "right"),
    )
    console.print(fill(made, (_channel(row, report.currency) for row in report.channels)))
    console.print(
        text(
            f"Value is margin so far and expected within {horizon_in_words(report.horizon_weeks)}; "
            "cost counts months of known spend."
        )
    )


def _channel(row: Ranked, currency: str) -> tuple[str, ...]:
    known = row.extra
    ratio = known.get("value_to_cac")
    return (
        row.name.replace("_", " ") or "not known",
        f"{row.customers:,}",
        money(row.margin, currency),
        money(known.get("expected_12m"), currency),
        money(known.get("spend"), currency),
        money(known.get("cac"), currency, cents=True),
        money(known.get("value"), currency),
        "–" if ratio is None else f"{ratio:,.1f}",
    )


def _trust(console: Console, report: Report) -> None:
    heading(console, "How far to trust this")
    console.print(text(trust(report.scores)))
    for done in report.imports:
        if sentence := reconciliation(done):
            console.print(text(sentence))
    if report.quarantined:
        console.print(text(f"{count(report.quarantined, 'row')} could not be used and wait in quarantine."))


def show_imports(console: Console, imports: Sequence[ImportSummary]) -> None:
    """What was read: every line is kept, a repeat, or in quarantine with a reason."""
    if not imports:
        return
    heading(console, "What was read")
    made = table(
        "file",
        "kind",
        ("read", "right"),
        ("kept", "right"),
        ("repeated", "right"),
        ("refused", "right"),
        ("orders", "right"),
        ("returns", "right"),
        ("s", "right"),
    )
    console.print(
        fill(
            made,
            (
                (
                    done.file,
                    done.kind,
                    f"{done.read:,}",
                    f"{done.kept:,}",
                    f"{done.repeated:,}",
                    f"{done.quarantined:,}",
                    f"{done.orders:,}" if done.orders else "",
                    f"{done.returns:,}" if done.returns else "",
                    f"{done.seconds:.1f}",
                )
                for done in imports
            ),
        )
    )
    if any(done.returns for done in imports):
        console.print(
            text("Returns count all that was taken back, goods written off at no price among them.")
        )
    for done in imports:
        for reason, rows in sorted(done.reasons.items(), key=lambda kv: -kv[1]):
            console.print(
                text(f"{done.file}: {count(rows, 'row')} in quarantine: {reason.replace('_', ' ')}")
            )


def _timings(console: Console, report: Report) -> None:
    if report.timings:
        long = {step: seconds for step, seconds in report.timings.items() if seconds >= _WORTH_NAMING}
        rest = sum(report.timings.values()) - sum(long.values())
        spent = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in long.items())
        spent += f"{', ' if long else ''}all else {rest:.1f} s" if rest else ""
        heading(console, f"Took {sum(report.timings.values()):.1f} s")
        console.print(text(spent))
