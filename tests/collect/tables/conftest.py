"""The same tests on real tables of SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy


@dataclass
class Other:
    """Another system's database: its address, and a connection that changes it."""

    url: str
    engine: sqlalchemy.Engine
    kind: str

    def run(self, *statements: str, rows: list[dict[str, Any]] | None = None) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sqlalchemy.text(statement), rows or {})

    @property
    def time(self) -> str:
        """A type for instants."""
        return "timestamptz" if self.kind == "postgresql" else "text"


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Other]:
    if request.param == "sqlite":
        (tmp_path / "other.db").touch()
        url = f"sqlite:///{tmp_path / 'other.db'}"
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    else:
        given = sqlalchemy.make_url(request.getfixturevalue("postgres"))
        schema = given.query["schema"]
        address = given.difference_update_query(["schema"]).update_query_dict(
            {"options": f"-csearch_path={schema}"}
        )
        url = address.render_as_string(hide_password=False)
        engine = sqlalchemy.create_engine(
            address.set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool
        )
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(f"CREATE SCHEMA {schema}"))
    yield Other(url, engine, request.param)
    engine.dispose()


@pytest.fixture
def orders(other: Other) -> Callable[..., None]:
    """Makes the table of order lines, and adds lines to it as (number, product, quantity, price, created, updated)."""
    other.run(
        f"CREATE TABLE lines (id INTEGER PRIMARY KEY, order_number TEXT, product_id TEXT, quantity INTEGER, "
        f"unit_price NUMERIC(10, 2), email TEXT, created_at {other.time}, updated_at {other.time})"
    )
    count = iter(range(1, 1_000_000))

    def add(*lines: tuple[str, str, int, str, str, str]) -> None:
        other.run(
            "INSERT INTO lines VALUES (:id, :order_number, :product_id, :quantity, "
            "CAST(:unit_price AS NUMERIC(10, 2)), :email, :created_at, :updated_at)",
            rows=[
                {
                    "id": next(count),
                    "order_number": number,
                    "product_id": product,
                    "quantity": quantity,
                    "unit_price": price,
                    "email": f"{number}@example.com",
                    "created_at": created,
                    "updated_at": updated,
                }
                for number, product, quantity, price, created, updated in lines
            ],
        )

    return add
