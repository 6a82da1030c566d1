"""Slows down whoever tries passwords: per account and per address, longer with every failure, across restarts.

A try counts before the password is looked at, so that many tries at once are as slow as one after another.
"""

from __future__ import annotations

from datetime import timedelta

from shopkeeper.domain.clock import MICROSECOND, SECOND
from shopkeeper.domain.errors import TooManyTries
from shopkeeper.stores.contract.access import AccessWriter

FREE_PER_ACCOUNT = 5
"""Failures of an account before it must wait: everybody mistypes."""
FREE_PER_ADDRESS = 20
"""Failures from an address: many people may share one."""
LONGEST_WAIT = 15 * 60
"""Seconds. Longer would let a stranger keep somebody out."""
FORGOTTEN = timedelta(days=1) // MICROSECOND
"""Failures are forgotten when none came for this long (microseconds)."""


def wait(failed: int, free: int) -> int:
    """Seconds to wait after so many failures, of which some were free.

    >>> [wait(failed, 5) for failed in (4, 5, 6, 7, 10, 15, 99)]
    [0, 1, 2, 4, 32, 900, 900]
    """
    return 0 if failed < free else min(2 ** min(failed - free, 20), LONGEST_WAIT)


def begin_try(tx: AccessWriter, account: bytes, address: bytes | None, now: int) -> None:
    """Count a try. Raises TooManyTries, without counting, while the account or the address must wait."""
    limits = {account: FREE_PER_ACCOUNT} | ({address: FREE_PER_ADDRESS} if address is not None else {})
    kept = tx.tries(list(limits))
    known = {s: (failed if now - at < FORGOTTEN else 0, at) for s, (failed, at) in kept.items()}
    left = max(
        (at + wait(failed, limits[subject]) * SECOND - now for subject, (failed, at) in known.items()),
        default=0,
    )
    if left > 0:
        raise TooManyTries(-(-left // SECOND))
    for subject in limits:
        tx.note_try(subject, known.get(subject, (0, 0))[0] + 1, now)


def succeeded(tx: AccessWriter, account: bytes, address: bytes | None, now: int) -> None:
    """Forget the account's failures, and this try of the address: not those of others that it tried before."""
    tx.note_try(account, 0, now)
    if address is not None:
        failed, at = tx.tries([address]).get(address, (0, 0))
        tx.note_try(address, max(failed - 1, 0), at)
