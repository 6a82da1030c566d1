"""Who hands in: the write key, wherever this client puts it, and the source it belongs to."""

from __future__ import annotations

from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from shopkeeper.domain.source import Source
from shopkeeper.web.tracking.answers import Refusal
from shopkeeper.web.tracking.rates import TRIES, Buckets

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

LONGEST = 200
"""Characters a write key may have."""


@lru_cache(maxsize=1_024)
def from_header(authorization: bytes) -> str:
    """The key in an Authorization header: ``Basic key:`` (the password is ignored) or ``Bearer key``.

    >>> from_header(b"Basic a2V5Og=="), from_header(b"Bearer key"), from_header(b"Digest x")
    ('key', 'key', '')
    """
    scheme, _, given = authorization.partition(b" ")
    scheme = scheme.lower()
    if len(given) > 4 * LONGEST:
        return ""
    if scheme == b"basic":
        try:
            return b64decode(given).partition(b":")[0].decode("ascii")
        except ValueError:
            return ""
    if scheme == b"bearer":
        return given.strip().decode("latin-1")
    return ""


def from_query(query: bytes) -> str:
    """The key in a query string, under ``writeKey``."""
    if b"writeKey=" not in query:
        return ""
    return parse_qs(query.decode("latin-1"), max_num_fields=200).get("writeKey", [""])[0]


class Senders:
    """Knows the source of a key, and slows down whoever tries keys."""

    def __init__(self, shop: Shop, strangers: Buckets) -> None:
        self._shop = shop
        self._strangers = strangers

    def knows(self, key: str) -> bool:
        """Whether a source has this key."""
        return len(key) <= LONGEST and self._shop.hearing.holder_of_key(key) is not None

    def source(self, key: str, scope: Any, origin: bytes) -> Source:
        """The source that this key belongs to. Raises Refusal 401, 403 or 429."""
        return admitted(self.any_source(key, scope), origin)

    def any_source(self, key: str, scope: Any) -> Source:
        """The same, whether it may send now or not. Raises Refusal 401 or 429."""
        found = self._shop.hearing.holder_of_key(key) if 0 < len(key) <= LONGEST else None
        if found is None:
            raise self.unknown(scope, "unknown_key" if key else "no_key")
        return found

    def unknown(self, scope: Any, code: str) -> Refusal:
        """The answer to somebody without a key or signature that fits.

        It never stands in the way of the right one: many senders may share an address.
        """
        client = scope.get("client")
        after = self._strangers.take(client[0] if client else "", 1, rate=0.5, size=TRIES)
        if after:
            return Refusal(429, "too_many_tries", "too many wrong keys from this address", after=after)
        text = {
            "no_key": "send the write key: Basic 'writeKey:', or 'writeKey' in the body or the query",
            "unknown_key": "no source has this write key",
            "bad_signature": "the signature does not fit the body",
        }[code]
        return Refusal(401, code, text, more=((b"www-authenticate", b'Basic realm="writeKey"'),))


def admitted(source: Source, origin: bytes) -> Source:
    """The source, where it may send now and from there. Raises Refusal 403."""
    if source.disabled:
        raise Refusal(403, "disabled", "this source is switched off")
    if source.origins and origin and origin.decode("latin-1") not in source.origins:
        raise Refusal(403, "wrong_origin", "this source takes nothing from pages of this origin")
    return source
