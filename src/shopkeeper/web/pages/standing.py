"""Where a customer stands, from traits and predictions to words and two small pictures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from shopkeeper.web.show import moment

if TYPE_CHECKING:
    from shopkeeper.domain.profile import Profile
    from shopkeeper.web.show import Show


class Interval(Struct, frozen=True):
    """An expected value with its range; positions are fractions of the picture's width."""

    expected: float
    low: float
    high: float
    from_: float
    to: float
    at: float


class Rhythm(Struct, frozen=True, kw_only=True):
    """Days of silence against the days from which silence is unusual; positions as in Interval."""

    silent: float
    usual: float | None
    unusual: float | None
    silent_text: str
    usual_text: str
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
        rhythm=rhythm(
            silent,
            traits.get("mean_gap"),
            _days_between(last, moment(traits.get("unusual_from"))),
            basis=str(traits.get("rhythm_basis") or ""),
            following=moment(traits.get("next_order")),
            show=show,
        ),
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


def rhythm(
    silent: float | None,
    usual: float | None,
    unusual: float | None,
    *,
    basis: str,
    show: Show,
    following: datetime | None = None,
) -> Rhythm | None:
    """The picture of silence: how long, the usual gap between orders, and from when on it is unusual; and when the next
    order is expected.

    >>> from shopkeeper.web.show import Show
    >>> rhythm(61.0, 24.0, 48.0, basis="own rhythm", show=Show("GBP", "UTC")).words
    'Usually orders every 3 weeks; silence is unusual after 7 weeks, and it has lasted 9 weeks.'
    >>> late = datetime(2026, 5, 2)
    >>> rhythm(9.0, 2.0, 8.0, basis="own rhythm", show=Show("GBP", "UTC"), following=late).words.split("; ")[-1]
    'if there is a next order, it is as likely as not to come by 2 May 2026.'
    """
    if silent is None or not (usual or unusual):
        return None
    span = max(silent, usual or 0.0, unusual or 0.0) * 1.05
    parts = []
    if basis == "calendar":
        parts.append("Buys in the same part of every year")
    elif usual:
        parts.append(f"Usually orders every {show.span(usual)}")
    elif basis == "population":
        parts.append("Too few orders for a rhythm of their own, so that of all customers stands in")
    if unusual:
        late = silent >= unusual
        parts.append(
            f"silence is unusual after {show.span(unusual)}, and it has lasted {show.span(silent)}"
            if late
            else f"silence would be unusual after {show.span(unusual)}"
        )
    if following is not None:
        late = unusual is not None and silent >= unusual
        parts.append(
            f"if there is a next order, it is as likely as not to come by {show.day(following)}"
            if late
            else f"the next order is expected by {show.day(following)}"
        )
    text = "; ".join(parts)
    return Rhythm(
        silent=silent / span,
        usual=usual / span if usual else None,
        unusual=unusual / span if unusual else None,
        silent_text=show.span(silent),
        usual_text=show.span(usual) if usual else "",
        unusual_text=show.span(unusual) if unusual else "",
        words=f"{text[:1].upper()}{text[1:]}.",
    )


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


def _days_between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() / 86_400 if start and end else None
