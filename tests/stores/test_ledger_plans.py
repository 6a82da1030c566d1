"""What a ledger asks of a table that grows for ever is answered by an index, on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.domain.clock import DAY
from shopkeeper.stores.contract.ledger import Ledger
from shopkeeper.stores.contract.segments import Entry
from shopkeeper.stores.ledger.sqlite import SqliteLedger
from shopkeeper.stores.sql.address import address

PREFIX = {"sqlite": ("EXPLAIN QUERY PLAN",), "postgres": ("EXPLAIN", "SET LOCAL enable_seqscan = off")}
"""How an engine tells its plan; six rows are sooner read than looked up."""


@pytest.fixture(params=PREFIX)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Ledger]]:
    place: Ledger
    if request.param == "sqlite":
        place = SqliteLedger(tmp_path / "ledger.db")
    else:
        from shopkeeper.stores.ledger.postgres import PostgresLedger

        place = PostgresLedger(address(request.getfixturevalue("postgres")))
    yield request.param, place
    place.close()


class Plan:
    """Asks an engine how it would answer, and answers nothing."""

    def __init__(self, session: Any, explain: str, *before: str) -> None:
        self.session = session
        self.explain = explain
        self.told = ""
        for statement in before:
            session.run(statement)

    def rows(self, sql: str, parameters: Any) -> list[Any]:
        self.told = str(self.session.rows(f"{self.explain} {sql}", parameters))
        return []


def plan(engine: tuple[str, Ledger], ask: Callable[[Any], Any]) -> str:
    """How an engine would answer what is asked."""
    name, ledger = engine
    told: list[str] = []

    def explained(tx: Any) -> None:
        whole = tx.session
        tx.session = found = Plan(whole, *PREFIX[name])
        try:
            ask(tx)
        finally:
            tx.session = whole
        told.append(found.told)

    ledger.write(explained)
    return told[0]


@pytest.mark.parametrize("sort", ["value", "margin"])
def test_who_is_of_a_state_is_found_by_an_index(engine: tuple[str, Ledger], sort: str) -> None:
    assert "prediction_state" in plan(engine, lambda tx: tx.ranking(sort, None, 9, None, "lapsed"))


def test_exits_of_the_erased_are_found_by_an_index(engine: tuple[str, Ledger]) -> None:
    _, ledger = engine
    rows = [Entry(n, n * DAY, 1, 1, n, False, "erasure" if n % 3 else "event") for n in range(1, 7)]
    ledger.write(lambda tx: tx.note_audience(rows))
    with ledger.read() as reader:
        assert reader.erased_exits(5 * DAY) == [1, 2, 4]
    assert "audience_erased" in plan(engine, lambda tx: tx.erased_exits(5 * DAY))
