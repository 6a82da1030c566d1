"""Heads of requests that do not end: the connection is closed, and others are served."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import ClassVar

import httpx
import pytest
import uvicorn
from litestar import Litestar

from shopkeeper.web.tracking import Door
from shopkeeper.web.tracking.protocol import CarefulProtocol


class Hasty(CarefulProtocol):
    """Only as hasty as a test makes it; on a busy machine, a head of ours may take long, too."""

    made: ClassVar[list[CarefulProtocol]] = []

    def connection_made(self, transport):
        self.made.append(self)
        super().connection_made(transport)


class Announced(uvicorn.Server):
    def __init__(self, config):
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.ready.set()


@pytest.fixture
def port(shop, monkeypatch):
    monkeypatch.setattr(Hasty, "made", [])
    monkeypatch.setattr(Hasty, "seconds", 3600.0)
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    server = Announced(uvicorn.Config(Door(Litestar(), shop), log_config=None, http=Hasty))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    assert server.ready.wait(120)
    yield door.getsockname()[1]
    server.should_exit = True
    thread.join()
    door.close()


def time_is_up():
    """As much time goes by on every connection as a head may take."""
    rung = threading.Semaphore(0)

    def ring(connection):
        if connection._timer is not None:
            connection._late()
        rung.release()

    for connection in Hasty.made:
        connection.loop.call_soon_threadsafe(ring, connection)
        assert rung.acquire(timeout=120)


def still_served(shop, port):
    key = shop.add_source("web", "tracking")
    body = {"type": "track", "event": "Product Viewed", "userId": "u1"}
    assert httpx.post(f"http://127.0.0.1:{port}/v1/track", json=body, auth=(key, "")).status_code == 200


@pytest.mark.parametrize("begins", [b"", b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_ends_the_connection(shop, port, begins, monkeypatch):
    with monkeypatch.context() as hasty:
        hasty.setattr(Hasty, "seconds", 0.2)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=120) as line,
            suppress(ConnectionResetError),
        ):
            line.sendall(begins)
            assert line.recv(1000) == b""
    still_served(shop, port)


@pytest.mark.parametrize("piece", [b"y" * 1_000, b"\r\nX-More: y"])
def test_a_head_that_grows_without_end_is_refused(shop, port, piece):
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=120) as line:
        line.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Long: ")
        try:
            while sent < 50_000_000:
                line.sendall(piece * 20)
                sent += 20 * len(piece)
        except OSError:
            pass  # the other side closed
    assert sent < 5_000_000
    still_served(shop, port)


def test_a_connection_is_kept_between_requests(shop, port):
    key = shop.add_source("web", "tracking")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=(key, "")) as http:
        for number in range(3):
            body = {"type": "track", "event": "X", "userId": "u1", "messageId": str(number)}
            assert http.post("/v1/track", json=body).status_code == 200
            time_is_up()
    assert len(Hasty.made) == 1
    shop.hear()
    assert len(shop.timeline("user_id:u1").entries) == 3
