"""What is not set off by an event: time that passes, and sweeps that bring a condition to everybody.

A sweep goes through customers by number, some in each transaction, and keeps how far it is: up to there the coming
condition holds and is kept up live, beyond it the one before. Nothing is missed in between, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from shopkeeper.know.live import definitions
from shopkeeper.know.live.network import Network
from shopkeeper.know.live.watch import Watch
from shopkeeper.stores.contract.ledger import LedgerWriter

WatchAt = Callable[[Mapping[int, int]], Watch]
"""A watch for which some segments are swept up to some customers."""
_ALL: Final = 1 << 62


def sweep(tx: LedgerWriter, network: Network, watch_at: WatchAt, most: int) -> int | None:
    """Look at some customers for segments that are being swept; returns how many, or None where none is.

    Several that begin together are swept together; one that begins later first catches up with the others.
    """
    rows = [row for row in tx.segments() if row.coming]
    if not rows:
        return None
    least = min(row.swept for row in rows)
    ours = [row for row in rows if row.swept == least]
    ahead = min((row.swept for row in rows if row.swept > least), default=_ALL)
    customers = [one for one in tx.customers_after(least, most) if one <= ahead]
    if not customers and ahead == _ALL:
        definitions.ended(tx, ours)
        return 0
    upto = customers[-1] if len(customers) == most or ahead == _ALL else ahead
    swept = {row.id: row.swept for row in rows} | {row.id: upto for row in ours}
    wanted = {(row.id, row.coming) for row in ours}
    rules = [rule for rule in network.rules if (rule.segment, rule.version) in wanted]
    settled = {term for rule in network.rules if not rule.coming for term in rule.predicate.terms}
    fresh = {term for rule in rules if rule.coming for term in rule.predicate.terms} - settled
    counts = {key for term in fresh for key in network.keys(term)}  # what another window forgot is read again
    if customers:
        watch_at(swept).sweep(customers, rules, counts, {row.id: row.cause for row in ours})
    tx.swept([(row.id, upto) for row in ours])
    return len(customers)


def wake(tx: LedgerWriter, watch: Watch, most: int) -> int:
    """Look at customers of whom time may have changed something; returns how many."""
    customers = tx.due(watch.now, most)
    if customers:
        watch.wake(customers)
    return len(customers)


def tick(tx: LedgerWriter, network: Network, now: int) -> bool:
    """Begin sweeps of what the clock alone changes for everybody; whether any began."""
    found = network.next_for_all(int(tx.setting(definitions.CLOCK) or now))
    if found is None or found[0] > now:
        return False
    segments = {network.rules[number].segment for number in found[1]}
    if any(row.coming for row in tx.segments() if row.id in segments):
        return False  # when that one is through
    tx.keep(definitions.CLOCK, str(found[0]))
    definitions.again(tx, segments, "time")
    return True
