"""Keeps identities and records up with the log."""

from __future__ import annotations

from collections.abc import Sequence

from shopkeeper.domain.protocols import Progress
from shopkeeper.know import memory
from shopkeeper.know.reducers import VERSION
from shopkeeper.resolve.graph import observe, split_of
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.standing import judging
from shopkeeper.shop.watching import watching
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Logged

_READ_AT_ONCE = 50_000
_EXTEND_UP_TO = 20_000
"""A backlog longer than this is folded customer by customer rather than event by event."""
_STALE_AT_ONCE = 20_000


def advance(places: Places, progress: Progress | None = None, most: int = 1_000_000) -> int:
    """Take what was appended since into identities and records, up to ``most`` events a transaction.

    Identity, records and the cursor move in one transaction: a crash repeats nothing and loses nothing.
    Returns how many events were taken.
    """
    taken = 0
    with without_collecting():
        while step := places.ledger.write(lambda tx: _step(places, tx, most, progress)):
            taken += step
        _refresh_stale(places, progress)
    return taken


def _step(places: Places, tx: LedgerWriter, most: int, progress: Progress | None) -> int:
    cursor = int(tx.setting("cursor") or 0)
    end = int(tx.setting("last_seq") or 0)
    backlog = min(end - cursor, most)
    if backlog <= 0:
        return 0
    if progress:
        progress("resolve", 0.0)
    catalogue = places.catalogue(tx)
    refold: set[int] = set()
    gone: set[int] = set()
    parted: set[int] = set()
    taken = 0
    watch = watching(places, tx, "event")
    stands = judging(places, tx)
    while taken < backlog:
        at_once = min(_READ_AT_ONCE, backlog - taken)
        if backlog <= _EXTEND_UP_TO:
            rows = tx.log_after(cursor, at_once)
            change = observe(tx, rows, now=places.now())
            refold |= change.refold
            if watch is not None:
                watch.whole(change.refold, "merge")
            refold |= memory.extend(
                tx, rows, change.customer_of, refold, change.fresh, catalogue, watch, stands
            )
            count, cursor = len(rows), rows[-1].seq if rows else end
        else:
            seen = tx.observed_after(cursor, at_once)
            change = observe(tx, seen, now=places.now())
            refold |= change.refold | {change.customer_of[row.node] for row in seen if row.node}
            count, cursor = len(seen), seen[-1].seq if seen else end
        gone |= change.gone
        parted |= split_of(change)
        if not count:
            break  # the last ones were erased
        taken += count
        if progress:
            progress("resolve", taken / backlog)
    tx.drop_records(sorted(gone))
    if watch is not None:
        watch.gone(gone)
    if parted:
        tx.unpredict(sorted(parted - gone))
    memory.refold(tx, refold - gone, catalogue, progress, watch, stands)
    tx.keep("cursor", str(cursor))
    return taken


def follow(places: Places, tx: LedgerWriter, rows: Sequence[Logged]) -> None:
    """Take events that this transaction logged into identities and records, where nothing else waits to be."""
    if rows:
        catalogue = places.catalogue(tx)
        change = observe(tx, rows, now=places.now())
        refold = set(change.refold)
        watch = watching(places, tx, "event")
        stands = judging(places, tx)
        if watch is not None:
            watch.whole(refold, "merge")
        refold |= memory.extend(tx, rows, change.customer_of, refold, change.fresh, catalogue, watch, stands)
        if change.gone:
            tx.drop_records(sorted(change.gone))
            if watch is not None:
                watch.gone(change.gone)
        if parted := split_of(change):
            tx.unpredict(sorted(parted))
        if left := refold - change.gone:
            memory.refold(tx, left, catalogue, watch=watch, stands=stands)
        tx.keep("cursor", str(rows[-1].seq))


def rebuild(places: Places, progress: Progress | None = None) -> int:
    """Fold everybody anew from the log; returns how many events were folded."""

    def work(tx: LedgerWriter) -> int:
        everybody = sorted({customer for chunk in tx.all_members() for _, customer, _, _ in chunk})
        watch = watching(places, tx, "recount")
        return memory.refold(tx, everybody, places.catalogue(tx), progress, watch, judging(places, tx))

    advance(places, progress)
    with without_collecting():
        return places.ledger.write(work)


def catch_up(places: Places, most: int) -> bool:
    """Take some of what was appended into identities and records; True where more waits."""
    with places.ledger.read() as reader:
        if reader.setting("cursor") == reader.setting("last_seq"):
            return False
    with without_collecting():
        return places.ledger.write(lambda tx: _step(places, tx, most, None)) >= most


def _refresh_stale(places: Places, progress: Progress | None) -> None:
    """Fold those anew whose record is of older reducers or an older catalogue, some at a time."""
    while refresh_stale(places, _STALE_AT_ONCE, progress):
        pass


def refresh_stale(places: Places, most: int, progress: Progress | None = None) -> bool:
    """Fold some of those anew; True where there may be more."""

    def work(tx: LedgerWriter) -> int:
        catalogue = places.catalogue(tx)
        standard = f"{VERSION}:{catalogue.version}"
        if tx.setting("folded_as") == standard:
            return 0  # looking at every record to find none is dear in a large shop
        some = tx.stale(VERSION, catalogue.version, most)
        watch = watching(places, tx, "refresh")
        memory.refold(tx, some, catalogue, progress, watch, judging(places, tx))
        if not some:
            tx.keep("folded_as", standard)
        return len(some)

    with places.ledger.read() as reader:
        if reader.setting("folded_as") == f"{VERSION}:{places.catalogue(reader).version}":
            return False  # without waiting for the writer
    return places.ledger.write(work) > 0
