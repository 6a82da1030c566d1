"""A shop behind a real server with a worker, in front of which faults can be put; and the real clients."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn

from shopkeeper.shop.working import Worker
from shopkeeper.web.app import create_app

collect_ignore = ["scripts"]  # programs of their own
HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
PACKAGES = HERE / "package.json"
PATIENCE = 120.0


class Faults:
    """Stands between the network and the application; what it notes is what really came over the wire."""

    def __init__(self, app):
        self.app = app
        self.refuse = 0
        """So many deliveries are answered 503 and thrown away."""
        self.lose = 0
        """So many after them are kept, and answered 503 all the same: the answer was lost."""
        self.hold_first = False
        """The first delivery is not let through before the second was."""
        self.asked = []
        """Method, path, headers and status of every request for machines."""
        self.overtaken = False
        """Whether a later delivery was let through before the first."""
        self._second = None

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or not scope["path"].startswith(
            ("/v1/", "/beacon", "/pixel", "/sourceConfig")
        ):
            await self.app(scope, receive, send)
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        note = {"method": scope["method"], "path": scope["path"], "headers": headers, "status": 0}
        self.asked.append(note)
        delivery = scope["method"] == "POST"
        if delivery and self.refuse:
            self.refuse -= 1
            note["status"] = 503
            await busy(send, headers)
            return
        lost = delivery and self.lose > 0
        self.lose -= lost
        if delivery and self.hold_first:
            await self._hold()

        async def sent(message):
            if message["type"] == "http.response.start":
                note["status"] = message["status"]
            if not lost:
                await send(message)

        await self.app(scope, receive, sent)
        if delivery and self._second is not None:
            self._second.set()
        if lost:
            await busy(send, headers)

    async def _hold(self):
        if self._second is None:
            self._second = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._second.wait(), PATIENCE)
                self.overtaken = True

    def deliveries(self):
        """What was handed in, without questions and preflights."""
        return [note for note in self.asked if note["method"] == "POST"]


async def busy(send, headers):
    allowed = [(b"access-control-allow-origin", headers.get("origin", "*").encode())]
    answer = [(b"content-type", b"application/json"), (b"retry-after", b"1"), *allowed]
    await send({"type": "http.response.start", "status": 503, "headers": answer})
    await send({"type": "http.response.body", "body": b'{"code":"busy","message":"try again"}'})


class Announced(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config):
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.ready.set()


class Live:
    """A shop that is served and worked, with one source."""

    def __init__(self, shop, address, key, faults):
        self.shop = shop
        self.address = address
        self.key = key
        self.faults = faults

    def until(self, holds, what):
        """Wait until something holds of the shop."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                seen = [(note["method"], note["path"], note["status"]) for note in self.faults.asked]
                pytest.fail(f"{what}: not within {PATIENCE:.0f} s; came: {seen}")
            time.sleep(0.05)

    def events(self):
        return self.shop.health()["events"]


@pytest.fixture
def live(tmp_path):
    import shopkeeper

    with shopkeeper.create(tmp_path / "shop") as shop:
        key = shop.add_source("web", "tracking")
        faults = Faults(create_app(shop))
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        server = Announced(uvicorn.Config(faults, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        with Worker(shop.places):
            thread.start()
            assert server.ready.wait(PATIENCE)
            yield Live(shop, f"http://127.0.0.1:{door.getsockname()[1]}", key, faults)
            server.should_exit = True
            thread.join()
        door.close()


@pytest.fixture
def run_client():
    """Runs a client's script to its end: ``run_client(live, "segment_python.py")``."""

    def run(live, script, **options):
        program = SCRIPTS / script
        command = [sys.executable] if program.suffix == ".py" else [shutil.which("node")]
        told = {"ADDRESS": live.address, "WRITE_KEY": live.key, **options}
        done = subprocess.run(
            [*command, str(program)],
            env=os.environ | told,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def packages():
    """The folder in which the npm packages lie, installed once into a cache outside of the checkout."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no Node with npm (Debian: apt install nodejs npm)")
    mark = hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopkeeper-tests"
    folder = cache / f"npm-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"npm-{mark}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.copy(PACKAGES, folder / "package.json")
            command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
            )
            if done.returncode:
                pytest.skip("the npm registry does not give the clients: " + done.stderr.strip()[-300:])
            (folder / "complete").touch()
    return folder / "node_modules"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def website(packages, tmp_path):
    """A web site on an origin of its own, with the clients' files; ``website(html)`` gives a page's address."""
    root = tmp_path / "site"
    root.mkdir()
    (root / "node_modules").symlink_to(packages)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def page(script, **told):
        text = (SCRIPTS / script).read_text("utf-8").replace('"TOLD"', json.dumps(told))
        (root / script).write_text(text, "utf-8")
        return f"http://127.0.0.1:{server.server_address[1]}/{script}"

    yield page
    server.shutdown()
    thread.join()
    server.server_close()
