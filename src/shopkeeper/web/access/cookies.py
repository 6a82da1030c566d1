"""Sessions in browsers: the cookie, the mark against forged requests that is bound to it, and where to go next."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote, urlsplit

from litestar.datastructures import Cookie

_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip


def name(mark: str, *, secure: bool) -> str:
    """The cookie's name. Cookies know hosts and no ports, so the shop's mark keeps two shops of a machine apart.

    >>> name("1f2e", secure=True)
    '__Host-shopkeeper-1f2e'
    """
    return f"{'__Host-' if secure else ''}shopkeeper-{mark}"


def kept(mark: str, token: str, seconds: int, *, secure: bool) -> Cookie:
    """The cookie of a session: no script reads it, no other site's form sends it."""
    return Cookie(
        key=name(mark, secure=secure),
        value=token,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=secure,
        samesite="lax",
    )


def dropped(mark: str, *, secure: bool) -> Cookie:
    """The cookie that takes the session's away."""
    return Cookie(
        key=name(mark, secure=secure),
        value="",
        max_age=0,
        path="/",
        httponly=True,
        secure=secure,
        samesite="lax",
    )


def forgery_mark(token: str) -> str:
    """What a form must carry beside the cookie: only a page of that session can know it."""
    return blake2b(token.encode(), person=b"forgery mark", digest_size=24).hexdigest()


def is_mark(token: str, given: str) -> bool:
    """Whether that is the session's mark, in constant time.

    >>> is_mark("token", forgery_mark("token")), is_mark("token", "é")
    (True, False)
    """
    return hmac.compare_digest(forgery_mark(token).encode(), given.encode("utf-8", "replace"))


def same_site(headers: dict[str, str], hosts: Collection[str]) -> bool:
    """Whether a request comes from one of our own pages, as far as the browser says.

    >>> same_site({"sec-fetch-site": "cross-site"}, ["a.example"])
    False
    >>> same_site({"origin": "http://b.example"}, ["a.example"]), same_site({"origin": "http://["}, ["a.example"])
    (False, False)
    >>> same_site({"origin": "http://127.0.0.1:8765"}, ["127.0.0.1:8765"]), same_site({}, ["127.0.0.1"])
    (True, True)
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        named = urlsplit(origin).netloc.lower()
    except ValueError:  # such as "http://["
        return False
    return named in {host.lower() for host in hosts if host}


def safe_next(given: str, otherwise: str) -> str:
    r"""Where to go after signing in: an address of this shop, or else ``otherwise``.

    >>> [safe_next(to, "/") for to in ("/customers?sort=margin", "//evil.example", "https://evil.example", "/\\evil")]
    ['/customers?sort=margin', '/', '/', '/']
    """
    plain = unquote(given)
    if (
        not re.fullmatch(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]*", given)
        or re.match(r"/[/\\\s]", plain)
        or "\\" in plain
    ):
        return otherwise
    parts = urlsplit(given)
    if parts.scheme or parts.netloc or parts.path.startswith(("/sign-", "/set-up", "/enter")):
        return otherwise
    return given


def device_of(agent: str) -> str:
    """A browser as people know theirs.

    >>> device_of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((label for sign, label in _BROWSERS if sign in agent), "")
    system = next((label for sign, label in _SYSTEMS if sign in agent), "")
    return " on ".join(part for part in (browser, system) if part) or "a program"


def headers_of(scope: Any) -> dict[str, str]:
    """Request headers by lower-case name; of several of a name, the last."""
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
