"""The one intake: deduplicates, gives identifiers their nodes, seals and appends, whatever the door.

A ``Taking`` belongs to one transaction. What it learns of nodes is shared with later ones only once that transaction
is on disk: a number given in a transaction that was undone will be given again, to somebody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from shopkeeper.collect.forgotten import found_by, without_erased
from shopkeeper.collect.prepare import Prepared, Preparer
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import Event
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.protocols import Canonical
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Logged, NewEvent, NewNode, NewQuarantine, Sealed
from shopkeeper.stores.contract.vault import Vault

_SEARCHED = ("first_name", "last_name", "email", "phone", "postcode", "city", "company")
_REMEMBERED = 1_000_000
Offer = tuple[bytes, bytes, list[bytes]]
"""What an identifier needs if it turns out to be new: salt, sealed value, and the tokens that find it."""

_Nodes = dict[bytes, tuple[int, bytes, int]]
"""Node, salt and when it was first seen, by pseudonym."""


class Outcome(msgspec.Struct):
    """What became of events: counts, and how many were refused by reason."""

    kept: int = 0
    repeated: int = 0
    refused: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        """Count one refusal."""
        self.refused += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


class Ready(msgspec.Struct):
    """Events prepared for a transaction, and those that cannot be used whatever the ledger says."""

    events: Sequence[Event]
    prepared: list[tuple[int, Prepared]] = msgspec.field(default_factory=list)
    """With their place among the events."""
    refused: list[Refused] = msgspec.field(default_factory=list)
    offers: dict[bytes, Offer] = msgspec.field(default_factory=dict)
    """For some of the identifiers, by pseudonym."""


class Intake:
    """Takes events in through a ledger's writer, one ``Taking`` a transaction."""

    def __init__(self, vault: Vault, canonical: Canonical, *, currency: str) -> None:
        self.vault = vault
        self.preparer = Preparer(vault, canonical, currency=currency)
        self.known: tuple[str, _Nodes] = ("", {})
        """How many erasures there had been, and nodes known since."""
        self.found_by: tuple[str, set[int]] = ("", set())
        """The same of words by which nodes are found already."""

    def discard(self) -> None:
        """Forget what is known of nodes."""
        self.known = ("", {})
        self.found_by = ("", set())

    def ready(self, events: Sequence[Event]) -> Ready:
        """Do all about some events that needs no ledger. One that makes the preparation fail is refused as poison."""
        made = Ready(events)
        prepare = self.preparer.prepare
        for place, event in enumerate(events):
            try:
                made.prepared.append((place, prepare(event)))
            except BadEvent as error:
                made.refused.append(_refusal(place, event, error.reason, error.message))
            except Exception as error:  # noqa: BLE001 - one event must not stop the others, whatever is wrong
                detail = f"preparing it failed with {type(error).__name__}"
                made.refused.append(_refusal(place, event, "poison", detail))
        return made

    def offers(self, made: Ready, offered: set[bytes]) -> dict[bytes, Offer]:
        """What identifiers need that may be new, for those not in ``offered``; they are from now on."""
        found: dict[bytes, Offer] = {}
        for _, p in made.prepared:
            for hash_, kind, value in p.seen:
                if hash_ not in offered:
                    offered.add(hash_)
                    found[hash_] = self.offer(kind, value)
        return found

    def offer(self, kind: str, value: str) -> Offer:
        """What an identifier needs to become a node."""
        salt = self.vault.salt()
        tokens = [] if IDENTIFIER_KINDS[kind].session else list(self.vault.tokens([value]))
        return salt, self.vault.seal(salt, value), tokens

    def household_tokens(self, told: Mapping[str, object]) -> list[bytes]:
        """The token by which others of one family name at one address are found; none where too little was told."""
        parts = [told.get(name) for name in ("last_name", "postcode", "street")]
        if not all(parts):
            return []
        key = self.preparer.canonical("household", "\n".join(map(str, parts)))
        return [self.vault.pseudonym("household", key)] if key else []

    def refusal(self, place: int, event: Event, fault: str) -> Refused:
        """An event that made a transaction fail, for quarantine."""
        return _refusal(place, event, "poison", f"keeping it failed with {fault}")

    def begin(self, tx: LedgerWriter) -> Taking:
        """Begin to take events in within a transaction; call ``keep`` on the result once that is on disk."""
        return Taking(self, tx)

    def append(self, tx: LedgerWriter, events: Sequence[Event], outcome: Outcome) -> None:
        """Take one batch in, when it is the only one of its transaction."""
        self.begin(tx).append(events, outcome)


class Taking:
    """Takes events in within one transaction."""

    def __init__(self, intake: Intake, tx: LedgerWriter) -> None:
        self.intake = intake
        self.tx = tx
        self.vault = intake.vault
        self._erasures = tx.setting("erasures") or ""
        erasures, shared = intake.known
        # After an erasure, here or in another process, remembered nodes may be nobody's any more.
        self._shared: _Nodes = shared if erasures == self._erasures else {}
        self._learned: _Nodes = {}
        self._offers: dict[bytes, Offer] = {}
        self._found_by = intake.found_by[1] if intake.found_by[0] == self._erasures else set[int]()
        self._finding: set[int] = set()
        self.logged: list[Logged] | None = None
        """Where a list is put here, what is logged is added to it."""

    def keep(self) -> None:
        """Share what was learned of nodes: the transaction is on disk."""
        erasures, shared = self.intake.known
        if erasures == self._erasures and len(shared) < _REMEMBERED:
            shared.update(self._learned)  # others may read it meanwhile: nodes are only ever added
        elif erasures == self._erasures or int(self._erasures or 0) > int(erasures or 0):
            self.intake.known = (self._erasures, dict(self._learned))
        since, words = self.intake.found_by
        if since == self._erasures and len(words) < _REMEMBERED:
            words.update(self._finding)
        elif since == self._erasures or int(self._erasures or 0) > int(since or 0):
            self.intake.found_by = (self._erasures, set(self._finding))

    def append(self, events: Sequence[Event], outcome: Outcome, *, kind: str = "events") -> None:
        """Append events; what is refused goes to quarantine."""
        self.take(self.intake.ready(events), outcome, kind=kind)

    def take(self, made: Ready, outcome: Outcome, *, kind: str = "events") -> None:
        """Append prepared events; what is refused goes to quarantine."""
        refused = self.take_without_refusing(made, outcome)
        if refused:
            first = made.events[0]
            self.refuse(refused, source=first.source, kind=kind, at=first.received_at, outcome=outcome)

    def take_without_refusing(self, made: Ready, outcome: Outcome) -> list[Refused]:
        """Append prepared events; returns what is refused, which is neither kept nor counted here."""
        ready, refused = made.prepared, list(made.refused)
        self._offers = made.offers
        gone = self.tx.erased([hash_ for _, p in ready for hash_, _, _ in p.seen])
        fresh = self._without_erased(self._new(made, gone, outcome, refused), gone, outcome)
        if fresh:
            self._log(fresh)
            outcome.kept += len(fresh)
        return refused

    def refuse(
        self,
        refused: Sequence[Refused],
        *,
        source: str,
        kind: str,
        at: int,
        outcome: Outcome,
        around: Mapping[str, object] | None = None,
    ) -> None:
        """Put rows into quarantine, sealed, found again by any of their values; the same row only once.

        ``around`` is what else is needed to read the rows again; it is sealed with each. A row that names somebody who
        was erased is counted and not kept.
        """
        rows: dict[bytes, NewQuarantine] = {}
        named: dict[bytes, list[bytes]] = {}
        for row in refused:
            outcome.refuse(row.reason)
            mark = row_mark(self.vault, source, kind, row.raw, around)
            cells, identifiers = found_by(self.intake.preparer, row.cells)
            salt = self.vault.salt()
            sealed = self.vault.seal(salt, row.raw if around is None else {**around, "raw": row.raw})
            rows[mark] = NewQuarantine(
                at, source, kind, row.line, row.reason, row.detail, salt, sealed, (mark, *cells)
            )
            named[mark] = identifiers
        gone = self.tx.erased([hash_ for hashes in named.values() for hash_ in hashes])
        there = self.tx.refused(list(rows))
        self.tx.refuse(
            [
                row
                for mark, row in rows.items()
                if mark not in there and not any(h in gone for h in named[mark])
            ]
        )

    def _new(
        self,
        made: Ready,
        gone: dict[bytes, int],
        outcome: Outcome,
        refused: list[Refused],
    ) -> list[Prepared]:
        known = self.tx.repeated([p.key for _, p in made.prepared])
        fresh: list[Prepared] = []
        for place, prepared in made.prepared:
            body = known.get(prepared.key)
            if body is None:
                known[prepared.key] = prepared.body
                fresh.append(prepared)
            elif body == prepared.body:
                outcome.repeated += 1
            elif any(hash_ in gone for hash_, _, _ in prepared.seen):
                outcome.refuse("erased")
            else:
                detail = "the same message id came before with another content; the first one stays"
                refused.append(_refusal(place, made.events[place], "contradiction", detail))
        return fresh

    def _without_erased(
        self, fresh: list[Prepared], gone: dict[bytes, int], outcome: Outcome
    ) -> list[Prepared]:
        if not gone:
            return fresh
        stay: list[Prepared] = []
        for prepared in fresh:
            left = without_erased(self.intake.preparer, prepared, gone)
            if left is None:
                outcome.refuse("erased")
            else:
                stay.append(left)
        return stay

    def _log(self, fresh: list[Prepared]) -> None:
        nodes = self._place(fresh)
        rows = []
        for p in fresh:
            seen = p.seen
            node = nodes[seen[0][0]][0] if seen else 0
            others = ",".join([str(nodes[s[0]][0]) for s in seen[1:]]) if len(seen) > 1 else ""
            rows.append(
                NewEvent(
                    p.name, p.version, p.source, p.brand, p.channel, p.occurred_at, p.received_at, node, others,
                    p.key, p.payload, p.body,
                )
            )  # fmt: skip
        logged = self.tx.append(rows)
        if self.logged is not None:
            self.logged += logged
        sealed: list[Sealed] = []
        tokens: list[tuple[bytes, int]] = []
        vault = self.vault
        for seq, p in enumerate(fresh, logged[0].seq):
            if not p.home or not (p.order_id or p.sealed):
                continue
            node, salt, _ = nodes[p.home[0]]
            if p.order_id and p.seen:
                tokens += [(token, node) for token in vault.wanted(p.order_id)]
            if p.sealed:
                sealed.append(Sealed(node, seq, p.occurred_at, p.name, vault.seal(salt, p.sealed)))
                texts = [str(p.sealed[field]) for field in _SEARCHED if field in p.sealed]
                texts_and_street = (node, *texts, p.sealed.get("street"))
                words = hash(texts_and_street)  # clients tell who somebody is on every page anew
                if texts and words not in self._found_by and words not in self._finding:
                    self._finding.add(words)
                    tokens += [(token, node) for token in vault.tokens(texts)]
                    tokens += [(token, node) for token in self.intake.household_tokens(p.sealed)]
        if sealed or tokens:
            self.tx.seal(sealed, tokens)

    def _place(self, fresh: list[Prepared]) -> _Nodes:
        """The node of every identifier of these events; new ones are given one."""
        shared, learned = self._shared, self._learned
        nodes: _Nodes = {}
        missing: dict[bytes, tuple[str, str, int]] = {}
        for p in fresh:
            for hash_, kind, value in p.seen or (p.home and (p.home,)) or ():
                if hash_ in nodes:
                    continue
                known = learned.get(hash_) or shared.get(hash_)
                if known is not None:
                    nodes[hash_] = known
                else:
                    at = p.occurred_at
                    earlier = missing.get(hash_)
                    missing[hash_] = (kind, value, min(at, earlier[2]) if earlier else at)
        if missing:
            found = self._found(missing)
            learned |= found
            nodes |= found
        self._seen_before(fresh, nodes)
        return nodes

    def _seen_before(self, fresh: list[Prepared], nodes: _Nodes) -> None:
        """Note of nodes that these events saw them earlier than was known: a late event may be the first."""
        earlier: dict[bytes, int] = {}
        for p in fresh:
            at = p.occurred_at
            for hash_, _, _ in p.seen:
                if at < nodes[hash_][2] and at < earlier.get(hash_, at + 1):
                    earlier[hash_] = at
        if earlier:
            for hash_, at in earlier.items():
                node, salt, _ = nodes[hash_]
                nodes[hash_] = self._learned[hash_] = (node, salt, at)
            self.tx.seen_before([(nodes[hash_][0], at) for hash_, at in earlier.items()])

    def _found(self, missing: dict[bytes, tuple[str, str, int]]) -> _Nodes:
        """Nodes that this process did not know: from the ledger, or new."""
        tx, offers = self.tx, self._offers
        known = tx.nodes(list(missing))
        rest = {row.node: (row.salt, row.first_seen) for row in tx.identifiers(list(known.values()))}
        found: _Nodes = {hash_: (node, *rest[node]) for hash_, node in known.items()}
        rows = []
        needed: list[list[bytes]] = []
        for hash_, (kind, value, at) in missing.items():
            if hash_ not in known:
                salt, sealed, words = offers.get(hash_) or self.intake.offer(kind, value)
                rows.append(NewNode(hash_, kind, salt, sealed, at))
                needed.append(words)
        placed = tx.add_nodes(rows)
        tokens: list[tuple[bytes, int]] = []
        for row, words in zip(rows, needed, strict=True):
            node = placed[row.hash]
            found[row.hash] = (node, row.salt, row.first_seen)
            tokens += [(token, node) for token in words]
        if tokens:
            tx.seal([], tokens)
        return found


def row_mark(vault: Vault, source: str, kind: str, raw: str, around: Mapping[str, object] | None) -> bytes:
    """The pseudonym of a row in quarantine: the same row, about the same topic, is kept once."""
    topic = "" if around is None else f"{around.get('topic', '')}\0"
    return vault.pseudonym("row", f"{source}\0{kind}\0{topic}{raw}")


def _refusal(place: int, event: Event, reason: str, detail: str) -> Refused:
    """A refused event as it can be replayed: the whole event, and its values for an erasure to find."""
    cells = tuple(i.value for i in event.identifiers)
    for values in (event.properties if isinstance(event.properties, dict) else {}, event.more):
        cells += tuple(str(v) for v in values.values() if isinstance(v, str))
    raw = msgspec.json.encode(event).decode("utf-8", "replace")
    return Refused(line=place, reason=reason, detail=detail, raw=raw, cells=cells)
