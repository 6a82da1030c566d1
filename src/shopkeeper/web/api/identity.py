"""Who is who, for programs: why two identifiers are one customer's, what merged and split, and settling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.identity import (
    Explanation,
    JunkFound,
    Matches,
    Particulars,
    ReviewPage,
    Ruling,
    Settle,
    Settlement,
    TurnShown,
)
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import BUSY, CONFLICT, INVALID, NOT_FOUND, NOT_PERMITTED, PREFIX, Limit
from shopkeeper.web.settled import junked, ruled, settled

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = PREFIX + "/identity"
_ONE = Annotated[
    str,
    QueryParameter(max_length=600, description="an identifier, bare or as `kind:value`, or a customer id"),
]
_Number = Annotated[int | None, QueryParameter(ge=1, le=2**62, description="`next` of the answer before")]


class Apply(Struct, frozen=True):
    """Whether to do it, or only to say what it would do."""

    apply: bool = False


class Turns(Struct, frozen=True):
    """Merges and splits, latest first. ``next`` is the cursor of the following page."""

    data: tuple[TurnShown, ...]
    next: int | None


class Pair(Struct, frozen=True):
    """Two identifiers or customers."""

    one: str
    other: str


class LookFor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is looked for: a customer, ``who``, or somebody of whom ``particulars`` are told."""

    who: str = ""
    particulars: Particulars = Particulars()
    limit: Annotated[int, Meta(ge=1, le=50)] = 5


@get(
    _HERE + "/explain",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["identity"],
    operation_id="explain",
    opt={OPT: Permission.LOOK_UP},
)
def explain(shop: Shop, one: _ONE, other: _ONE) -> Explanation:
    """Why two identifiers are one customer's: the chain of evidence; or why they are not: the guard between them."""
    return shop.explain(one, other)


@post(
    _HERE + "/explain",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["identity"],
    operation_id="explain_pair",
    opt={OPT: Permission.LOOK_UP},
)
def explain_pair(shop: Shop, data: JSONBody[Pair]) -> Explanation:
    """The same, asked in a body: so that an address or number stands in no log of addresses."""
    return shop.explain(data.one, data.other)


@post(
    _HERE + "/match",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND | CONFLICT | BUSY,
    tags=["identity"],
    operation_id="match",
    opt={OPT: Permission.LOOK_UP},
)
def match(shop: Shop, data: JSONBody[LookFor]) -> Matches:
    """Who somebody may be: customers ranked by the linkage model's probability that they are one person with a customer
    or with somebody of whom some particulars are told, each with its waterfall.
    """
    return shop.match(data.who.strip() or None, limit=data.limit, **data.particulars.given())


@get(
    _HERE + "/turns",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["identity"],
    operation_id="turns",
    opt={OPT: Permission.LOOK_UP},
)
def turns(
    shop: Shop,
    who: Annotated[
        str, QueryParameter(max_length=600, description="a customer; everybody where left out")
    ] = "",
    cursor: _Number = None,
    limit: Limit = 50,
) -> Turns:
    """What merged and what split, and by what."""
    rows = shop.turns(who or None, cursor=cursor, limit=limit)
    return Turns(rows, rows[-1].number if len(rows) == limit else None)


@get(
    _HERE + "/review",
    sync_to_thread=True,
    responses=INVALID | NOT_PERMITTED,
    tags=["identity"],
    operation_id="review",
    opt={OPT: Permission.RESOLVE},
)
def review(
    shop: Shop,
    cursor: _Number = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200, description="most entries in one answer")] = 25,
) -> ReviewPage:
    """Identities that a person should look at."""
    return shop.review(cursor=cursor, limit=limit)


@post(
    _HERE + "/settle",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED | NOT_FOUND,
    tags=["identity"],
    operation_id="settle",
    opt={OPT: Permission.RESOLVE},
)
def settle(shop: Shop, data: JSONBody[Settle]) -> Settlement:
    """Settle who is who: `same`, `different`, `undecide`, `unlink`, `split`, `leave`, `set_aside` or `restore`. Sent
    again, `same`, `different`, `leave` and `set_aside` change nothing more; the others then say that nothing is left to
    settle.
    """
    return settled(shop, data)


@post(
    _HERE + "/rules",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED,
    tags=["identity"],
    operation_id="identity_rules",
    opt={OPT: Permission.RESOLVE},
)
def rules(shop: Shop, data: JSONBody[Apply]) -> Ruling:
    """The rules of identity in force, and what those of the settings would change; `apply` takes `administer`."""
    return ruled(shop, apply=data.apply)


@post(
    _HERE + "/junk",
    sync_to_thread=True,
    status_code=200,
    responses=INVALID | NOT_PERMITTED,
    tags=["identity"],
    operation_id="identity_junk",
    opt={OPT: Permission.RESOLVE},
)
def junk(shop: Shop, data: JSONBody[Apply]) -> JunkFound:
    """Values that people of very many family names share; to set them aside (`apply`) takes `administer`."""
    return junked(shop, apply=data.apply)
