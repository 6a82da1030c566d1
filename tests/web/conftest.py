"""The sample shop behind its HTTP door: a client without a network, and a browser that may reach nothing else."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from litestar.testing import TestClient

from shopkeeper.domain.errors import Conflict
from shopkeeper.web.app import create_app

DESK = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
BASE = "http://127.0.0.1:8765"


def session_of(shop, role="administrator"):
    """The name and the value of a cookie that signs a user of some role in."""
    email = f"{role}@example.com"
    with suppress(Conflict):
        shop.add_user(email, role)
    signed = shop.enter(shop.user_link(email, "sign_in").token)
    return f"shopkeeper-{shop.mark}", signed.token


@contextmanager
def visiting(shop, role="administrator", **options):
    """A client without a network, signed in with some role; None is nobody."""
    with TestClient(create_app(shop, **options), base_url=BASE) as http:
        if role is not None:
            http.cookies.set(*session_of(shop, role))
        yield http


@pytest.fixture(scope="session")
def visit():
    """Visits any shop: ``with visit(shop, "analyst") as http``."""
    return visiting


@pytest.fixture(scope="session")
def client(sample_shop):
    with visiting(sample_shop) as http:
        yield http


@pytest.fixture(scope="session")
def buyer(sample_shop):
    """The customer with the most orders: has something of nearly everything."""
    return sample_shop.find(sort="orders", limit=1).rows[0]


SESSIONS = {}
"""The cookies of an administrator, by the address of a server."""


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
    assert server.ready.wait(120)
    address = f"http://127.0.0.1:{door.getsockname()[1]}"
    name, value = session_of(shop)
    SESSIONS[address] = {"name": name, "value": value, "url": address}
    try:
        yield address
    finally:
        del SESSIONS[address]
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


class Watch:
    """What pages complained about, and what they asked of other hosts: there should be nothing."""

    def __init__(self):
        self.complaints = []
        self.foreign = []

    def over(self, page):
        page.set_default_timeout(60_000)  # only what never happens takes so long
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._said)
        return page

    def _asked(self, request):
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.foreign.append(request.url)

    def _said(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


def cookies_of(address):
    """Those of an administrator of the shop at an address."""
    return [cookie for at, cookie in SESSIONS.items() if address.startswith(at)]


@pytest.fixture
def open_page(browser):
    """Opens pages; afterwards nothing may have been complained about and nothing asked of another host."""
    contexts, watch = [], Watch()

    def opened(address, *, signed_in=True, **options):
        context = browser.new_context(**(DESK | options))
        if signed_in:
            context.add_cookies(cookies_of(address))
        contexts.append(context)
        page = watch.over(context.new_page())
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert (watch.complaints, watch.foreign) == ([], [])


@pytest.fixture(scope="session")
def tab(browser):
    """One tab, and who watches over it: opening one takes the processor longer than showing three pages."""
    watch = Watch()
    context = browser.new_context(**DESK)
    yield watch.over(context.new_page()), watch
    context.close()


@pytest.fixture
def turn_to(tab):
    """Turns one and the same tab to pages, as ``open_page`` opens them: for whoever stays who they are."""
    page, watch = tab

    def turned(address, *, viewport=DESK["viewport"], color_scheme="light"):
        page.context.clear_cookies()
        page.context.add_cookies(cookies_of(address))
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.mouse.move(0, 0)  # over nothing
        page.goto(address)
        return page

    yield turned
    page.goto("about:blank")  # asks no more
    noted = (watch.complaints[:], watch.foreign[:])
    watch.complaints.clear()
    watch.foreign.clear()
    assert noted == ([], [])
