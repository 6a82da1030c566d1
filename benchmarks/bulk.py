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
import multiprocessing
import os
import pickle
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec
import numpy as np
import world as worlds
from bulk_columns import ready
from bulk_rows import BODY, KEY, Template, begin, begin_apart, hashed, people
from bulk_tables import write_log, write_messages, write_people, write_tokens

import shopkeeper
from shopkeeper import settings as shop_settings
from shopkeeper.domain.catalogue import Catalogue
from shopkeeper.domain.event import EVENTS
from shopkeeper.know.reducers import VERSION

if TYPE_CHECKING:
    from bulk_templates import Door

FORMAT = 1
"""Part of the name of a kept shop: raise it when what is built changes."""
_CUSTOMERS_AT_ONCE = 2_000
_EVENTS_AT_ONCE = 20_000
_AHEAD = 12
"""Pieces that are prepared before they are needed: bounds memory."""
_WORTH_PROCESSES = 400_000
"""Events below which other processes cost more than they do."""
_Made = TypeVar("_Made")
Draw = Callable[[int, int, int], worlds.World]
"""Makes a world of some customers, some events and a seed."""


def build(
    into: Path,
    customers: int,
    events: int,
    *,
    seed: int = 1,
    processes: int | None = None,
    lake: bool = False,
    say: Callable[[str], None] = lambda _: None,
    draw: Draw = worlds.draw,
) -> dict[str, float]:
    """Make a shop in a missing or empty folder; returns seconds by step.

    ``draw`` makes the world, which may have another number of events than was asked for. Without ``processes`` there is
    one a processor, and none beside this one for a shop so small that starting them would cost more than they do.
    """
    # Here, since a process that only makes pieces reads this file and needs neither.
    from bulk_templates import Door

    from shopkeeper.shop.pace import without_collecting

    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def lap(step: str) -> None:
        nonlocal began
        seconds[step] = time.perf_counter() - began
        began = time.perf_counter()
        say(f"{step}: {seconds[step]:.1f} s")

    catalogue = found(into)
    lap("found the shop")
    with tempfile.TemporaryDirectory(dir=into.parent, prefix="arrays-") as scratch:
        arrays = Path(scratch)
        door = Door(into / "secret.key")
        drawn = draw(customers, events, seed)
        events = drawn.events
        templates = _kept(arrays, door, drawn)
        del drawn
        lap("draw")
        begun = (arrays, into / "secret.key", pickle.dumps(catalogue), templates)
        hand = begin(*begun)
        door.check(hand)
        number = processes if processes is not None else (events >= _WORTH_PROCESSES) * (os.cpu_count() or 1)
        lap("check with the door")
        with (
            without_collecting(),
            _Workers(number, begun) as workers,
            contextlib.closing(_bare(into / "ledger.db")) as ledger,
        ):
            indexes = _without_indexes(ledger)
            for _ in workers.ahead(hashed, events, _EVENTS_AT_ONCE):
                pass
            lap("keys")
            log = write_log(ledger, hand)
            tokens, finds = [], []
            for (low, high), piece in workers.ahead(people, customers, _CUSTOMERS_AT_ONCE):
                write_people(ledger, hand, low, high, piece)
                tokens.append(piece.tokens)
                finds.append(piece.finds)
                next(log, None)  # while the others make the next pieces
            lap("customers")
            for _ in log:
                pass
            lap("log")
            write_tokens(ledger, tokens, finds)
            lap("tokens")
            write_messages(ledger, hand)
            lap("messages")
            for statement in indexes:
                ledger.execute(statement)
            lap("indexes")
            _settle(ledger, customers, events, int(hand.world.first_node[-1]) - 1, catalogue)
            ledger.commit()
    _synced(into / "ledger.db")
    lap("sync")
    if lake:
        with shopkeeper.open(into) as shop:
            for step, spent in shop.refresh().items():
                say(f"refresh, {step}: {spent:.1f} s")
        lap("lake")
    return seconds


def _kept(arrays: Path, door: Door, drawn: worlds.World) -> list[Template]:
    """Write a world into a folder, with room for keys and bodies; returns its templates."""
    worlds.save(drawn, arrays)
    templates, which = door.templates(drawn)
    np.save(arrays / "which.npy", which)
    for name, width in (("keys", KEY), ("bodies", BODY)):
        np.lib.format.open_memmap(arrays / f"{name}.npy", "w+", f"V{width}", (drawn.events,)).flush()
    return templates


def found(into: Path) -> Catalogue:
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
    ready(ledger)
    return ledger


def _without_indexes(ledger: sqlite3.Connection) -> list[str]:
    """Drop the indexes; returns the statements that make them again."""
    found = ledger.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        ledger.execute(f'DROP INDEX "{name}"')
    return [sql for _, sql in found]


class _Workers:
    """Does work on pieces of a whole, in other processes if there are any."""

    def __init__(self, number: int, begun: tuple[Any, ...]) -> None:
        self._pool = None
        if number:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(number, context, begin_apart, begun)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def ahead(
        self, work: Callable[[int, int], _Made], total: int, step: int
    ) -> Iterator[tuple[tuple[int, int], _Made]]:
        """All pieces and the answers of ``work``, in order, some of them being made while one is used."""
        pieces = iter([(low, min(low + step, total)) for low in range(0, total, step)])
        if self._pool is None:
            yield from ((piece, work(*piece)) for piece in pieces)
            return
        waiting: deque[tuple[tuple[int, int], Future[_Made]]] = deque()
        for piece in islice(pieces, _AHEAD):
            waiting.append((piece, self._pool.submit(work, *piece)))
        while waiting:
            done, future = waiting.popleft()
            found = future.result()
            for piece in islice(pieces, 1):
                waiting.append((piece, self._pool.submit(work, *piece)))
            yield done, found


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
    customers: int,
    events: int,
    *,
    seed: int = 1,
    lake: bool = False,
    say: Callable[[str], None] = print,
    draw: Draw = worlds.draw,
) -> Path:
    """The folder of a kept shop of that size, made where it is missing. Read it; write to a ``copy`` of it."""
    world = "" if draw is worlds.draw else f"{draw.__module__}-"
    folder = kept() / f"shop-{world}{customers}-{events}-{seed}{'-lake' if lake else ''}-{_shape()}"
    with (kept() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_name(folder.name + ".part")
            shutil.rmtree(half, ignore_errors=True)
            build(half, customers, events, seed=seed, lake=lake, say=say, draw=draw)
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
            f"bulk ledger of {options.events:,} events", options.events / ledger, "events/s", "higher", None
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
