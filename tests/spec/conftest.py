"""One fixture per place; every engine answers the same questions, and no test names an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.contract.ledger import Ledger


@pytest.fixture(params=["sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    from shopkeeper.stores.ledger.sqlite import SqliteLedger

    engines = {"sqlite": lambda: SqliteLedger(tmp_path / "ledger.db")}
    place = engines[request.param]()
    yield place
    place.close()


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
