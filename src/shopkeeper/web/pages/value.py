"""Value: who holds it, what is at risk, whether the model beats simple rules, and how predictions moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import MediaType, Request, get
from litestar.params import FromPath

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict
from shopkeeper.domain.value import how_often
from shopkeeper.domain.verdict import verdict
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.tones import MEANING, TONES, ordered_states
from shopkeeper.web.pages.trust import ENTRIES, trust_sentence
from shopkeeper.web.plots import concentration, history, of_customer, plots
from shopkeeper.web.render import render
from shopkeeper.web.show import Show

if TYPE_CHECKING:
    from shopkeeper.domain.value import Drift, Predicted, ValueReport
    from shopkeeper.shop import Shop

_MOST_GROUPS = 12
_NAMED = 7
"""Customers shown by name: the most valuable, and those who are fading with most at stake."""


@get(
    "/value", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False,
    opt={OPT: Permission.REPORT},
)  # fmt: skip
def value(request: Request[Any, Any, Any], shop: Shop) -> str:
    """The page; before the first refresh it says what to do."""
    show = Show(shop.settings.currency, shop.settings.time_zone)
    try:
        report = shop.value()
    except Conflict as error:
        return render(request.app, "value.html", here="value", report=None, wrong=error)
    one_by_one = shop.actor.may(Permission.LOOK_UP)
    return render(
        request.app,
        "value.html",
        here="value",
        wrong=None,
        best=shop.find(sort="value", limit=_NAMED).rows if one_by_one else (),
        fading=shop.find(sort="value", state="fading", limit=_NAMED) if one_by_one else None,
        verdict=verdict(report.scores),
        entries=ENTRIES,
        meaning=MEANING,
        report=report,
        shares=dict(report.top),
        at_risk=report.at_risk,
        curve=concentration(report, show),
        states=[
            row
            for name in ordered_states([r.name for r in report.states])
            for row in report.states
            if row.name == name
        ],
        alarms=how_often(report.alarms_per_year) if report.alarms_per_year else "",
        groups=[
            (title, rows[:_MOST_GROUPS])
            for title, rows in (
                ("By segment", report.segments),
                ("By the channel they came through", report.channels),
            )
            if rows
        ],
        cards=cards(report),
        plots=plots(report, show),
        drifts=[(drift, matrix(drift)) for drift in report.drift],
        history=history(report, show),
        tones=TONES,
        sentence=trust_sentence(report.scores),
    )


@get(
    "/customers/{who:str}/predictions", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False,
    opt={OPT: Permission.LOOK_UP},
)  # fmt: skip
def customer_predictions(request: Request[Any, Any, Any], shop: Shop, who: FromPath[str]) -> str:
    """What was predicted of one customer earlier: a piece of the customer's page, or a page of its own."""
    found = shop.predictions(who)
    show = Show(shop.settings.currency, shop.settings.time_zone)
    template = (
        "customer/earlier.html" if request.headers.get("hx-request") == "true" else "customer/alone.html"
    )
    return render(
        request.app, template, here="customer", found=found, plot=of_customer(found, show), tones=TONES,
        turns=state_changes(found), who=found.id,
    )  # fmt: skip


def cards(report: ValueReport) -> list[dict[str, Any]]:
    """The score card, with intervals where there are any."""
    by_name = {card["name"]: card for card in report.choice.get("cards", ())}
    found = []
    for one in report.scores:
        ranges = by_name.get(one.name, {}).get("intervals") or {}
        found.append({"score": one, "ranges": ranges})
    return found


def matrix(drift: Drift) -> dict[str, Any]:
    """Who went from which state into which, as a table."""
    before = ordered_states({one.before for one in drift.states if one.before})
    now = ordered_states({one.now for one in drift.states if one.now})
    counts = {(one.before, one.now): one.customers for one in drift.states}
    totals = {state: sum(counts.get((state, to), 0) for to in now) for state in before}
    return {"before": before, "now": now, "counts": counts, "totals": totals}


def state_changes(found: Predicted) -> list[tuple[Any, str, str]]:
    """When a refresh found the customer in another state than the one before: moment, before, now."""
    return [
        (now.as_of, before.state, now.state)
        for before, now in zip(found.points, found.points[1:], strict=False)
        if before.state != now.state
    ]
