"""Writes what was foretold into the ledger, aside, and makes it current at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from shopkeeper.know.live.definitions import again
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.shop.predicting.foretold import Foretold
from shopkeeper.shop.standing import Standings, put_in_force
from shopkeeper.shop.watching import compiled
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Prediction

_CHUNK = 20_000
_TAKEN = "run_taken"
"""The ledger's setting that keeps the highest number a run took."""

Beside = Callable[[Any], Sequence[dict[str, Any]]]
"""What is kept beside what is foretold of some customers, by their ids, in their order."""


def _nothing_beside(customers: Any) -> Sequence[dict[str, Any]]:
    return [{}] * len(customers)


def next_run(places: Places) -> int:
    """Take the number of a run that begins: the present in milliseconds, above every one taken before.

    It is taken whether or not the run ends well, so that no other one writes under it, be it at the same time or where
    one that was killed left off.
    """
    now = int(places.clock.now().timestamp() * 1000)

    def work(tx: LedgerWriter) -> int:
        taken = max(int(tx.setting(name) or 0) for name in ("run", _TAKEN))
        tx.keep(_TAKEN, str(run := max(now, taken + 1)))
        return run

    return places.ledger.write(work)


def write(places: Places, run: int, foretold: Foretold, turns: Any, beside: Beside = _nothing_beside) -> None:
    """Write a run's predictions beside those in force, some at a time.

    ``turns`` says when time alone changes each; ``beside`` what explains those of some customers.
    """
    encode = msgspec.json.Encoder().encode
    at = 0
    for rows in foretold.rows(_CHUNK):
        here = slice(at, at + len(rows))
        parts = zip(rows, turns[here].tolist(), beside(foretold.ids[here]), strict=True)
        part = [_prediction(row, turn, more, encode) for row, turn, more in parts]
        at += len(rows)
        places.ledger.write(lambda tx, part=part: tx.predict(part, run=run))  # type: ignore[misc]


def make_current(places: Places, run: int, stands: Standings) -> bool:
    """Let a run's predictions be those in force, and segments that ask for predictions be asked again.

    Returns False where those of a refresh that began later are in force by now: they know more.
    """

    def work(tx: LedgerWriter) -> bool:
        if (last := runs.number_in_force(tx)) > run:
            tx.switch(last)  # lets go of what was written of this one since
            return False
        runs.note_in_force(places, tx, run)
        tx.switch(run)
        put_in_force(places, tx, stands)
        if (found := compiled(places, tx)) is not None:
            rules = found.network.rules
            again(tx, {rules[number].segment for number in found.network.refreshed}, "refresh")
        return True

    return places.ledger.write(work)


def _prediction(row: dict[str, Any], turns_at: int, more: dict[str, Any], encode: Any) -> Prediction:
    customer = row.pop("customer")
    body = encode(row | more if more else row)
    return Prediction(customer, row["clv_12m"], row["p_alive"], row["state"] or "", body, turns_at)
