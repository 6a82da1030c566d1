"""The commands, as a person calls them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from shopkeeper.cli import app

ORDERS = """\
Order No;Date;Article;Description;Qty;Unit price;E-mail
1001;2024-03-01 10:15;A1;Tea;2;4,50;anna@example.com
1001;2024-03-01 10:15;B7;Teapot;1;39,00;anna@example.com
1002;2024-03-08 17:40;A1;Tea;3;4,50;bela@example.com
"""
"""Two orders of three lines, as a till in Berlin writes them."""

Cli = Callable[..., Result]


@pytest.fixture
def cli(monkeypatch) -> Cli:
    """Call a command; an exception that is no exit fails the test."""
    monkeypatch.delenv("SHOPKEEPER_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "160")  # paths of temporary folders are long

    def call(*words: object, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], input=typed, catch_exceptions=False)

    return call


@pytest.fixture(scope="session")
def corner(tmp_path_factory) -> Path:
    """The folder of a new, empty shop. Copy it; do not open it."""
    folder = tmp_path_factory.mktemp("corner") / "corner"
    words = ["--name", "Corner shop", "--currency", "EUR", "--time-zone", "Europe/Berlin"]
    done = CliRunner().invoke(app, ["init", str(folder), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def new_shop(tmp_path, corner) -> Path:
    """The folder of a new, empty shop of one's own."""
    return shutil.copytree(corner, tmp_path / "corner")


@pytest.fixture
def orders_file(tmp_path) -> Path:
    """A file of orders."""
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS, encoding="utf-8")
    return path
