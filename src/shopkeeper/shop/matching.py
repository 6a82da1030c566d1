"""Finds who somebody may be while they wait: customers ranked by the chance that they are the one looked for.

Everybody's records are held in memory, opened once per process and linkage run (``resolve.linkage.live``): about 1 kB
a record. What was told since is taken in before each answer, and who was erased is taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import Conflict, InvalidInput, StoreBusy, UnknownName
from shopkeeper.domain.identity import Match, Matches, Particulars
from shopkeeper.know.fold import unpack
from shopkeeper.shop.identifying import shown_of_nodes
from shopkeeper.shop.linking import people_of, records_of, table_of, told_since
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.showing import resolve
from shopkeeper.shop.weighing import Kept, kept, shown_of, strongest_of
from shopkeeper.stores.contract.ledger import LedgerReader

LIKELY: Final = 0.01
"""Chance below which nobody is shown."""
PATIENCE = 5.0
"""Seconds that one waits for another who opens everybody's records: servers have few threads."""
_NOBODY: Final = "?"
"""Stands for the record that was typed in."""
_CHUNK: Final = 5_000
_MAKING: Final = Lock()


class LiveRecords:
    """Everybody's records in memory, and how far they follow the ledger."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.index: Any = None
        self.junk: Any = None
        self.written: tuple[int, int] | None = None
        self.seq = 0
        self.erasures = ""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others out. Raises StoreBusy where somebody else opens everybody's records: a minute for a million."""
        if not self.lock.acquire(timeout=PATIENCE):
            raise StoreBusy("everybody's records are being opened", hint="ask again in a minute")
        try:
            yield
        finally:
            self.lock.release()

    def follow(self, places: Places, reader: LedgerReader, known: Kept) -> None:
        """Open everybody's records where linkage was run anew; else take in what was told, take out the erased."""
        from shopkeeper.resolve.linkage import LiveIndex, prepare

        end, erasures = int(reader.setting("cursor") or 0), reader.setting("erasures") or ""
        if self.index is None or self.written != known.written:
            with without_collecting():
                ready = prepare(table_of(list(people_of(places, reader))), places.keys)
                self.index, self.junk = LiveIndex(ready, known.model), ready.junk
            self.written = known.written
        else:
            if erasures != self.erasures:
                self._forget(reader)
            fresh = sorted(told_since(reader, self.seq)) if end > self.seq else []
            for start in range(0, len(fresh), _CHUNK):
                if records := list(records_of(places, reader, fresh[start : start + _CHUNK])):
                    self.index.add(prepare(table_of(records), places.keys, junk=self.junk))
        self.seq, self.erasures = end, erasures

    def _forget(self, reader: LedgerReader) -> None:
        nodes = [int(record) for record in self.index.ids]
        there = {
            m.node for at in range(0, len(nodes), _CHUNK) for m in reader.members(nodes[at : at + _CHUNK])
        }
        for node in set(nodes) - there:
            self.index.remove(str(node))


def match(
    places: Places, who: str | int | None, details: dict[str, str], limit: int, *, sees: Sees
) -> Matches:
    """Customers who may be one person with a customer, or with somebody of whom some particulars are told.

    Raises Conflict where people were never linked here, InvalidInput where there is nothing to compare.
    """
    told = _particulars(details)
    if not 1 <= limit <= 50:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 50")
    if (who is None) == (not told):
        raise InvalidInput(
            "either a customer or particulars are compared with everybody's records",
            hint=f"give an identifier, or some of {', '.join(Particulars.__struct_fields__)}",
        )
    known = kept(places)
    if known is None:
        raise Conflict(
            "people were never linked in this shop, so that no likeness can be told",
            hint="link them first: shop.link_people(), or shopkeeper identity link",
        )
    live = _live(places)
    with live.held(), places.ledger.read() as reader:
        live.follow(places, reader, known)
        customer = None if who is None else resolve(places, reader, who)
        if customer is None:
            records: list[dict[str, Any]] = [{"id": _NOBODY, "strong": [], **told}]
        else:
            nodes = strongest_of(reader, [m.node for m in reader.nodes_of([customer])])
            records = list(records_of(places, reader, nodes))
        if not records:
            raise InvalidInput(
                "nothing was told of that customer", hint="give a name, a birthday, an address"
            )
        best = _best(places, reader, live, records, customer, limit)
        rows = _shown(places, reader, best, sees)
        return Matches(rows=rows, records=len(live.index), customer=f"c{customer}" if customer else "")


def _live(places: Places) -> LiveRecords:
    with _MAKING:
        if not isinstance(places.live_records, LiveRecords):
            places.live_records = LiveRecords()
        found: LiveRecords = places.live_records
        return found


def _particulars(details: dict[str, str]) -> dict[str, str]:
    known = Particulars.__struct_fields__
    for name, value in details.items():
        if name not in known:
            raise UnknownName("particular", name, known)
        if len(value) > 600:
            raise InvalidInput(f"{name} is too long", hint="give a text of at most 600 characters")
    return Particulars(**details).given()


def _best(
    places: Places,
    reader: LedgerReader,
    live: LiveRecords,
    records: Sequence[dict[str, Any]],
    customer: int | None,
    limit: int,
) -> dict[int, tuple[str, Any]]:
    """By customer, the likest first: which of the records it is like, and the candidate."""
    from shopkeeper.resolve.linkage import prepare

    ready = prepare(table_of(records), places.keys, junk=live.junk)
    found = [
        (ready.ids[place], candidate)
        for place in range(len(ready))
        for candidate in live.index.candidates(ready, best=4 * limit + len(records), place=place)
        if candidate.probability >= LIKELY
    ]
    whose = {m.node: m.customer for m in reader.members(sorted({int(c.id) for _, c in found}))}
    against = set(_objectors(reader, sorted(set(whose.values()))))
    best: dict[int, tuple[str, Any]] = {}
    for record, candidate in sorted(found, key=lambda f: (-f[1].weight, int(f[1].id))):
        owner = whose.get(int(candidate.id))
        if owner is not None and owner != customer and owner not in against and len(best) < limit:
            best.setdefault(owner, (record, candidate))
    return best


def _objectors(reader: LedgerReader, customers: Sequence[int]) -> Iterator[int]:
    """Those who object to what is concluded of them."""
    return (row.customer for row in reader.records(customers) if objects(unpack(row.body)))


def _shown(
    places: Places, reader: LedgerReader, best: dict[int, tuple[str, Any]], sees: Sees
) -> tuple[Match, ...]:
    customers = list(best)
    called = names(places, reader, customers, sees=sees)
    orders = {row.customer: unpack(row.body).orders for row in reader.records(customers)}
    nodes = {int(n) for record, c in best.values() for n in (record, c.id) if n != _NOBODY}
    shown = shown_of_nodes(places, reader, nodes, sees)
    rows = []
    for customer, (record, c) in best.items():
        one = None if record == _NOBODY else shown[int(record)]
        waterfall = shown_of(c.bars, c.weight, one, shown[int(c.id)], c.against)
        rows.append(
            Match(
                id=f"c{customer}",
                name=called.get(customer, ""),
                probability=waterfall.probability,
                orders=orders.get(customer, 0),
                waterfall=waterfall,
            )
        )
    return tuple(rows)
