"""Killed anywhere, a shop's segments are whole: who is in, what entered and left, and what is due agree."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.journey.test_segments_any_order import is_, should

import shopkeeper
from shopkeeper.shop.watching import keep_up

_LIVE = """
import sys, itertools
import shopkeeper
from tests.events import DAY, event, order
from shopkeeper.collect.intake import Outcome

with shopkeeper.open(sys.argv[1]) as shop:
    begin = shop.health()["events"]
    print("ready", flush=True)
    for n in itertools.count(begin):
        ids = {"user_id": f"u{n % 40}"}
        some = [event("Product Viewed", f"v{n}", -(n % 9) * DAY, ids=ids, product_id="p1", category="Lighting"),
                order(f"o{n}", -(n % 7) * DAY, ids=ids)]
        shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, some, Outcome()))
        shop.advance()
        if n % 13 == 5:
            shop.save_segment(f"s{n % 3}", f"orders >= {n % 5} and events('Product Viewed', days => {1 + n % 8})")
"""


@pytest.mark.parametrize("seed", range(4))
def test_after_a_kill_everything_agrees_and_nothing_is_told_twice(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "shop"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00+00:00") as shop:
        shop.save_segment("vip", "orders >= 3")
        for n in range(3):
            shop.save_segment(f"s{n}", f"spend(days => {n + 2}) > 10 or segment('vip')")
    root = Path(__file__).parents[2]
    chance = random.Random(seed)
    for _ in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", _LIVE, str(folder)], stdout=subprocess.PIPE, cwd=root,
            env=os.environ | {"PYTHONPATH": str(root)},
        )  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0.1, 1.5))  # whichever moment it hits, the same must hold
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with shopkeeper.open(folder) as shop:
            is_(shop)
            shop.advance()
            keep_up(shop.places)
            assert is_(shop) == should(shop, shop.places.now())
            assert shop.recount().found == 0
