"""The sample shop behind its HTTP door: a client without a network, and a browser that may reach nothing else."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from litestar.testing import TestClient

from shopkeeper.web.app import create_app

CHROMIUM = Path("/usr/bin/chromium")
DESK = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
LAUNCH = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def client(sample_shop):
    with TestClient(create_app(sample_shop), base_url="http://127.0.0.1:8765") as http:
        yield http


@pytest.fixture(scope="session")
def buyer(sample_shop):
    """The customer with the most orders: has something of nearly everything."""
    return sample_shop.find(sort="orders", limit=1).rows[0]


class Announced(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config):
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serving(shop):
    """A server for a shop on a free port; gives its address."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    server = Announced(uvicorn.Config(create_app(shop), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    assert server.ready.wait(30)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()


@pytest.fixture(scope="session")
def site(sample_shop):
    with serving(sample_shop) as address:
        yield address


@pytest.fixture(scope="session")
def served():
    """Serves any shop: ``with served(shop) as address``."""
    return serving


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian: apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(LAUNCH))
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Opens pages; afterwards nothing may have been complained about and nothing asked of another host."""
    contexts, complaints, foreign = [], [], []

    def note(request):
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            foreign.append(request.url)

    def opened(address, **options):
        context = browser.new_context(**(DESK | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
    assert not foreign
