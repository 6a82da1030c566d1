"""Looks profiles up, a hundred a second, while others write: a process of its own, started by ``collect.py``."""

from __future__ import annotations

import json
import random
import sys
import time

import numpy as np
import world as worlds

import shopkeeper
from shopkeeper.domain.errors import NotFound

RATE = 100


def main() -> None:
    where, customers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    chance = random.Random(5)
    took = []
    with shopkeeper.open(where) as shop:
        for _ in range(20):  # what is read first is not on the way of every later one
            _look(shop, worlds.identifier(chance.randrange(customers), 0))
        print("ready", flush=True)
        sys.stdin.readline()
        due = time.perf_counter()
        until = due + seconds
        while due < until:
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            _look(shop, worlds.identifier(chance.randrange(customers), 0))
            took.append(time.perf_counter() - began)
            due += 1 / RATE
    percentiles = {f"p{p}": float(np.percentile(np.array(took) * 1e3, p)) for p in (50, 99)}
    print(json.dumps(percentiles), flush=True)


def _look(shop: shopkeeper.Shop, identifier: tuple[str, str]) -> None:
    kind, value = identifier
    try:
        shop.customer(f"{kind}:{value}")
    except NotFound:
        return


if __name__ == "__main__":
    main()
