"""Watches customers' records change within a transaction, and writes who enters and leaves into the same one.

``memory`` tells it of each customer before and after folding; nothing of it exists while no segment is in use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from shopkeeper.domain.condition import orderbook
from shopkeeper.domain.condition.facts import EventFacts, event_facts
from shopkeeper.domain.customer import Customer
from shopkeeper.domain.event import EVENTS, Logged
from shopkeeper.know.fold import unpack as unpack_record
from shopkeeper.know.live.evaluating import Evaluator
from shopkeeper.know.live.hearing import ORDERS
from shopkeeper.know.live.held import NEVER, Held, bits, numbers, pack, unpack
from shopkeeper.know.live.network import Network, Rule
from shopkeeper.know.live.person import Traits, Values
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.rows import FoldedRow
from shopkeeper.stores.contract.rows import Logged as LoggedRow
from shopkeeper.stores.contract.segments import Entry, Membership, TermEvent

COUNTER: Final = "last_audience"
_NOTHING: Final[Traits] = {}
_NO_CAUSES: Final[Mapping[int, str]] = {}


class _Heard(Struct):
    """A customer to whom something happened, in the middle of being folded."""

    old: dict[str, Any] | None
    """Traits before; None for somebody of whom nothing was known."""
    facts: list[EventFacts]
    again: bool
    """Whether something was said of an order that was heard of before."""
    new: dict[str, Any] | None = None


class Watch:
    """The segments of one transaction."""

    def __init__(
        self,
        tx: LedgerWriter,
        network: Network,
        values: Values,
        now: int,
        swept: Mapping[int, int],
        cause: str,
    ) -> None:
        self.tx = tx
        self.network = network
        self.values = values
        self.evaluator = Evaluator(network, values, now, swept)
        self.now = now
        self.cause = cause
        self._there = bits(network.segment_ids.values())
        self._heard: dict[int, _Heard] = {}
        self._whole: dict[int, str] = {}
        self._brands: dict[bytes, str] = {}
        self._before: dict[int, dict[str, Any]] = {}
        self._written = _Written(self)

    # What memory tells.

    def expect(self, rows: Sequence[LoggedRow]) -> None:
        """Events to come: keep their brands, where some condition asks for them."""
        if self.network.brands:
            self._brands |= {row.key: row.brand for row in rows}

    def hear(self, customer: int, record: Customer | None, rows: Sequence[FoldedRow]) -> None:
        """Before a customer's events are folded onto a record (None for nobody known), which may then change."""
        names = self.network.listening.names
        facts: list[EventFacts] = []
        again = False
        told: set[str] = set()
        for _, at, key, name, version, channel, source, _, _, payload in rows:
            if name in names:
                fact = facts_of(name, version, at, payload, key, channel, source, self._brands.get(key, ""))
                facts.append(fact)
                if name in orderbook.NAMES and self.network.bought and (number := fact.told.order_id):
                    again = again or number in told or (record is not None and number in record.marks)
                    told.add(number)
        old = None if record is None else self.values.of(record, _NOTHING, self.now)
        self._heard[customer] = _Heard(old, facts, again)

    def told(self, customer: int, record: Customer) -> None:
        """After they were folded."""
        self._heard[customer].new = self.values.of(record, _NOTHING, self.now)

    def late(self, customers: Iterable[int]) -> None:
        """Customers who are to be folded anew because of what was heard; nothing else of them changed."""
        for customer in customers:
            if customer in self._heard:
                self._heard[customer].again = True

    def whole(self, customers: Iterable[int], cause: str) -> None:
        """Customers whose past is not what it was."""
        for customer in customers:
            self._whole[customer] = cause
            self._heard.pop(customer, None)

    def restood(self, before: Mapping[int, dict[str, Any]]) -> None:
        """Customers of whom something else is predicted from now on, with what was predicted before."""
        self._before |= {customer: self.values.told(said) for customer, said in before.items()}

    def refolded(self, records: Mapping[int, Customer]) -> None:
        """Customers who were folded anew."""
        anew: list[int] = []
        for customer, record in records.items():
            if customer in self._heard:
                self._heard[customer].new = self.values.of(record, _NOTHING, self.now)
            else:
                anew.append(customer)
        self.flush()
        if anew:
            self._anew({customer: records[customer] for customer in anew})

    def gone(self, customers: Collection[int], cause: str = "merge") -> None:
        """Customers who are no more: they leave all their segments."""
        for customer in customers:
            self._heard.pop(customer, None)
            self._whole.pop(customer, None)
        for customer, body in self.tx.behaviours(sorted(customers)).items():
            self._written.put(customer, self._unpacked(body).inside, 0, cause)
        self.tx.drop_behaviours(sorted(customers))
        self._written.flush()

    # What comes of it.

    def flush(self) -> None:
        """Evaluate those who were told of, and write what changed."""
        ready = {customer: heard for customer, heard in self._heard.items() if heard.new is not None}
        if not ready:
            return
        for customer in ready:
            del self._heard[customer]
        customers = list(ready)
        kept = self.tx.behaviours(customers)
        foretold = self.foretold(customers)
        orders = self.events([c for c, heard in ready.items() if heard.again], sorted(orderbook.NAMES))
        for customer, heard in ready.items():
            new: dict[str, Any] = heard.new or {}
            old = heard.old
            said = foretold.get(customer, _NOTHING)
            new |= said
            was_said = self._before.pop(customer, said) if self._before else said
            if old is not None:
                old |= was_said
            body = kept.get(customer)
            if body is None and old is None:
                held, was = self.evaluator.fresh(customer), 0
            else:
                held = Held(self.now) if body is None else self._unpacked(body)
                was = held.inside
            if held.at > self.now or held.following.get(ORDERS, NEVER) <= self.now:
                self._from_log(customer, held, new)
            else:
                again = orders.get(customer, []) if heard.again else None
                before = self.values.nobody if old is None else old
                self.evaluator.changed(customer, held, before, new, heard.facts, again)
            self._keep(customer, held, was, self.cause, new=body is None)
        self._written.flush()

    def _anew(self, records: Mapping[int, Customer]) -> None:
        customers = list(records)
        kept = self.tx.behaviours(customers)
        foretold = self.foretold(customers)
        events = self.events(customers, self.network.names)
        for customer, record in records.items():
            self._before.pop(customer, None)
            body = kept.get(customer)
            held = Held(self.now) if body is None else self._unpacked(body)
            was = held.inside
            traits = self.values.of(record, foretold.get(customer, _NOTHING), self.now)
            self.evaluator.whole(customer, held, traits, events.get(customer, ()))
            self._keep(customer, held, was, self._whole.pop(customer, self.cause), new=body is None)
        self._written.flush()

    def sweep(
        self,
        customers: Sequence[int],
        rules: Sequence[Rule],
        counts: Collection[int],
        causes: Mapping[int, str],
    ) -> None:
        """Evaluate some rules for some customers, of whose behaviours some are counted anew; ``causes`` by segment."""
        names = sorted({name for key in counts for name in self.network.counts[key].term.names})
        events = self.events(customers, names)
        for customer, held, traits, new in self.kept(customers):
            was = held.inside
            self._catch_up(customer, held, traits)
            between = held.inside
            self.evaluator.some(customer, held, traits, events.get(customer, ()), rules, counts)
            self._written.put(customer, was, between, "time")
            self._keep(customer, held, between, self.cause, new=new, causes=causes)
        self._written.flush()

    def wake(self, customers: Sequence[int]) -> None:
        """Evaluate customers of whom time may have changed something."""
        seen = set()
        for customer, held, traits, new in self.kept(customers):
            seen.add(customer)
            was = held.inside
            held.due = min(held.due, self.now)
            self._catch_up(customer, held, traits)
            self._keep(customer, held, was, self.cause, new=new)
        self.tx.drop_due([customer for customer in customers if customer not in seen])
        self._written.flush()

    def turned(self, before: Mapping[int, dict[str, Any]]) -> None:
        """Evaluate customers of whom time changed what is predicted; ``before`` is what was."""
        if not self.values.foretold:
            return
        for customer, held, traits, new in self.kept(sorted(before)):
            was = held.inside
            if held.at > self.now or held.following.get(ORDERS, NEVER) <= self.now:
                self._from_log(customer, held, traits)
            else:
                old = traits | self.values.told(before[customer])
                self.evaluator.changed(customer, held, old, traits)
            self._keep(customer, held, was, self.cause, new=new)
        self._written.flush()

    def mend(self, customer: int, was: Held, held: Held) -> None:
        """Put what a recount found in the place of what was kept."""
        held.due = was.due
        self._keep(customer, held, was.inside, self.cause, new=False)

    def write(self) -> None:
        """Write what was found."""
        self._written.flush()

    @property
    def entries(self) -> list[Entry]:
        """What entered and left in this transaction."""
        return self._written.entries

    def kept(self, customers: Sequence[int]) -> Iterable[tuple[int, Held, dict[str, Any], bool]]:
        """Customers with a record: what is kept of each, the traits, and whether nothing is kept yet."""
        kept = self.tx.behaviours(customers)
        foretold = self.foretold(customers)
        for row in self.tx.records(customers):
            customer, body = row.customer, kept.get(row.customer)
            traits = self.values.of(unpack_record(row.body), foretold.get(customer, _NOTHING), self.now)
            yield customer, Held(self.now) if body is None else self._unpacked(body), traits, body is None

    def _catch_up(self, customer: int, held: Held, traits: dict[str, Any]) -> None:
        if held.at > self.now or held.following.get(ORDERS, NEVER) <= self.now:
            self._from_log(customer, held, traits)
        elif held.next() <= self.now:
            self.evaluator.changed(customer, held, traits, traits)

    def _from_log(self, customer: int, held: Held, traits: dict[str, Any]) -> None:
        events = self.events([customer], self.network.names)
        self.evaluator.whole(customer, held, traits, events.get(customer, ()))

    def _unpacked(self, body: bytes) -> Held:
        held = unpack(body, self.network.moved)
        held.inside &= self._there  # some may have been archived
        return held

    def _keep(
        self,
        customer: int,
        held: Held,
        was: int,
        cause: str,
        *,
        new: bool,
        causes: Mapping[int, str] = _NO_CAUSES,
    ) -> None:
        self._written.put(customer, was, held.inside, cause, causes)
        following = held.next()
        if following < held.due or held.due <= self.now:
            held.due = following
            self._written.dues.append((customer, following))
        if not new or held.inside or held.states or held.following:
            self._written.behaviours.append((customer, pack(held)))

    def foretold(self, customers: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What was predicted of some customers, as far as conditions ask for it."""
        wanted = self.values.foretold
        if not wanted:
            return {}
        rows = self.tx.predictions(customers)
        return {customer: self.values.told(_json(row.body)) for customer, row in rows.items()}

    def events(self, customers: Sequence[int], names: Sequence[str]) -> dict[int, list[EventFacts]]:
        """Events of some names, as facts, by customer."""
        return facts_by_customer(self.tx, customers, names)


_json = msgspec.json.Decoder(dict[str, Any]).decode


class _Written:
    """What is to be written of one transaction."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.entries: list[Entry] = []
        self.behaviours: list[tuple[int, bytes]] = []
        self.dues: list[tuple[int, int]] = []
        self._news: list[tuple[int, int, int, bool, str]] = []

    def put(
        self, customer: int, was: int, now: int, cause: str, causes: Mapping[int, str] = _NO_CAUSES
    ) -> None:
        """Note in which segments (bits) a customer was and is now."""
        if was == now:
            return
        version, note = self._watch.evaluator.version, self._news.append
        for entered, some in ((False, was & ~now), (True, now & ~was)):
            for segment in numbers(some):
                note((segment, version(segment, customer), customer, entered, causes.get(segment, cause)))

    def flush(self) -> None:
        """Write it."""
        tx, at = self._watch.tx, self._watch.now
        if self._news:
            first = tx.numbers(COUNTER, len(self._news))
            rows = [
                Entry(number, at, segment, version, customer, entered, cause)
                for number, (segment, version, customer, entered, cause) in enumerate(self._news, first)
            ]
            tx.note_audience(rows)
            tx.leave([(row.segment, row.customer) for row in rows if not row.entered])
            tx.enter([Membership(row.segment, row.customer, at, row.version) for row in rows if row.entered])
            grown: dict[int, int] = defaultdict(int)
            for row in rows:
                grown[row.segment] += 1 if row.entered else -1
            tx.grow(sorted(grown.items()))
            self.entries += rows
            self._news = []
        if self.behaviours:
            tx.keep_behaviours(self.behaviours)
            self.behaviours = []
        if self.dues:
            tx.drop_due([customer for customer, at in self.dues if at >= NEVER])
            tx.put_due([(customer, at) for customer, at in self.dues if at < NEVER])
            self.dues = []


def facts_of(
    name: str, version: int, at: int, payload: bytes, key: bytes, channel: str, source: str, brand: str
) -> EventFacts:
    """The facts of a logged event, whatever version it was written under."""
    declared = EVENTS.get(name)
    told = payload if declared is None or version == declared.version else Logged.read(name, version, payload)
    return event_facts(name, at, told, key=key, channel=channel, source=source, brand=brand)


def facts_by_customer(
    reader: LedgerReader, customers: Sequence[int], names: Sequence[str]
) -> dict[int, list[EventFacts]]:
    """Logged events of some customers and names, as facts."""
    found: dict[int, list[EventFacts]] = defaultdict(list)
    if customers and names:
        rows: list[TermEvent] = reader.term_events(customers, names)
        for customer, at, key, name, version, channel, source, brand, payload in rows:
            found[customer].append(facts_of(name, version, at, payload, key, channel, source, brand))
    return found
