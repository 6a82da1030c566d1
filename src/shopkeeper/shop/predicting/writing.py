"""Writes what was foretold into the ledger, aside, and makes it current at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shopkeeper.know.live.definitions import again
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.foretold import Foretold
from shopkeeper.shop.standing import Standings, put_in_force
from shopkeeper.shop.watching import compiled
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.rows import Prediction

_CHUNK = 20_000


def next_run(places: Places) -> int:
    """The number of the run that begins: the present in milliseconds, above every one before."""
    run = int(places.clock.now().timestamp() * 1000)
    with places.ledger.read() as reader:
        return max(run, int(reader.setting("run") or 0) + 1)


def write(
    places: Places, run: int, foretold: Foretold, turns: Any, beside: Mapping[int, dict[str, Any]]
) -> None:
    """Write a run's predictions beside those in force, some at a time.

    ``turns`` says when time alone changes each; ``beside`` is, by customer, what explains them.
    """
    encode = msgspec.json.Encoder().encode
    at = 0
    for rows in foretold.rows(_CHUNK):
        when = turns[at : at + len(rows)].tolist()
        part = [_prediction(row, turn, beside, encode) for row, turn in zip(rows, when, strict=True)]
        at += len(rows)
        places.ledger.write(lambda tx, part=part: tx.predict(part, run=run))  # type: ignore[misc]


def make_current(places: Places, run: int, stands: Standings) -> None:
    """Let a run's predictions be those in force, and segments that ask for predictions be asked again."""

    def work(tx: LedgerWriter) -> None:
        tx.switch(run)
        put_in_force(places, tx, stands)
        if (found := compiled(places, tx)) is not None:
            rules = found.network.rules
            again(tx, {rules[number].segment for number in found.network.refreshed}, "refresh")

    places.ledger.write(work)


def _prediction(
    row: dict[str, Any], turns_at: int, beside: Mapping[int, dict[str, Any]], encode: Any
) -> Prediction:
    customer = row.pop("customer")
    body = encode(row | beside[customer]) if customer in beside else encode(row)
    return Prediction(customer, row["clv_12m"], row["p_alive"], row["state"] or "", body, turns_at)
