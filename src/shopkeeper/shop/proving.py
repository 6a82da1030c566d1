"""Whether a webhook comes from its source, and what it is about: by the source's secret and what its mapping says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from shopkeeper.domain.signature import UNSIGNED, Signature, doubt
from shopkeeper.domain.source import Source
from shopkeeper.shop.hearing import Hearing


class Manner(Struct, frozen=True):
    """How a source's webhooks come."""

    signature: Signature | None
    """How they are signed; None where a write key must speak for them."""
    topic_header: str
    """The header that says what a body is about, in lower case; empty where there is none."""


SHOPIFY: Final = Manner(Signature(header="x-shopify-hmac-sha256", encoding="base64"), "x-shopify-topic")
"""HMAC-SHA256 of the raw body, in base64."""


def manner_of(source: Source) -> Manner:
    """How a source's webhooks come. Raises InvalidInput where its mapping is not valid (any more).

    >>> manner_of(Source(name="s", kind="shopify")).topic_header
    'x-shopify-topic'
    """
    if source.kind == "shopify":
        return SHOPIFY
    from shopkeeper.collect.mapped.mapping import check  # a stage, needed by few shops

    mapping = check(source.mapping)
    return Manner(mapping.signature, mapping.topic_header)


def doubted(hearing: Hearing, source: Source, headers: Mapping[str, str], body: bytes) -> str:
    """Why a webhook of a source that signs is not believed; empty where it is genuine.

    ``headers`` have names in lower case, ``body`` is the raw one.
    """
    signature = manner_of(source).signature
    secret = hearing.secret_of(source)
    if signature is None or not secret:
        return UNSIGNED
    return doubt(signature, [secret], headers, body, hearing.now())
