"""Prepares an event for the log: stamped, split into facts and sealed values, its identifiers made canonical."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from shopkeeper.collect.stamp import stamp
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.consent import PURPOSES, purpose_of
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import EVENTS, Event, split
from shopkeeper.domain.events.identity import ConsentGiven
from shopkeeper.domain.events.orders import OrderFields
from shopkeeper.domain.identifier import IDENTIFIER_KINDS, Identifier
from shopkeeper.domain.protocols import Canonical
from shopkeeper.stores.contract.vault import Vault

AHEAD: Final = DAY
"""How far in the future an event may lie before it is refused: clocks drift, but not by days."""

_UNSEEN: Final = (b"", "")
_REMEMBERED: Final = 1_000_000


class Prepared(NamedTuple):
    """An event, ready to be appended."""

    event: Event
    key: bytes
    body: bytes
    version: int
    payload: bytes
    seen: tuple[tuple[bytes, str, str], ...]
    """Pseudonym, kind and canonical value of its identifiers, the strongest first."""
    home: tuple[bytes, str, str] | None
    """Under whose key personal values are sealed: the strongest identifier's, or one of the event's own where nobody
    is named, which makes no customer."""
    sealed: dict[str, Any]
    order_id: str


class Preparer:
    """Does all about an event that needs no ledger; any thread may use it."""

    def __init__(self, vault: Vault, canonical: Canonical, *, currency: str) -> None:
        self.vault = vault
        self.canonical = canonical
        self.currency = currency
        self._encode = msgspec.json.Encoder().encode
        self._known: dict[tuple[str, str], tuple[bytes, str] | None] = {}

    def prepare(self, event: Event) -> Prepared:
        """Everything about an event that needs no ledger. Raises BadEvent."""
        if not event.name:
            raise BadEvent(
                "no_name", "an event without a name", hint="give 'event', such as 'Product Viewed'"
            )
        if not event.message_id:
            raise BadEvent("no_message_id", "an event without a message id")
        if event.occurred_at > event.received_at + AHEAD:
            raise BadEvent(
                "in_the_future", "an event dated more than a day ahead", hint="check the sender's clock"
            )
        properties = event.properties
        order_id = ""
        if isinstance(properties, OrderFields):
            properties = stamp(properties, self.currency)
            order_id = properties.order_id
        elif isinstance(properties, ConsentGiven) and purpose_of(properties.purpose) is None:
            raise BadEvent(
                "unknown_purpose",
                "consent to a purpose that is not known",
                hint=f"known: {', '.join(PURPOSES)}",
            )
        facts, sealed = split(properties, event.more)
        seen, junk = self._identify(event.identifiers)
        if sealed and seen:
            sealed = _told_once(sealed, event.identifiers, junk)
        if junk:
            sealed = {**sealed, "unusable_identifiers": junk}
        payload = self._encode(facts)
        name = event.name
        body = blake2b(payload, digest_size=8)
        if sealed:
            body.update(self._encode(sealed))
        body.update(name.encode("utf-8", "surrogatepass"))
        home = seen[0] if seen else None
        if sealed and not home:
            home = self._pseudonym("anonymous_id", f"event:{event.message_id}")
        declared = EVENTS.get(name)
        return Prepared(
            event,
            blake2b(event.message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest(),
            body.digest(),
            declared.version if declared else 0,
            payload,
            seen,
            home,
            sealed,
            order_id,
        )

    def _identify(
        self, given: Sequence[Identifier]
    ) -> tuple[tuple[tuple[bytes, str, str], ...], list[list[str]]]:
        found: list[tuple[int, str, bytes, str]] = []
        junk: list[list[str]] = []
        for identifier in given:
            known = self._known.get((identifier.kind, identifier.value), _UNSEEN)
            if known is _UNSEEN:
                known = self._learn(identifier)
            if known is None:
                junk.append([identifier.kind, identifier.value])
            else:
                found.append((IDENTIFIER_KINDS[identifier.kind].rank, known[1], known[0], identifier.kind))
        if len(found) > 1:
            found = sorted(set(found))
        return tuple((hash_, kind, value) for _, value, hash_, kind in found), junk

    def _learn(self, identifier: Identifier) -> tuple[bytes, str] | None:
        if identifier.kind not in IDENTIFIER_KINDS:
            raise BadEvent("unknown_identifier", f"unknown kind of identifier {identifier.kind[:40]!r}")
        value = self.canonical(identifier.kind, identifier.value)
        known = None if value is None else (self.vault.pseudonym(identifier.kind, value), value)
        if len(self._known) > _REMEMBERED:
            self._known = {}
        self._known[identifier.kind, identifier.value] = known
        return known

    def _pseudonym(self, kind: str, value: str) -> tuple[bytes, str, str]:
        return self.vault.pseudonym(kind, value), kind, value


def _told_once(sealed: dict[str, Any], given: Sequence[Identifier], junk: list[list[str]]) -> dict[str, Any]:
    """Without an address or number that is kept as an identifier of the same event already."""
    for identifier in given:
        kind = identifier.kind
        if sealed.get(kind) == identifier.value and [kind, identifier.value] not in junk:
            sealed = {k: v for k, v in sealed.items() if k != kind}
    return sealed
