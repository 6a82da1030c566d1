"""The middleware in front of every route: who asks, whether they may, and that no other site asked in their name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware

from shopkeeper.domain.actor import NOBODY
from shopkeeper.domain.errors import NotPermitted, NotSignedIn
from shopkeeper.domain.patience import waiting
from shopkeeper.web.access import cookies
from shopkeeper.web.access.declared import ANYONE, FOR_PROGRAMS, SAFE, SIGNED_IN, needs
from shopkeeper.web.access.present import Seen, current

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from shopkeeper.domain.access import Caller
    from shopkeeper.shop import Shop

MARK_HEADER = "x-csrf-token"
MARK_FIELD = "csrf"
_NOT_SIGNED_IN = "nobody is signed in"


class Admission(ASGIMiddleware):
    """Admits a request to its route, or answers it: 303 to the sign-in for a page, 401 or 403 otherwise."""

    scopes = (ScopeType.HTTP, ScopeType.ASGI)

    def __init__(self, shop: Shop, mark: str) -> None:
        self.shop = shop
        self.mark = mark
        self.address = urlsplit(shop.settings.address)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Admit one request."""
        needed = needs(scope["route_handler"])
        headers = cookies.headers_of(scope)
        seen = await self._seen(scope, headers)
        current.set(seen)
        if needed != ANYONE and seen.actor is NOBODY:
            await self._send_away(scope, headers, send)
            return
        if scope.get("method") not in SAFE:
            await self._refuse_forged(scope, receive, headers, seen if needed != ANYONE else Seen())
        if needed not in (ANYONE, SIGNED_IN) and not seen.actor.may(needed):  # type: ignore[arg-type]
            where = scope.get("path_template") or "this address"
            await sync_to_thread(seen.shop.require, needed, f"open {where}")
        with waiting(self.shop.settings.question_seconds):
            await next_app(scope, receive, send)

    async def _seen(self, scope: Any, headers: dict[str, str]) -> Seen:
        """Who asks: a key goes before a session, and a wrong key is not helped by a right session."""
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        token, caller = "", None
        secure = scope["scheme"] == "https" or self.address.scheme == "https"
        if scope["path"].startswith(FOR_PROGRAMS) and scheme:
            if scheme.lower() == "bearer":
                caller = await sync_to_thread(self.shop.bearer, secret.strip())
        elif token := Request[Any, Any, Any](scope).cookies.get(cookies.name(self.mark, secure=secure), ""):
            caller = await sync_to_thread(self.shop.who, token)
        return self._of(caller, token, secure)

    def _of(self, caller: Caller | None, token: str, secure: bool) -> Seen:  # noqa: FBT001 - private, and named in Seen
        if caller is None:
            return Seen(shop=self.shop.as_actor(NOBODY), secure=secure)
        return Seen(
            actor=caller.actor,
            user=caller.user,
            token=token,
            mark=cookies.forgery_mark(token) if token else "",
            shop=self.shop.as_actor(caller.actor),
            secure=secure,
        )

    async def _refuse_forged(self, scope: Any, receive: Receive, headers: dict[str, str], seen: Seen) -> None:
        if seen.actor.scopes is not None:
            return  # no browser sends a key by itself
        if not cookies.same_site(headers, (headers.get("host", ""), self.address.netloc)):
            raise NotPermitted(
                "another site asked for this in your name", hint="begin from the shop's own page"
            )
        if seen.token:
            given = headers.get(MARK_HEADER)
            if given is None:
                # What is read here is kept in the scope, where the handler's own request finds it.
                form = await Request[Any, Any, Any](scope, receive).form()
                given = form.get(MARK_FIELD)
            if not isinstance(given, str) or not cookies.is_mark(seen.token, given):
                raise NotPermitted(
                    "this form is not of your session", hint="reload the page and send it again"
                )

    async def _send_away(self, scope: Any, headers: dict[str, str], send: Send) -> None:
        """To the sign-in, with the way back; a program is told in its own words."""
        if scope["path"].startswith(FOR_PROGRAMS) and "text/html" not in headers.get("accept", ""):
            raise NotSignedIn(
                _NOT_SIGNED_IN, hint="send an API key as 'Authorization: Bearer shk_...', or sign in"
            )
        query = scope["query_string"].decode("latin-1")
        back = scope["path"] + (f"?{query}" if query else "") if scope["method"] in SAFE else "/"
        # The piece that htmx asks for is of a page, which is what to come back to.
        to = "/sign-in?" + urlencode({"next": _own_path(headers.get("hx-current-url", ""), back)})
        piece = headers.get("hx-request") == "true"
        # 204 for a piece: htmx leaves the page as the header says, and the browser has no failure to complain of.
        leads = [(b"hx-redirect", to.encode("latin-1"))]
        if not piece:
            leads = [(b"location", to.encode("latin-1")), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 204 if piece else 303, "headers": leads})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _own_path(address: str, otherwise: str) -> str:
    """The path of an address; the sign-in checks it again before it leads there.

    >>> _own_path("http://127.0.0.1:8765/customers?sort=orders", "/")
    '/customers?sort=orders'
    >>> _own_path("http://[", "/")
    '/'
    """
    try:
        parts = urlsplit(address)
    except ValueError:  # no browser says that
        return otherwise
    if not parts.path:
        return otherwise
    return parts.path + (f"?{parts.query}" if parts.query else "")
