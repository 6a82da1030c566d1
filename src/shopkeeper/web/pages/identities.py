"""Who is who: what needs a look, the evidence between two identifiers, and what merged and split of late."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from litestar import MediaType, Request, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Response

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, ShopkeeperError, StoreBusy
from shopkeeper.domain.identity import (
    SETTLEMENTS,
    Explanation,
    Matches,
    Particulars,
    Settle,
    Settlement,
)
from shopkeeper.domain.profile import IdentifierShown
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.pages.door import Form, text
from shopkeeper.web.render import render
from shopkeeper.web.settled import settled
from shopkeeper.web.status import status_of

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_HERE = "/identities"
_SETTLES = {OPT: Permission.RESOLVE}
_LATEST = 12
_LIKELY = 5
_NOTHING = Particulars()
_REFERENCE = re.compile(r"node:\d{1,18}|(customer:)?c\d{1,18}", re.ASCII)
_Text = Annotated[str, QueryParameter(max_length=600)]


class Decision(NamedTuple):
    """A decision on two identifiers, and how they are named when it is taken back."""

    about: tuple[IdentifierShown, ...]
    references: tuple[str, ...]


@get(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def identities(
    request: Request[Any, Any, Any],
    shop: Shop,
    one: _Text = "",
    other: _Text = "",
    cursor: Annotated[int | None, QueryParameter(ge=1, le=2**62)] = None,
    done: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[Any]:
    """The page; with two references it says why they belong together or not.

    An address stands in logs and in the browser's history: it names identifiers by number, never by value.
    """
    if not all(_REFERENCE.fullmatch(given) for given in (one, other) if given):
        wrong = "an address of this page names identifiers by number only; type them into the form instead"
        return _page(request, shop, wrong=wrong)
    return _page(request, shop, asked=(one, other), cursor=cursor, done=done)


@post(_HERE + "/why", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def why(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """What was typed, as an address that holds numbers only."""
    typed = text(data, "one").strip(), text(data, "other").strip()
    try:
        found = shop.explain(*typed)
    except (InvalidInput, Conflict, NotFound) as error:
        return _page(request, shop, typed=typed, wrong=error)
    one, other = found.references
    return Redirect(f"{_HERE}?one={one}&other={other}", status_code=303)


@post(_HERE + "/match", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def match(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Who somebody may be who tells what the form holds."""
    told = Particulars(**{name: text(data, name).strip()[:600] for name in Particulars.__struct_fields__})
    try:
        return _page(request, shop, told=told, matches=shop.match(limit=_LIKELY, **told.given()))
    except (InvalidInput, Conflict, StoreBusy) as error:
        return _page(request, shop, told=told, unmatched=error)


@post(_HERE, media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt=_SETTLES)
def settle(request: Request[Any, Any, Any], shop: Shop, data: Form) -> Response[Any]:
    """Settle something, or try it: then the page says what it would do and asks."""
    both = text(data, "both").split() or [text(data, name).strip() for name in ("one", "other")]
    ask = Settle(
        what=text(data, "what"),
        identifiers=tuple(name for name in both if name),
        dry_run=bool(text(data, "try")),
    )
    about = [*text(data, "also").split(), *ask.identifiers]
    asked = (about[0], about[1]) if len(about) > 1 else ("", "")
    try:
        made = settled(shop, ask)
    except (InvalidInput, Conflict, NotFound) as error:
        return _page(request, shop, wrong=error)
    if ask.dry_run:
        return _page(request, shop, asked=asked, would=made, ask=ask)
    return Redirect(f"{_HERE}?done={ask.what}", status_code=303)


def _page(
    request: Request[Any, Any, Any],
    shop: Shop,
    *,
    asked: tuple[str, str] = ("", ""),
    typed: tuple[str, str] = ("", ""),
    cursor: int | None = None,
    done: str = "",
    wrong: ShopkeeperError | str = "",
    would: Settlement | None = None,
    ask: Settle | None = None,
    told: Particulars = _NOTHING,
    matches: Matches | None = None,
    unmatched: ShopkeeperError | str = "",
) -> Response[Any]:
    found: Explanation | None = None
    if all(asked) and not wrong:
        try:
            found = shop.explain(*asked)
        except (InvalidInput, Conflict, NotFound) as error:
            wrong = error
    page = render(
        request.app,
        "identities.html",
        here="identities",
        review=shop.review(cursor=cursor),
        turns=shop.turns(limit=_LATEST) if not cursor else (),
        first=not cursor,
        typed=typed,
        found=found,
        decided=_decided(found),
        would=would,
        ask=ask,
        done=done if done in SETTLEMENTS else "",
        settlements=SETTLEMENTS,
        wrong=str(wrong),
        told=told,
        matches=matches,
        unmatched=str(unmatched),
    )
    return Response(page, status_code=_status(wrong or unmatched), media_type=MediaType.HTML)


def _decided(found: Explanation | None) -> list[Decision]:
    """Decisions in an answer, which may be taken back: between two customers, or within one."""
    if found is None:
        return []
    apart = [Decision(r.about, r.references) for r in found.reasons if r.guard == "decided"]
    return apart + [Decision((s.one, s.other), s.references) for s in found.steps if s.why == "decided"]


def _status(wrong: ShopkeeperError | str) -> int:
    if not wrong:
        return 200
    return 400 if isinstance(wrong, str) else status_of(wrong)
