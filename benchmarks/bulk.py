"""Makes a large shop quickly, once: the same ledger and lake as if every event had come through a door.

    uv run python benchmarks/bulk.py --customers 1_000_000 --events 20_000_000 [--into DIR] [--lake] [--json FILE]

Events are drawn (``world.py``), prepared with the shop's own vault, identifiers, payloads and fold in several
processes, and inserted in sorted order; indexes are made afterwards. Without ``--into`` the shop is kept in
``SHOPKEEPER_BENCHMARKS`` (or ~/.cache/shopkeeper-benchmarks) and made only where it is missing. Everything in it is
simulated, and it says so. ``tests/journey/test_bulk.py`` shows that it equals a shop that collected the same events.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import fcntl
import json
import marshal
import multiprocessing
import os
import pickle
import shutil
import sqlite3
import struct
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import world as worlds
from bulk_rows import Piece, begin, log_rows, people

import shopkeeper
from shopkeeper import settings as shop_settings
from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.event import EVENTS
from shopkeeper.know.reducers import VERSION
from shopkeeper.shop.pace import without_collecting

FORMAT = 1
"""Part of the name of a kept shop: raise it when what is built changes."""
_CUSTOMERS_AT_ONCE = 2_000
_EVENTS_AT_ONCE = 20_000
_AHEAD = 12
"""Pieces that are prepared before they are needed: bounds memory."""


def build(
    into: Path,
    customers: int,
    events: int,
    *,
    seed: int = 1,
    processes: int | None = None,
    lake: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, float]:
    """Make a shop in a missing or empty folder; returns seconds by step."""
    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def lap(step: str) -> None:
        nonlocal began
        seconds[step] = time.perf_counter() - began
        began = time.perf_counter()
        say(f"{step}: {seconds[step]:.1f} s")

    catalogue = _found(into)
    lap("found the shop")
    with tempfile.TemporaryDirectory(dir=into.parent, prefix="arrays-") as scratch:
        drawn = worlds.draw(customers, events, seed)
        worlds.save(drawn, Path(scratch))
        nodes = int(drawn.first_node[-1]) - 1
        del drawn
        lap("draw")
        pool = ProcessPoolExecutor(
            processes or os.cpu_count(),
            multiprocessing.get_context("spawn"),
            begin,
            (Path(scratch), into / "secret.key", pickle.dumps(catalogue)),
        )
        with pool, without_collecting(), contextlib.closing(_bare(into / "ledger.db")) as ledger:
            indexes = _without_indexes(ledger)
            heaps = _people(pool, ledger, customers)
            lap("customers")
            log = _ahead(pool, log_rows, events, _EVENTS_AT_ONCE)
            _messages(ledger, heaps[0])
            lap("messages")
            _tokens(ledger, heaps[1])
            lap("tokens")
            for rows in log:
                _many(ledger, "event", 12, marshal.loads(rows))
            lap("log")
            for statement in indexes:
                ledger.execute(statement)
            lap("indexes")
            _settle(ledger, customers, events, nodes, catalogue)
            ledger.commit()
    _synced(into / "ledger.db")
    lap("sync")
    if lake:
        with shopkeeper.open(into) as shop:
            for step, spent in shop.refresh().items():
                say(f"refresh, {step}: {spent:.1f} s")
        lap("lake")
    return seconds


def _found(into: Path) -> Catalogue:
    """Make the shop with its products through the doors; returns the catalogue."""
    shop = shopkeeper.create(
        into, name="Simulated shop", currency="GBP", now=worlds.END.isoformat(), simulated=worlds.SIMULATED
    )
    with shop, tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "products.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, list(next(worlds.products())))
            writer.writeheader()
            writer.writerows(worlds.products())
        shop.collect(file)
        shop.advance()
        with shop.places.ledger.read() as reader:
            return shop.places.catalogue(reader)


def _bare(file: Path) -> sqlite3.Connection:
    """A connection that trades safety for speed: the shop is not there before all is done."""
    ledger = sqlite3.connect(file, isolation_level=None, cached_statements=64)
    for pragma in ("journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE",
                   "cache_size=-1500000", "temp_store=FILE", "threads=2"):  # fmt: skip
        ledger.execute(f"PRAGMA {pragma}").fetchall()
    ledger.execute("BEGIN")
    return ledger


def _without_indexes(ledger: sqlite3.Connection) -> list[str]:
    """Drop the indexes; returns the statements that make them again."""
    found = ledger.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        ledger.execute(f'DROP INDEX "{name}"')
    return [sql for _, sql in found]


def _ahead(
    pool: ProcessPoolExecutor, work: Callable[[int, int], bytes], total: int, step: int
) -> Iterator[bytes]:
    """The answers of ``work`` over all pieces, in order, some of them being made while one is used."""
    pieces = iter([(low, min(low + step, total)) for low in range(0, total, step)])
    waiting: deque[Future[bytes]] = deque()

    def more() -> None:
        with contextlib.suppress(StopIteration):
            waiting.append(pool.submit(work, *next(pieces)))

    for _ in range(_AHEAD):
        more()

    def answers() -> Iterator[bytes]:
        while waiting:
            found = waiting.popleft().result()
            more()
            yield found

    return answers()


def _many(ledger: sqlite3.Connection, table: str, columns: int, rows: Any) -> None:
    ledger.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)


def _people(pool: ProcessPoolExecutor, ledger: sqlite3.Connection, customers: int) -> tuple[bytes, bytes]:
    """Write everything about customers; returns messages and tokens, in no order."""
    messages, tokens = [], []
    for found in _ahead(pool, people, customers, _CUSTOMERS_AT_ONCE):
        piece = Piece(*marshal.loads(found))
        _many(ledger, "node", 6, piece.nodes)
        _many(ledger, "member", 3, piece.members)
        _many(ledger, "edge", 5, piece.edges)
        _many(ledger, "sealed", 5, piece.sealed)
        _many(ledger, "record", 11, piece.records)
        messages.append(piece.messages)
        tokens.append(piece.tokens)
    return b"".join(messages), b"".join(tokens)


def _messages(ledger: sqlite3.Connection, heap: bytes) -> None:
    rows = np.frombuffer(heap, [("high", ">u8"), ("low", ">u8"), ("body", "V8")])
    order = np.lexsort((rows["low"], rows["high"]))
    _many(ledger, "message", 2, struct.iter_unpack("16s8s", rows[order].tobytes()))


def _tokens(ledger: sqlite3.Connection, heap: bytes) -> None:
    rows = np.frombuffer(heap, [("token", ">u8"), ("node", ">u8")])
    sort = rows[np.lexsort((rows["node"], rows["token"]))]
    fresh = np.ones(len(sort), bool)
    fresh[1:] = (sort["token"][1:] != sort["token"][:-1]) | (sort["node"][1:] != sort["node"][:-1])
    _many(ledger, "token", 2, struct.iter_unpack(">8sq", sort[fresh].tobytes()))


def _settle(
    ledger: sqlite3.Connection, customers: int, events: int, nodes: int, catalogue: Catalogue
) -> None:
    for name, value in {
        "last_seq": events, "cursor": events, "last_node": nodes, "last_customer": customers,
        "folded_as": f"{VERSION}:{catalogue.version}",
    }.items():  # fmt: skip
        ledger.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, str(value)))


def _synced(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def kept() -> Path:
    """The folder where large shops are kept."""
    given = os.environ.get("SHOPKEEPER_BENCHMARKS")
    folder = Path(given) if given else Path.home() / ".cache" / "shopkeeper-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def large_shop(
    customers: int, events: int, *, seed: int = 1, lake: bool = False, say: Callable[[str], None] = print
) -> Path:
    """The folder of a kept shop of that size, made where it is missing. Read it; write to a ``copy`` of it."""
    folder = kept() / f"shop-{customers}-{events}-{seed}{'-lake' if lake else ''}-{_shape()}"
    with (kept() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_name(folder.name + ".part")
            shutil.rmtree(half, ignore_errors=True)
            build(half, customers, events, seed=seed, lake=lake, say=say)
            half.rename(folder)
    return folder


def _shape() -> str:
    """A short name of the ledger's schema and of what folds it: another one makes a kept shop useless."""
    from shopkeeper.stores.migrations.steps import steps

    told = repr([list(s) for _, s in steps("ledger", after=0)]) + f"{VERSION} {FORMAT} {sorted(EVENTS)}"
    return blake2b(told.encode(), digest_size=4).hexdigest()


def copy(folder: Path, to: Path, *, live: bool = True) -> Path:
    """A copy that may be written to; ``live`` lets its clock run."""
    shutil.copytree(folder, to)
    if live:
        shop_settings.save(to, msgspec.structs.replace(shop_settings.load(to), now=""))
    return to


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, metavar="DIR", help="make it here, whatever is kept")
    parser.add_argument("--lake", action="store_true", help="refresh as well: scores, and the lake")
    parser.add_argument("--quick", action="store_true", help="25,000 customers, 500,000 events, not kept")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    if options.quick:
        options.customers, options.events = 25_000, 500_000
    elif options.into is None:
        print(large_shop(options.customers, options.events, seed=options.seed, lake=options.lake))
        return
    with tempfile.TemporaryDirectory() as scratch:
        into = options.into or Path(scratch) / "shop"
        began = time.perf_counter()
        seconds = build(
            into, options.customers, options.events, seed=options.seed, lake=options.lake, say=print
        )
        ledger = time.perf_counter() - began - seconds.get("lake", 0.0)
        size = sum(f.stat().st_size for f in into.rglob("*") if f.is_file())
    rows = [
        _row(
            f"bulk ledger of {options.events:,} events", options.events / ledger, "events/s", "higher", 50_000
        ),
        _row("bytes on disk an event", size / options.events, "B", "lower", None),
    ]
    if "lake" in seconds:
        rows.append(_row("refresh and lake", seconds["lake"], "s", "lower", None))
    for row in rows:
        print(f"{row['name']:<45} {row['value']:>12,.1f} {row['unit']}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


def _row(name: str, value: float, unit: str, better: str, goal: float | None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "better": better, "goal": goal, "peer": None,
            "peer_value": None}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
