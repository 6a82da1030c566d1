"""Segments, for programs: definitions, who is in them, and who entered and left, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar import get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.segment import Audience, Members, Recounted, Segment, SegmentHistory
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import INVALID, NOT_FOUND, NOT_PERMITTED, PREFIX, Limit
from shopkeeper.web.segmented import recounted, segmented

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = PREFIX + "/segments"
_NUMBER = QueryParameter(ge=0, le=2**62, description="`next` of the answer before; leave out to begin")
_Name = Annotated[str, PathParameter(max_length=80, description="the segment's name")]


class Definition(Struct, frozen=True, kw_only=True):
    """A segment to save. ``condition`` is in the condition language."""

    condition: str
    title: str | None = None
    sentence: str | None = None
    activate: bool = True


class Segments(Struct, frozen=True):
    """All segments, by name."""

    data: tuple[Segment, ...]


class Names(Struct, frozen=True):
    """Segments by name; all in use where none is named."""

    names: tuple[str, ...] = ()


@get(
    _HERE,
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED,
    tags=["segments"],
    operation_id="segments",
    opt={OPT: Permission.REPORT},
)
def segments(
    shop: Shop,
    *,
    archived: Annotated[bool, QueryParameter(description="also those put away")] = False,
) -> Segments:
    """Every segment with its state and size; those put away only where asked for."""
    return Segments(shop.segments(archived=archived))


@get(
    _HERE + "/changes",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED,
    tags=["segments"],
    operation_id="audience_changes",
    opt={OPT: Permission.LOOK_UP},
)
def all_changes(shop: Shop, cursor: Annotated[int | None, _NUMBER] = None, limit: Limit = 100) -> Audience:
    """Who entered and left any segment, in order and each once."""
    return shop.audience(cursor=cursor, limit=limit)


@get(
    _HERE + "/{name:str}",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["segments"],
    operation_id="segment",
    opt={OPT: Permission.REPORT},
)
def segment(shop: Shop, name: _Name) -> SegmentHistory:
    """One segment with all its versions, and how it grew and shrank."""
    return shop.segment(name)


@put(
    _HERE + "/{name:str}",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED,
    tags=["segments"],
    operation_id="save_segment",
    opt={OPT: Permission.SEGMENT},
)
def save(shop: Shop, name: _Name, data: JSONBody[Definition]) -> Segment:
    """Define a segment, or change it; the same definition again changes nothing."""
    return segmented(
        shop, "save", name=name, condition=data.condition, title=data.title, sentence=data.sentence,
        activate=data.activate,
    )  # fmt: skip


@post(
    _HERE + "/{name:str}/activate",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["segments"],
    operation_id="activate_segment",
    opt={OPT: Permission.SEGMENT},
)
def activate(shop: Shop, name: _Name) -> Segment:
    """Bring a segment into use."""
    return segmented(shop, "activate", name=name)


@post(
    _HERE + "/{name:str}/pause",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["segments"],
    operation_id="pause_segment",
    opt={OPT: Permission.SEGMENT},
)
def pause(shop: Shop, name: _Name) -> Segment:
    """Let a segment stand still."""
    return segmented(shop, "pause", name=name)


@post(
    _HERE + "/{name:str}/archive",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["segments"],
    operation_id="archive_segment",
    opt={OPT: Permission.SEGMENT},
)
def archive(shop: Shop, name: _Name) -> Segment:
    """Put a segment away; what entered and left is kept."""
    return segmented(shop, "archive", name=name)


@get(
    _HERE + "/{name:str}/members",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["segments"],
    operation_id="segment_members",
    opt={OPT: Permission.LOOK_UP},
)
def members(
    shop: Shop, name: _Name, cursor: Annotated[int | None, _NUMBER] = None, limit: Limit = 50
) -> Members:
    """Who is in a segment, and since when."""
    return shop.members(name, cursor=cursor, limit=limit)


@get(
    _HERE + "/{name:str}/changes",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["segments"],
    operation_id="segment_changes",
    opt={OPT: Permission.LOOK_UP},
)
def changes(
    shop: Shop, name: _Name, cursor: Annotated[int | None, _NUMBER] = None, limit: Limit = 100
) -> Audience:
    """Who entered a segment and left it, in order and each once."""
    return shop.audience(name, cursor=cursor, limit=limit)


@post(
    _HERE + "/recount",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED,
    tags=["segments"],
    operation_id="recount_segments",
    opt={OPT: Permission.REFRESH},
)
def recount(shop: Shop, data: JSONBody[Names]) -> Recounted:
    """Compare who is in segments with what everybody's whole history says; differences are told and mended."""
    return recounted(shop, list(data.names))
