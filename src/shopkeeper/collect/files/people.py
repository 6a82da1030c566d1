"""Customers, consents, unsubscribes, contacts and third-party attributes: rows that tell something of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np

from shopkeeper.collect.files.columns import folded
from shopkeeper.collect.files.convert import Typed
from shopkeeper.collect.files.kinds import WHO
from shopkeeper.collect.files.orders import IDENTIFYING
from shopkeeper.collect.files.zone import to_utc
from shopkeeper.collect.person import person_of
from shopkeeper.domain.batch import Batch, LineMemory, Refused
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.consent import PURPOSES, purpose_of
from shopkeeper.domain.event import Event, Properties
from shopkeeper.domain.events.engagement import EmailUnsubscribed
from shopkeeper.domain.events.identity import ConsentGiven, ConsentWithdrawn, Identified, ProfileEnriched
from shopkeeper.domain.events.service import ContactClosed, ContactOpened
from shopkeeper.domain.identifier import Identifier

_TOLD: Final = (
    "title", "first_name", "last_name", "email", "phone", "street", "city", "state", "postcode", "country",
    "birthday", "gender", "company", "household", "joined", "acquisition_channel",
)  # fmt: skip
_EPOCH: Final = date(1970, 1, 1).toordinal()
_OPENED, _CLOSED = b"opened--", b"closed--"

Row = dict[str, Any]
Reason = tuple[str, str]
"""Why a row is refused: code and sentence."""
Refuse = Callable[[int, str, str], Refused]


class People:
    """Turns the rows of one file into events. ``refuse`` makes a refused row of a row's place in the chunk."""

    def __init__(self, kind: str, *, source: str, now: int, zone: str, lines: LineMemory) -> None:
        self.kind, self.source, self.now, self.zone = kind, source, now, zone
        self.lines = lines
        self._before: dict[bytes, bytes] = {}
        self._seen: dict[bytes, bytes] = {}
        self._pending: dict[bytes, bytes] = {}
        self._make: dict[str, Callable[[Row], Event | Reason]] = {
            "consents": self._consent,
            "unsubscribes": self._unsubscribe,
            "attributes": self._attributes,
        }

    def batch(self, typed: Typed, refuse: Refuse, extra: Mapping[str, list[str | None]]) -> Batch:
        """The events of one chunk's rows, and what has to be remembered once they are stored."""
        batch = Batch(read=len(typed.lines) + len(typed.refused), refused=list(typed.refused))
        names = list(typed.values)
        rows = [dict(zip(names, row, strict=True)) for row in typed.rows(*names)]
        if self.kind in ("customers", "contacts"):
            (self._customers if self.kind == "customers" else self._contacts)(rows, batch)
            batch.kept = len(rows) - batch.repeated
        else:
            for i, row in enumerate(rows):
                if self.kind == "attributes":
                    told = {name: v for name, values in extra.items() if (v := values[i]) is not None}
                    row["attributes"] = {attribute_name(name): v for name, v in told.items()}
                made = self._make[self.kind](row)
                if isinstance(made, tuple):
                    batch.refused.append(refuse(i, *made))
                else:
                    batch.events.append(made)
        return batch

    def remember(self) -> None:
        """Remember what the last batch brought; to be called when it is stored."""
        if self._pending:
            self.lines.remember_lines(self._pending)
            self._pending = {}

    def _customers(self, rows: list[Row], batch: Batch) -> None:
        """A row that was there before brings nothing; a changed one is told as of its own time, or as of now."""
        identifiers = [who(row) for row in rows]
        keys = [self._key("customer", found[0].value if found else "") for found in identifiers]
        known = self.lines.known_lines(list(dict.fromkeys(keys)))
        pending: dict[bytes, bytes] = {}
        for row, found, key in zip(rows, identifiers, keys, strict=True):
            content = _digest(row, 8)
            # what was known before this file began, however many batches ago
            before = self._before.setdefault(key, known.get(key, b""))
            mine = self._seen.get(key, b"")
            if _holds(mine, content) or _holds(before, content):
                batch.repeated += 1
            else:
                changed = bool(before) and not mine
                batch.events.append(self._identified(row, found, content, changed=changed))
            self._seen[key] = pending[key] = mine if _holds(mine, content) else _joined(mine, content)
        self._pending = pending

    def _identified(self, row: Row, found: tuple[Identifier, ...], content: bytes, *, changed: bool) -> Event:
        told = {name: value for name in _TOLD if (value := row.get(name)) is not None}
        if (name := row.get("name")) is not None and "first_name" not in told and "last_name" not in told:
            told.update(person_of({"name": name}))
        message_id = f"customer:{self.source}:{content.hex()}"
        at = row.get("time")
        if at is None and changed:
            at, message_id = self.now, f"{message_id}:{self.now}"
        elif at is None:
            at = self._midnight(row.get("joined"))
        return self._event("Identified", message_id, at, found, Identified(**told))

    def _consent(self, row: Row) -> Event | Reason:
        if "given" in row and row["given"] is None:
            return "missing_value", "nothing in the column that tells whether it was given"
        given = row.get("given", True)
        purpose = purpose_of(row["purpose"])
        if given and purpose is None:
            return "unknown_purpose", f"a consent to no known purpose; known are {', '.join(PURPOSES)}"
        properties = (ConsentGiven if given else ConsentWithdrawn)(
            # a withdrawal is never refused: in words that nobody knows it counts as one of all marketing
            purpose=purpose or _code(row["purpose"])[:200] or "marketing",
            lawful_basis=_code(row.get("lawful_basis") or "consent"),
            method=row.get("method") or "import",
            wording=row.get("wording") or "",
        )
        name = "Consent Given" if given else "Consent Withdrawn"
        return self._event(
            name, self._id("consent", row), row.get("time"), who(row), properties, row.get("channel")
        )

    def _unsubscribe(self, row: Row) -> Event:
        properties = EmailUnsubscribed(
            reason=row.get("reason") or "", campaign_id=row.get("campaign_id") or ""
        )
        at = row.get("time")
        return self._event(
            "Email Unsubscribed", self._id("unsubscribe", row), at, who(row), properties, "email"
        )

    def _attributes(self, row: Row) -> Event | Reason:
        if not row["attributes"]:
            return "missing_value", "no attribute in the row"
        as_of = row.get("as_of")
        properties = ProfileEnriched(
            provider=row.get("provider") or self.source, as_of=as_of or "", attributes=row["attributes"]
        )
        return self._event(
            "Profile Enriched", self._id("attributes", row), self._midnight(as_of), who(row), properties
        )

    def _contacts(self, rows: list[Row], batch: Batch) -> None:
        """A case is opened once and closed once, however often an export lists it."""
        keys = [self._key("contact", row["contact_id"]) if row.get("contact_id") else b"" for row in rows]
        known = self.lines.known_lines(list(dict.fromkeys(key for key in keys if key)))
        pending: dict[bytes, bytes] = {}
        for row, key in zip(rows, keys, strict=True):
            marks = (self._seen.get(key) or known.get(key, b"")) if key else b""
            number = row.get("contact_id") or _digest(row, 16).hex()
            fields = {
                "contact_id": number,
                "medium": _code(row.get("medium") or ""),
                "reason": _code(row.get("reason") or ""),
                "sentiment": _code(row.get("sentiment") or ""),
                "order_id": row.get("order_id") or "",
            }
            found, message_id = who(row), f"contact:{self.source}:{number}"
            new = 0
            if _OPENED not in marks:
                opened = ContactOpened(**fields, subject=row.get("subject"))
                batch.events.append(
                    self._event(
                        "Contact Opened", f"{message_id}:opened", row["time"], found, opened, "service"
                    )
                )
                marks, new = _OPENED + marks, 1
            if row.get("closed") is not None and _CLOSED not in marks:
                closed = ContactClosed(**fields, outcome=row.get("outcome") or "")
                batch.events.append(
                    self._event(
                        "Contact Closed", f"{message_id}:closed", row["closed"], found, closed, "service"
                    )
                )
                marks, new = _CLOSED + marks, 1
            if key:
                self._seen[key] = pending[key] = marks
            batch.repeated += not new
        self._pending = pending

    def _event(
        self,
        name: str,
        message_id: str,
        at: int | None,
        found: tuple[Identifier, ...],
        properties: Properties,
        channel: str | None = None,
    ) -> Event:
        return Event(
            name=name,
            message_id=message_id,
            occurred_at=self.now if at is None else at,
            received_at=self.now,
            identifiers=found,
            properties=properties,
            source=self.source,
            channel=channel or "",
        )

    def _midnight(self, day: str | None) -> int | None:
        """The start of an ISO date in the shop's zone."""
        if day is None:
            return None
        wall = (date.fromisoformat(day).toordinal() - _EPOCH) * DAY
        return int(to_utc(np.array([wall], np.int64), self.zone)[0])

    def _id(self, what: str, row: Row) -> str:
        return f"{what}:{self.source}:{_digest(row, 16).hex()}"

    def _key(self, what: str, number: str) -> bytes:
        return blake2b(f"{what}\0{self.source}\0{number}".encode(), digest_size=16).digest()


def who(row: Row) -> tuple[Identifier, ...]:
    """The identifiers of a row."""
    return tuple(Identifier(IDENTIFYING[name], value) for name in WHO if (value := row.get(name)) is not None)


def attribute_name(heading: str) -> str:
    """A heading as an attribute's name.

    >>> attribute_name("Age Band"), attribute_name("householdSize")
    ('age_band', 'householdsize')
    """
    return "_".join("".join(c if c.isalnum() else " " for c in heading.casefold()).split()) or folded(heading)


def _code(text: str) -> str:
    """A word of a vocabulary: lower case, underscores for blanks."""
    return "_".join(text.casefold().replace("-", " ").replace("_", " ").split())


def _digest(row: Row, size: int) -> bytes:
    told = {name: value for name, value in row.items() if value is not None}
    return blake2b(msgspec.json.encode(told, order="deterministic"), digest_size=size).digest()


def _holds(hashes: bytes, one: bytes) -> bool:
    return any(hashes[i : i + 8] == one for i in range(0, len(hashes), 8))


def _joined(hashes: bytes, one: bytes) -> bytes:
    parts: Iterator[bytes] = (hashes[i : i + 8] for i in range(0, len(hashes), 8))
    return b"".join(sorted([*parts, one]))
