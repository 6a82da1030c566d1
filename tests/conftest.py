"""Fixtures that every folder of tests may ask for."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.doctest import DoctestItem

from shopkeeper.domain.report import Report
from shopkeeper.shop import Shop
from tests.postgres import Server, server

CHROMIUM = Path("/usr/bin/chromium")
LAUNCH = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAITING = (
    "tests/cli/test_run",
    "tests/clients/",
    "tests/journey/test_crash",
    "tests/journey/test_durability",
    "tests/journey/test_kill",
    "tests/journey/test_segments_crash",
    "tests/stores/test_postgres",
    "tests/web/test_browser",
    "tests/web/test_segments_browser",
    "tests/web/test_sources_browser",
)


def _compile_once() -> None:
    """Have every process that tests start (workers of pytest, servers, commands) find its modules compiled.

    Where PYTHONDONTWRITEBYTECODE is set, as in many containers, and the packages were installed without bytecode, each
    start compiles everything anew: 1.5 s of processor time a server, 4 s a worker. The cache lies outside of the
    checkout, which stays as clean as that setting wants it.
    """
    if not sys.dont_write_bytecode:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopkeeper-tests" / "bytecode"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(cache)
    sys.dont_write_bytecode = False


_compile_once()
# As the command line does (cli/__init__.py); with a process per core, threads only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What was collected for testing is a million objects that stay: to look through them for garbage as often as a small
# program does takes a twelfth of the processor's time.
gc.set_threshold(20_000, 20, 20)
# An example may take as long as a busy machine makes it take.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests with servers, browsers and databases wait a third of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for servers, browsers and databases, so that one process waits while the others work.

    The shortest, which are the examples in docstrings, come last, so that all processes end at about the same time.
    """
    items.sort(
        key=lambda item: 0 if item.nodeid.startswith(WAITING) else 2 if isinstance(item, DoctestItem) else 1
    )


@pytest.fixture(scope="session")
def sample_built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Report]]:
    """The sample shop at a hundredth of its size, through all doors. Read it; do not write to it."""
    from shopkeeper.shop.demo import build

    shop, report = build(tmp_path_factory.mktemp("sample") / "shop", size=0.01)
    with shop:
        yield shop, report


@pytest.fixture(scope="session")
def sample_shop(sample_built: tuple[Shop, Report]) -> Shop:
    return sample_built[0]


@pytest.fixture(scope="session")
def sample_report(sample_built: tuple[Shop, Report]) -> Report:
    return sample_built[1]


@pytest.fixture(scope="session")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new, empty shop whose clock stands in 2026. Copy it; do not open it."""
    import shopkeeper

    folder = tmp_path_factory.mktemp("empty") / "shop"
    shopkeeper.create(folder, now="2026-05-01T12:00:00+00:00").close()
    return folder


@pytest.fixture
def shop(tmp_path: Path, empty_shop: Path) -> Iterator[Shop]:
    """A new, empty shop of one's own whose clock stands in 2026: a copy, for a third of the time of making one."""
    import shopkeeper

    with shopkeeper.open(shutil.copytree(empty_shop, tmp_path / "shop")) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real data sets that may not ship with the package: from SHOPKEEPER_TEST_DATA, or beside the checkout."""
    given = os.environ.get("SHOPKEEPER_TEST_DATA")
    return Path(given) if given else Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL that the tests of this process share: do not stop it."""
    with server() as running:
        yield running


@pytest.fixture
def postgres(postgres_server: Server) -> str:
    """The address of a fresh schema."""
    return postgres_server.address()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, one for a whole run: its driver bears no second one beside it."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian: apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(LAUNCH))
        yield chromium
        chromium.close()
