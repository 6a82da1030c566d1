"""One fixture per place; every engine answers the same questions, and no test names an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopkeeper.stores.contract.gate import Gate
from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.contract.ledger import Ledger


def _sqlite_ledger(request: pytest.FixtureRequest) -> Ledger:
    from shopkeeper.stores.ledger.sqlite import SqliteLedger

    return SqliteLedger(request.getfixturevalue("tmp_path") / "ledger.db")


def _postgres_ledger(request: pytest.FixtureRequest) -> Ledger:
    from shopkeeper.stores.ledger.postgres import PostgresLedger
    from shopkeeper.stores.sql.address import address

    return PostgresLedger(address(request.getfixturevalue("postgres")))


_LEDGERS = {"sqlite": _sqlite_ledger, "postgres": _postgres_ledger}


@pytest.fixture(params=_LEDGERS)
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    place = _LEDGERS[request.param](request)
    yield place
    place.close()


def _sqlite_gate(request: pytest.FixtureRequest) -> Callable[[], Gate]:
    from shopkeeper.stores.gate.sqlite import SqliteGate

    file = request.getfixturevalue("tmp_path") / "gate.db"
    return lambda: SqliteGate(file)


def _postgres_gate(request: pytest.FixtureRequest) -> Callable[[], Gate]:
    from shopkeeper.stores.gate.postgres import PostgresGate
    from shopkeeper.stores.sql.address import address

    where = address(request.getfixturevalue("postgres"))
    return lambda: PostgresGate(where)


_GATES = {"sqlite": _sqlite_gate, "postgres": _postgres_gate}


@pytest.fixture(params=_GATES)
def gate_again(request: pytest.FixtureRequest) -> Iterator[Callable[[], Gate]]:
    """Opens one gate, as often as a test likes."""
    opened: list[Gate] = []
    how = _GATES[request.param](request)

    def again() -> Gate:
        opened.append(how())
        return opened[-1]

    yield again
    for place in opened:
        place.close()


@pytest.fixture
def gate(gate_again: Callable[[], Gate]) -> Gate:
    return gate_again()


@pytest.fixture(params=["duckdb"])
def lake_at(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Lake]]:
    """Opens the lake in a folder, as often as a test likes."""
    from shopkeeper.stores.lake import open_lake

    engines = {"duckdb": open_lake}
    opened: list[Lake] = []

    def at(folder: Path) -> Lake:
        opened.append(engines[request.param](folder))
        return opened[-1]

    yield at
    for place in opened:
        place.close()


@pytest.fixture
def lake(lake_at: Callable[[Path], Lake], tmp_path: Path) -> Lake:
    return lake_at(tmp_path / "lake")
