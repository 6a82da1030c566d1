"""The overview: the report of the whole shop on one page."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get
from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.report import People, Report, Trade
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.tones import TONES, ordered_states
from shopkeeper.web.pages.trust import trust_sentence
from shopkeeper.web.render import render
from shopkeeper.web.show import Show, words

if TYPE_CHECKING:
    from shopkeeper.domain.report import Ranked
    from shopkeeper.shop import Shop


_OLD_DAYS = 90
"""Without an order for longer than this, figures that look ahead from today say little."""
_YEAR_DAYS = 365


class StatePart(Struct, frozen=True):
    """One part of the bar of states; ``start`` and ``share`` are fractions of its length."""

    name: str
    count: int
    start: float
    share: float
    tone: str


class ChannelLine(Struct, frozen=True):
    """An acquisition channel, per customer that came through it."""

    name: str
    customers: int
    spend: float | None
    cost: float | None
    worth: float | None
    ratio: float | None
    """Worth for one unit of money spent; None where no spend is known."""
    worth_share: float
    cost_share: float | None


@get(
    "/", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt={OPT: Permission.REPORT}
)
def overview(request: Request[Any, Any, Any], shop: Shop) -> str:
    """The overview."""
    try:
        report = shop.report()
    except Conflict:  # nothing was refreshed yet: the page says what to do first
        report = _nothing_yet(shop)
    try:
        worth = shop.value() if report.value_total is not None else None
    except Conflict:  # what an earlier version predicted has no range of the whole
        worth = None
    lines = channel_lines(report.channels)
    show = Show(shop.settings.currency, shop.settings.time_zone)
    days = days_since_order(report)
    return render(
        request.app,
        "overview.html",
        here="overview",
        report=report,
        whole=worth.total if worth else None,
        level=worth.level if worth else None,
        months=month_chart(report, show),
        old_days=days if days > _OLD_DAYS else 0,
        old_now=day_after_last_order(report),
        span=span(report, show),
        states=state_parts(report.states),
        fading_count=report.states.get("fading", 0),
        channels=lines,
        verdict=channel_verdict(lines),
        model_sentence=trust_sentence(report.scores),
        tones=TONES,
        kept=0 if report.people.identities else shop.health()["events"],
        heard=0 if report.people.identities else sum(one.kept for one in shop.source_totals().values()),
    )


def _nothing_yet(shop: Shop) -> Report:
    people = People(
        identities=0, customers=0, named=0, anonymous=0, buyers=0, omnichannel=0, merged=0, shared=0
    )  # fmt: skip
    trade = Trade(orders=0, returns=0, amount=0, margin=0, returned=0, unassigned_amount=0)
    settings = shop.settings
    return Report(
        shop=settings.name, as_of=shop.clock.now(), currency=settings.currency, simulated=settings.simulated,
        people=people, trade=trade, horizon_weeks=shop.horizon_weeks,
    )  # fmt: skip


def days_since_order(report: Report) -> int:
    """Whole days since the shop's last order; 0 where there was none."""
    return (report.as_of - report.trade.last).days if report.trade.last else 0


def day_after_last_order(report: Report) -> str:
    """The instant at which a shop of old data can be made to stand: the end of its last day, UTC."""
    if report.trade.last is None:
        return ""
    then = report.trade.last.astimezone(UTC) + timedelta(days=1)
    return f"{then:%Y-%m-%dT00:00:00Z}"


def span(report: Report, show: Show) -> str:
    """Which twelve months the rankings tell of: the last, or those up to the last order where that is older."""
    if days_since_order(report) > _YEAR_DAYS:
        return f"the 12 months to {show.day(report.trade.last)}"
    return "the last 12 months"


def month_chart(report: Report, show: Show) -> dict[str, Any]:
    """The columns of the month chart; ``partial`` when the last month is still running."""
    last = report.months[-1][0] if report.months else ""
    return {
        "currency": report.currency,
        "months": [row[0] for row in report.months],
        "amount": [round(row[1]) for row in report.months],
        "margin": [round(row[2]) for row in report.months],
        "orders": [row[3] for row in report.months],
        "partial": last == f"{show.local(report.as_of):%Y-%m}",
    }


def state_parts(states: dict[str, int]) -> list[StatePart]:
    """The states as parts of one bar, in the order of a customer's life.

    >>> [(p.name, p.start, p.share) for p in state_parts({"lapsed": 1, "active": 3})]
    [('active', 0.0, 0.75), ('lapsed', 0.75, 0.25)]
    """
    total = sum(states.values())
    parts, start = [], 0.0
    for name in ordered_states(states):
        share = states[name] / total if total else 0.0
        if states[name]:
            parts.append(StatePart(name, states[name], start, share, TONES.get(name, "plain")))
        start += share
    return parts


def channel_lines(channels: tuple[Ranked, ...]) -> list[ChannelLine]:
    """The acquisition channels with cost and worth of one customer, on one scale."""
    extras = [row.extra for row in channels]
    scale = max((max(x.get("cac") or 0.0, x.get("value") or 0.0) for x in extras), default=0.0) or 1.0
    return [
        ChannelLine(
            name=row.name or "unknown",
            customers=row.customers,
            spend=row.extra.get("spend"),
            cost=row.extra.get("cac"),
            worth=row.extra.get("value"),
            ratio=row.extra.get("value_to_cac"),
            worth_share=(row.extra.get("value") or 0.0) / scale,
            cost_share=None if row.extra.get("cac") is None else row.extra["cac"] / scale,
        )
        for row in channels
    ]


def channel_verdict(lines: list[ChannelLine]) -> str:
    """One sentence on the paid channels, or nothing where fewer than two are known."""
    paid = [line for line in lines if line.ratio is not None]
    if len(paid) < 2:
        return ""
    best, worst = max(paid, key=lambda x: x.ratio or 0.0), min(paid, key=lambda x: x.ratio or 0.0)
    if not worst.ratio or best.name == worst.name:
        return ""
    times = (best.ratio or 0.0) / worst.ratio
    return (
        f"Per unit of money spent, customers from {words(best.name)} have been and are expected to be worth "
        f"{times:.1f} times as much as those from {words(worst.name)}."
    )
