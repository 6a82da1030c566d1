"""A source: one system that hands things in by itself, with a name, a kind and keys of its own."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from shopkeeper.domain.errors import InvalidInput, UnknownName

KINDS: Final[dict[str, str]] = {
    "tracking": "web sites, apps and servers that speak the Segment or RudderStack tracking API",
    "poslog": "tills that send ARTS/IXRetail POSLog XML",
    "shopify": "a Shopify shop's webhooks",
    "webhook": "any system that posts signed JSON, read by a mapping",
}
"""What a source may be, each with a sentence."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class Source(Struct, frozen=True, kw_only=True):
    """One system that hands things in."""

    name: str
    """Lower-case letters, digits and dashes: it stands in addresses, events and reports."""
    kind: str
    brand: str = ""
    channel: str = ""
    """The channel of what it tells, where the delivery itself does not say."""
    mapping: str = ""
    """How to read its bodies (TOML), for kind ``webhook``."""
    origins: tuple[str, ...] = ()
    """Web origins that may use its write key; none named means any."""
    events_per_second: int = 0
    """Events a second accepted from it, averaged over ten seconds; 0 for no limit of its own."""
    disabled: bool = False
    created_at: int = 0


def checked(source: Source) -> Source:
    """The source, or InvalidInput saying what is wrong.

    >>> checked(Source(name="web-shop", kind="tracking")).name
    'web-shop'
    """
    if not is_name(source.name):
        raise InvalidInput(
            f"a source cannot be called {source.name[:60]!r}",
            hint="use 1 to 40 lower-case letters, digits and dashes",
        )
    if source.kind not in KINDS:
        raise UnknownName("kind of source", source.kind, KINDS)
    if source.events_per_second < 0:
        raise InvalidInput("events_per_second is negative", hint="give 0 for no limit")
    return source


def is_name(text: str) -> bool:
    """Whether a source may be called that.

    >>> is_name("web-shop"), is_name("Web shop")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None
