"""Where a customer stands, from traits and predictions to words and two small pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from shopkeeper.web.show import moment

if TYPE_CHECKING:
    from shopkeeper.domain.profile import Profile
    from shopkeeper.web.show import Show

_SILENT = ("fading", "lapsed")
_LIKELY = 0.5
_SHOWN_ORDERS = 14
"""Orders on the picture of silence, the latest."""
_GAPS_TELL = 3
"""More days with an order than this, and the longest gap says something."""
_ROOM = 0.45
"""Of the picture's width before today, and there is room for the day at which it begins."""
_BASES = {
    "own rhythm": "By their own rhythm",
    "population": "By the rhythm of all customers",
    "calendar": "By the time of year",
}


class Interval(Struct, frozen=True):
    """An expected value with its range; positions are fractions of the picture's width."""

    expected: float
    low: float
    high: float
    from_: float
    to: float
    at: float


class Rhythm(Struct, frozen=True, kw_only=True):
    """Orders and the silence after them on a line of time; positions are fractions of the picture's width."""

    caption: str
    orders: tuple[float, ...]
    """The latest days with an order, oldest first."""
    today: float
    unusual: float | None
    """From when silence is, or would be, unusual."""
    late: bool
    begins: str
    """The day at which the line begins; empty where there is no room to write it."""
    unusual_text: str
    words: str


class Standing(Struct, frozen=True, kw_only=True):
    """What the head of the page says."""

    state: str
    facts: tuple[str, ...]
    worth: float | None
    alive: float | None
    alive_words: str
    fading: bool
    margin: float
    orders: int
    returns: int
    last_order: datetime | None
    silent_text: str
    expected_orders: float | None
    next_text: str
    """When the next order is expected, in words."""
    despite: bool
    """Whether somebody silent for unusually long is likely to buy again all the same."""
    interval: Interval | None
    rhythm: Rhythm | None


def standing(profile: Profile, show: Show) -> Standing:
    """Read the traits; a prediction that was not made yet is simply absent."""
    traits = profile.traits
    state = str(traits.get("state") or "")
    last = moment(traits.get("last_order"))
    silent = (profile.as_of - last).total_seconds() / 86_400 if last else None
    alive = traits.get("p_alive")
    return Standing(
        state=state,
        facts=_facts(profile, show),
        worth=traits.get("clv_12m"),
        alive=alive,
        alive_words=alive_words(alive),
        fading=state == "fading",
        margin=float(traits.get("margin") or 0.0),
        orders=int(traits.get("orders") or 0),
        returns=int(traits.get("returns") or 0),
        last_order=last,
        silent_text="–" if silent is None else show.span(silent) if silent >= 1 else "today",
        interval=interval(traits.get("clv_12m"), traits.get("clv_low"), traits.get("clv_high")),
        expected_orders=traits.get("expected_orders_12m"),
        next_text=_next(moment(traits.get("next_order")), show, late=state in _SILENT),
        despite=state in _SILENT and (alive or 0.0) >= _LIKELY,
        rhythm=rhythm(profile, show),
    )


def interval(expected: float | None, low: float | None, high: float | None) -> Interval | None:
    """The picture of a range, from nothing to a little above the upper end.

    >>> interval(50.0, 20.0, 100.0).at
    0.47619047619047616
    """
    if expected is None or low is None or high is None:
        return None
    floor, top = min(low, 0.0), max(high, expected, low) * 1.05
    span = (top - floor) or 1.0
    return Interval(
        expected, low, high, (low - floor) / span, (high - floor) / span, (expected - floor) / span
    )


def rhythm(profile: Profile, show: Show) -> Rhythm | None:
    """The picture of silence: the latest orders, how long it has been silent since, and from when on that is unusual;
    in words, how that is known, and when the next order is expected. None of somebody of whom too little is foretold.
    """
    traits = profile.traits
    usual, unusual = traits.get("mean_gap"), moment(traits.get("unusual_from"))
    if not profile.order_days or not (usual or unusual):
        return None
    days = [at.toordinal() for at in profile.order_days[-_SHOWN_ORDERS:]]
    today = max(show.date(profile.as_of).toordinal(), days[-1])
    turn = show.date(unusual).toordinal() if unusual else None
    late = turn is not None and today >= turn
    end = max(today, turn or 0)
    lead = 0.03 * max(end - days[0], 1)
    start, span = days[0] - lead, (end - days[0]) * 1.06 + 2 * lead or 1.0
    at = (today - start) / span
    state = str(traits.get("state") or "")
    basis = _BASES.get(str(traits.get("rhythm_basis") or ""), "By rhythm")
    return Rhythm(
        caption=f"Why {state}: {basis[:1].lower()}{basis[1:]}" if late and state in _SILENT else basis,
        orders=tuple((day - start) / span for day in days),
        today=at,
        unusual=(turn - start) / span if turn is not None else None,
        late=late,
        begins=show.day(_noon(profile.order_days[-len(days)])) if at > _ROOM else "",
        unusual_text=show.day(unusual) if unusual else "",
        words=_rhythm_words(profile, show, usual, unusual, late=late),
    )


def _rhythm_words(
    profile: Profile, show: Show, usual: float | None, unusual: datetime | None, *, late: bool
) -> str:
    basis, days = profile.traits.get("rhythm_basis"), profile.order_days
    silent = (show.date(profile.as_of).date() - days[-1]).days
    parts = []
    if basis == "calendar":
        parts.append("Buys in the same part of every year")
    elif basis == "population":
        parts.append("Too few orders for a rhythm of their own, so that of all customers stands in")
    elif usual:
        parts.append(f"Usually orders every {show.span(usual)}")
        if len(days) > _GAPS_TELL:
            longest = max((later - one).days for one, later in pairwise(days))
            parts[-1] += f", at the longest after {show.span(longest)}"
    if unusual:
        after = show.span((show.date(unusual).date() - days[-1]).days)
        if late:
            parts.append(f"silence is unusual after {after}, and it has lasted {show.span(max(silent, 0))}")
        else:
            parts.append(f"silence would be unusual after {after}")
    if following := moment(profile.traits.get("next_order")):
        by = show.day(following)
        parts.append(
            f"if there is a next order, it is as likely as not to come by {by}"
            if late
            else f"the next order is expected by {by}"
        )
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def alive_words(chance: float | None) -> str:
    """A probability in words.

    >>> alive_words(0.97), alive_words(0.3), alive_words(None)
    ('almost certainly', 'rather not', 'not scored yet')
    """
    if chance is None:
        return "not scored yet"
    for least, text in (
        (0.95, "almost certainly"),
        (0.75, "very likely"),
        (0.5, "likely"),
        (0.25, "rather not"),
    ):
        if chance >= least:
            return text
    return "unlikely"


def _next(following: datetime | None, show: Show, *, late: bool) -> str:
    if following is None:
        return ""
    return (
        f"the next, if any, by {show.day(following)}"
        if late
        else f"the next expected by {show.day(following)}"
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _facts(profile: Profile, show: Show) -> tuple[str, ...]:
    facts = []
    told = profile.traits.get("state") in ("fading", "lapsed", "won back")
    if told and (since := moment(profile.traits.get("state_since"))):
        facts.append(f"since {show.day(since)}")
    if country := profile.traits.get("country"):
        facts.append(str(country))
    if since := moment(profile.traits.get("first_order") or profile.traits.get("first_seen")):
        facts.append(f"with us since {show.long_day(since)}")
    if channel := profile.traits.get("acquisition_channel"):
        facts.append(f"came through {str(channel).replace('_', ' ')}")
    return tuple(facts)
