"""A doctor's look at the installation and the shop's files: what is well, and what to do where it is not."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys

import msgspec

from shopkeeper.shop import backups, erasing, flowing
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs

_LATE = 60
"""Seconds after which a delivery should be in the ledger."""
_WANTED_FREE = 500 * 1024 * 1024


class Finding(msgspec.Struct, frozen=True):
    """One thing the doctor looked at."""

    ok: bool
    what: str
    advice: str = ""


def doctor(places: Places) -> list[Finding]:
    """Look at the installation and the shop's files."""
    found = [
        _finding(
            sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}", "install Python 3.11 or newer"
        ),
        _finding(
            sqlite3.sqlite_version_info >= (3, 37),
            f"SQLite {sqlite3.sqlite_version}",
            "install a Python with SQLite 3.37 or newer",
        ),
    ]
    free = shutil.disk_usage(places.folder).free
    found.append(_finding(free > _WANTED_FREE, f"{free // 1024**2:,} MB free on the disk", "free some space"))
    wrong = places.ledger.check()
    found.append(
        _finding(
            not wrong, "the ledger is sound" if not wrong else f"the ledger: {wrong[0]}", "restore a backup"
        )
    )
    wrong = places.gate.check()
    found.append(
        _finding(not wrong, "the gate is sound" if not wrong else f"the gate: {wrong[0]}", "restore a backup")
    )
    wrong = places.lake.verify()
    found.append(
        _finding(
            not wrong,
            "the lake is sound" if not wrong else f"the lake: {wrong[0]}",
            "run 'shopkeeper refresh --full'",
        )
    )
    wrong = runs.unsound(places)
    found.append(
        _finding(
            not wrong,
            "the predictions are sound" if not wrong else f"the predictions: {wrong[0]}",
            "run 'shopkeeper refresh'",
        )
    )
    with places.ledger.read() as reader:
        counts = reader.counts()
        refused = reader.quarantine_reasons()
        waiting = len(erasing.pending(reader))
    flow = flowing.flow(places)
    late = flow.lag_seconds > _LATE and flow.waiting_deliveries > 0
    advice = "look at the worker's log" if flow.working else "run 'shopkeeper serve'"
    found.append(_finding(not late, f"{flow.waiting_deliveries:,} deliveries wait to be taken in", advice))
    lag = counts["last_seq"] - counts["cursor"]
    found.append(_finding(lag == 0, f"{lag:,} events wait to be folded", "run 'shopkeeper refresh'"))
    behind = counts["last_seq"] - places.lake.manifest().watermark
    found.append(_finding(behind == 0, f"the lake is {behind:,} events behind", "run 'shopkeeper refresh'"))
    total = sum(refused.values())
    found.append(
        _finding(total == 0, f"{total:,} rows in quarantine", "see the page 'quarantine' for the reasons")
    )
    mode = (places.folder / "secret.key").stat().st_mode & 0o077
    found.append(_finding(os.name != "posix" or mode == 0, "secret.key is private", "chmod 600 secret.key"))
    saved = [file for file in backups.listed(places) if file.is_file()]
    found.append(_finding(bool(saved), f"{len(saved)} backups within reach", "run 'shopkeeper backup'"))
    found.append(
        _finding(waiting == 0, f"{waiting} erasures wait to be finished", "run 'shopkeeper refresh'")
    )
    return found


def _finding(ok: bool, what: str, advice: str) -> Finding:  # noqa: FBT001 - a sentence follows
    return Finding(ok, what, "" if ok else advice)
