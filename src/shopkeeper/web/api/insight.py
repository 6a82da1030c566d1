"""Groups of customers beside each other, for programs. A group is a segment's name, or a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta, Struct, field

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.insight import ReadBack, Suggestions
from shopkeeper.shop.told import ChannelsPart, Comparison, Flows, Overlaps
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import CONFLICT, INVALID, NOT_PERMITTED, PREFIX, TOO_LONG

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = PREFIX + "/insight"
_SEES = {OPT: Permission.REPORT}
_ANSWERS = INVALID | NOT_PERMITTED | CONFLICT | TOO_LONG
_Group = Annotated[str, Meta(max_length=20_000, description="a segment's name, or a condition")]


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition, as a text or as a builder's groups and rows."""

    text: Annotated[str, Meta(max_length=20_000)] | None = None
    builder: dict[str, Any] | None = None
    size: Literal["", "estimate", "exact"] = ""


class Beside(Struct, frozen=True, forbid_unknown_fields=True):
    """Two groups; without ``with`` it is everybody else, and ``other buyers`` are those who bought among them."""

    segment: _Group
    with_: _Group | None = field(default=None, name="with")


class One(Struct, frozen=True, forbid_unknown_fields=True):
    """A group; without one it is everybody."""

    segment: _Group | None = None


class Several(Struct, frozen=True, forbid_unknown_fields=True):
    """Groups at once."""

    segments: Annotated[tuple[_Group, ...], Meta(min_length=1, max_length=62)]


class Moving(Struct, frozen=True, forbid_unknown_fields=True):
    """Saved segments by name, and over how many months or weeks; who is in several stands in the first."""

    segments: Annotated[tuple[Annotated[str, Meta(max_length=96)], ...], Meta(min_length=1, max_length=8)]
    per: Literal["month", "week"] = "month"
    periods: Annotated[int, Meta(ge=1, le=26)] = 6


@post(
    _HERE + "/condition", sync_to_thread=True, status_code=200, responses=_ANSWERS, tags=["insight"],
    operation_id="read_condition", opt=_SEES,
)  # fmt: skip
def read_condition(shop: Shop, data: JSONBody[Asked]) -> ReadBack:
    """A condition read back as SQL, as a builder's rows and in plain English; what is wrong is told with its place."""
    return shop.read_back(data.text, builder=data.builder, size=data.size)


@post(
    _HERE + "/compare", sync_to_thread=True, status_code=200, responses=_ANSWERS, tags=["insight"],
    operation_id="compare_segments", opt=_SEES,
)  # fmt: skip
def compare(shop: Shop, data: JSONBody[Beside]) -> Comparison:
    """What a group has in common, beside everybody else or another group."""
    return shop.compare(data.segment, data.with_)


@post(
    _HERE + "/channels", sync_to_thread=True, status_code=200, responses=_ANSWERS, tags=["insight"],
    operation_id="channels_of_segment", opt=_SEES,
)  # fmt: skip
def channels(shop: Shop, data: JSONBody[One]) -> ChannelsPart:
    """Which channels start, assist and close the orders of a group within the last year."""
    return shop.channels_of(data.segment)


@post(
    _HERE + "/overlaps", sync_to_thread=True, status_code=200, responses=_ANSWERS, tags=["insight"],
    operation_id="overlaps_of_segments", opt=_SEES,
)  # fmt: skip
def overlaps(shop: Shop, data: JSONBody[Several]) -> Overlaps:
    """Who is in which of several groups at once."""
    return shop.overlaps(*data.segments)


@post(
    _HERE + "/flows", sync_to_thread=True, status_code=200, responses=_ANSWERS, tags=["insight"],
    operation_id="flows_between_segments", opt=_SEES,
)  # fmt: skip
def flows(shop: Shop, data: JSONBody[Moving]) -> Flows:
    """How customers moved between saved segments."""
    return shop.segment_flows(*data.segments, per=data.per, periods=data.periods)


@get(
    _HERE + "/suggestions", sync_to_thread=True, responses=NOT_PERMITTED | CONFLICT | TOO_LONG, tags=["insight"],
    operation_id="suggested_segments", opt=_SEES,
)  # fmt: skip
def suggestions(shop: Shop) -> Suggestions:
    """Segments that every retailer expects, with thresholds from the shop's own customers, and sizes."""
    return shop.suggestions()
