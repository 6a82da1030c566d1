"""Which channel plays which part for whom: who starts, who assists, who closes; and what booking orders by till hides.

An order's path are the touches of its customer (deeds, not what the shop sent) within ``window`` days before it and
after the order before. A channel *starts* a path with its first touch, *closes* it with its last one before the
order, and *assists* where it is on the path and does neither. An order without a touch has no path, and counts as
such. None of this says what would have happened without the channel: that takes an experiment, and ``notes`` say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.money import exponent
from shopkeeper.know.insight.derived import DEEDS
from shopkeeper.know.insight.means import Estimate, mean, mean_per_row, share_of_sums
from shopkeeper.know.insight.paths_sql import paths as paths_sql
from shopkeeper.know.insight.people import Mask, coded
from shopkeeper.know.insight.wording import percent
from shopkeeper.know.overview import spans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shopkeeper.know.insight.people import People

ONLINE: Final = ("web", "app")
"""Channels in which looking is looking online."""
_MOST = 31
_PAID_AT: Final = {"web": "web", "app": "web", "store": "store"}
CAUTION: Final = (
    "Parts tell what came before an order, not what caused it: who is about to buy is busy in every channel."
)


class Paths(Struct, frozen=True, kw_only=True):
    """Orders of a time with what came before each, a column each. ``who`` is the customer's row in ``People``."""

    channels: tuple[str, ...]
    who: NDArray[Any]
    paid: tuple[str, ...]
    """Names of the places of payment: store, web or unknown."""
    paid_at: NDArray[Any]
    margin: NDArray[Any]
    first: NDArray[Any]
    """Code into ``channels`` of the first touch, -1 where there is none."""
    last: NDArray[Any]
    touches: NDArray[Any]
    used: NDArray[Any]
    """A bit for each channel on the path."""
    looked: NDArray[Any]
    looked_anyway: NDArray[Any]
    visited: NDArray[Any]
    visited_anyway: NDArray[Any]
    window: int
    look: int


class Part(Struct, frozen=True, kw_only=True):
    """What one channel does for a segment. Shares are of all orders, those without a path among them."""

    channel: str
    starts: int
    assists: int
    closes: int
    involved: int
    """Orders on whose path it is, in whatever part."""
    booked: int
    """Orders paid there: all that the view by till sees of it."""
    started_margin: float
    assisted_margin: float
    closed_margin: float
    involved_margin: float
    booked_margin: float
    starts_share: Estimate
    closes_share: Estimate
    involved_share: Estimate
    involved_margin_share: Estimate
    unseen: int
    """Orders paid elsewhere on whose path it is."""


class Crossing(Struct, frozen=True, kw_only=True):
    """Orders of one place that came after looking in another."""

    paid: str
    looked: str
    days: int
    orders: int
    share: Estimate
    """Share with a look within ``days`` before the order."""
    anyway: Estimate
    """Share with a look in as many days just before those: how many look in any such time."""
    beyond: Estimate
    """The difference of the two."""
    sentence: str


class Combination(Struct, frozen=True, kw_only=True):
    """Customers who bought or were seen in exactly these channels within the time."""

    channels: tuple[str, ...]
    customers: int
    margin: Estimate
    """Margin of a customer within the time."""
    orders: float
    """Mean number of orders: what uses more channels also orders oftener."""
    margin_per_order: float
    value: Estimate | None = None
    """Expected value of a customer, where it was given."""


class ChannelsPart(Struct, frozen=True, kw_only=True):
    """The parts of all channels for one segment."""

    orders: int
    margin: float
    without_path: int
    parts: tuple[Part, ...]
    """By orders involved, most first."""
    crossings: tuple[Crossing, ...]
    combinations: tuple[Combination, ...]
    hidden: tuple[str, ...]
    """What booking each order where it was paid does not show, in sentences."""
    window: int
    notes: tuple[str, ...]


def read_paths(
    people: People, *, since: datetime, until: datetime, currency: str, assumed_margin: float,
    rates: Iterable[tuple[str, int, float]] = (), window: int = 30, look: int = 14,
) -> Paths:  # fmt: skip
    """Read the orders of a time and their paths, once for every segment.

    ``window`` and ``look`` are days; the rest is as for ``know.overview.overview``. Raises InvalidInput for days
    below 1.
    """
    if window < 1 or look < 1:
        raise InvalidInput(
            "a path needs a window of a day or more", hint="30 days are usual, 14 for looking elsewhere"
        )
    names = people.query("SELECT DISTINCT channel FROM events WHERE channel <> '' ORDER BY channel", None)
    channels = tuple(dict.fromkeys(["store", *names["channel"].to_pylist()]))[:_MOST]
    table = people.query(
        paths_sql(look),
        {
            "rates": spans(currency, rates), "currency": currency, "minor": float(10 ** exponent(currency)),
            "assumed": float(assumed_margin), "deeds": sorted(DEEDS),
            "channels": [{"channel": c, "code": at, "online": c in ONLINE} for at, c in enumerate(channels)],
            "since": since, "until": until, "begin": since - timedelta(days=max(window, 2 * look)),
            "window": timedelta(days=window), "look": timedelta(days=look),
        },
    )  # fmt: skip
    who = people.rows(table["customer"].to_numpy())
    kept = who >= 0
    paid = coded(table["paid"])

    def column(name: str, kind: Any = np.int64) -> NDArray[Any]:
        values = table[name].fill_null(-1) if name in {"first", "last"} else table[name]
        return np.asarray(values.to_numpy(), kind)[kept]

    return Paths(
        channels=channels, who=who[kept], paid=paid.levels, paid_at=paid.codes[kept], margin=column("margin", float),
        first=column("first"), last=column("last"), touches=column("touches"), used=column("used"), window=window,
        look=look, **{
            name: column(name, np.bool_) for name in ("looked", "looked_anyway", "visited", "visited_anyway")
        },
    )  # fmt: skip


def parts(
    paths: Paths, group: Mask | None = None, *, value: NDArray[np.float64] | None = None
) -> ChannelsPart:
    """The channels' parts for a group (a mask over the people that the paths were read for), or for everybody.

    ``value`` is one number a customer, such as the expected value, shown by combination of channels.
    """
    rows = np.ones(paths.who.size, np.bool_) if group is None else group[paths.who]
    who, margin = paths.who[rows], paths.margin[rows]
    told = sorted(
        _parts(paths, rows, who, margin), key=lambda part: (-part.involved, -part.booked, part.channel)
    )
    return ChannelsPart(
        orders=int(rows.sum()), margin=float(margin.sum()), without_path=int((paths.touches[rows] == 0).sum()),
        parts=tuple(told), crossings=tuple(_crossings(paths, rows)),
        combinations=tuple(_combinations(paths, rows, value)), hidden=tuple(_hidden(told)),
        window=paths.window, notes=(CAUTION,),
    )  # fmt: skip


def _hidden(told: Iterable[Part]) -> Iterator[str]:
    for part in told:
        share, margin = part.involved_share, part.involved_margin_share
        if not part.booked and share.low is not None and share.high is not None and part.involved:
            yield (
                f"{part.channel}: no order is booked there, and it was on the way to {percent(share.value)} of them "
                f"({percent(share.low)} to {percent(share.high)}), with {percent(margin.value)} of the margin"
            )
        elif part.booked and part.unseen:
            booked = f"{part.channel}: {part.booked:,} orders are booked there"
            yield f"{booked}, and it was on the way to {part.unseen:,} more that were paid elsewhere"


def by_segment(paths: Paths, segments: Mapping[str, Mask], **more: Any) -> dict[str, ChannelsPart]:
    """The same for several segments."""
    return {name: parts(paths, mask, **more) for name, mask in segments.items()}


def _parts(paths: Paths, rows: Mask, who: NDArray[Any], margin: NDArray[Any]) -> Iterator[Part]:
    one = np.ones(who.size)
    first, last, used = paths.first[rows], paths.last[rows], paths.used[rows]
    places = [paths.paid[code] if code >= 0 else "" for code in range(len(paths.paid))]
    for code, channel in enumerate(paths.channels):
        starts, closes, involved = first == code, last == code, (used >> code & 1) > 0
        assists = involved & ~starts & ~closes
        home = _PAID_AT.get(channel, channel)
        # Orders are paid in the web shop, not on the web or in the app: both stand beside the same orders.
        booked = np.isin(paths.paid_at[rows], [at for at, place in enumerate(places) if place == home])
        if not involved.any() and not (booked.any() and channel == home):
            continue
        yield Part(
            channel=channel, starts=int(starts.sum()), assists=int(assists.sum()), closes=int(closes.sum()),
            involved=int(involved.sum()), booked=int(booked.sum()), started_margin=float(margin[starts].sum()),
            assisted_margin=float(margin[assists].sum()), closed_margin=float(margin[closes].sum()),
            involved_margin=float(margin[involved].sum()), booked_margin=float(margin[booked].sum()),
            starts_share=share_of_sums(starts.astype(float), one, who),
            closes_share=share_of_sums(closes.astype(float), one, who),
            involved_share=share_of_sums(involved.astype(float), one, who),
            involved_margin_share=share_of_sums(margin * involved, margin, who),
            unseen=int((involved & ~booked).sum()),
        )  # fmt: skip


def _crossings(paths: Paths, rows: Mask) -> Iterator[Crossing]:
    for place, looked, flags, usual in (
        ("store", "online", paths.looked, paths.looked_anyway),
        ("web", "store", paths.visited, paths.visited_anyway),
    ):
        if place not in paths.paid:
            continue
        chosen = rows & (paths.paid_at == paths.paid.index(place))
        who, now, before = paths.who[chosen], flags[chosen].astype(float), usual[chosen].astype(float)
        if not who.size:
            continue
        one = np.ones(who.size)
        share, anyway = share_of_sums(now, one, who), share_of_sums(before, one, who)
        word = "a look online" if looked == "online" else "a visit to a store"
        yield Crossing(
            paid=place, looked=looked, days=paths.look, orders=int(who.size), share=share, anyway=anyway,
            beyond=mean_per_row(now - before, who),
            sentence=(
                f"{percent(share.value)} of {who.size:,} {place} orders came within {paths.look} days after {word}; "
                f"in the {paths.look} days before those it was {percent(anyway.value)}"
            ),
        )  # fmt: skip


def _combinations(paths: Paths, rows: Mask, value: NDArray[np.float64] | None) -> Iterator[Combination]:
    """Customers by the channels of their paths and payments."""
    who, at = np.unique(paths.who[rows], return_inverse=True)
    if not who.size:
        return
    names = list(dict.fromkeys([*(n for n in paths.channels if n != "app"), "web", "store"]))
    bits = np.zeros(who.size, np.int64)
    used, paid = paths.used[rows], paths.paid_at[rows]
    for code, channel in enumerate(paths.channels):
        bit = np.int64(1) << names.index("web" if channel == "app" else channel)
        bits[np.unique(at[(used >> code & 1) > 0])] |= bit
    for code, place in enumerate(paths.paid):
        if place in names:
            bits[np.unique(at[paid == code])] |= np.int64(1) << names.index(place)
    margin, orders = np.bincount(at, paths.margin[rows]), np.bincount(at)
    codes, group, sizes = np.unique(bits, return_inverse=True, return_counts=True)
    for code in np.argsort(-sizes, kind="stable"):
        inside = group == code
        worth = None if value is None else value[who[inside]]
        yield Combination(
            channels=tuple(name for bit, name in enumerate(names) if int(codes[code]) >> bit & 1),
            customers=int(sizes[code]), margin=mean(margin[inside]), orders=float(orders[inside].mean()),
            margin_per_order=float(margin[inside].sum() / orders[inside].sum()),
            value=None if worth is None else mean(worth[~np.isnan(worth)]),
        )  # fmt: skip
