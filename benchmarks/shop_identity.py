"""Who is who in the sample shop, against its truth: as live resolution leaves it, and after linking by probability.

    uv run python benchmarks/shop_identity.py [--quick] [--json FILE]

The sample shop's persons, their cards, cookies, addresses and traps (families on one e-mail address, landlines, tablets
in the store, a staff card, second accounts) are simulated; the truth file that says who is whose is read here only.
Pairs of identifiers count where one person used both; *usable evidence* is a chain of events on which that person's own
identifiers were seen together, whatever guards make of it. No peer is run beside: Splink links records, not
identifiers seen on events (see ``identity.py``).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import shopkeeper
from shopkeeper.collect.samples import write_sample
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.know.fold import unpack
from shopkeeper.resolve.view import Forest
from shopkeeper.shop import Shop

GOAL_PRECISION, GOAL_RECALL, GOAL_STRANGERS = 0.99, 0.90, 10.0
_KINDS = {"customer_id": "user_id"}
_FILES = ("orders.parquet", "customers.csv", "contacts.csv", "events.jsonl")


class Truth:
    """Whose every identifier and order is."""

    def __init__(self, folder: Path) -> None:
        rows = pq.read_table(folder / "identifiers.parquet").to_pylist()
        self.person = {
            (_KINDS.get(r["kind"], r["kind"]), r["value"]): r["person_id"]
            for r in rows
            if r["person_id"] and r["persons"] == 1
        }
        self.traps = {
            (_KINDS.get(r["kind"], r["kind"]), r["value"])
            for r in pq.read_table(folder / "traps.parquet").to_pylist()
        }
        self.buyer = {key[1]: person for key, person in self.person.items() if key[0] == "order"}


def measure(shop: Shop, truth: Truth, label: str) -> list[dict[str, Any]]:
    """Precision, recall and strangers."""
    places = shop.places
    person_of: dict[int, str] = {}
    with places.ledger.read() as reader:
        wanted = {
            key: places.vault.pseudonym(key[0], canonical)
            for key in truth.person
            if key[0] in IDENTIFIER_KINDS
            and not IDENTIFIER_KINDS[key[0]].reference
            and key not in truth.traps
            and (canonical := places.keys(*key)) is not None
        }
        nodes = reader.nodes(list(wanted.values()))
        for key, mark in wanted.items():
            if mark in nodes:
                person_of[nodes[mark]] = truth.person[key]
        customer_of = {m.node: m.customer for m in reader.members(sorted(person_of))}
        own = Forest()
        for edge in reader.edges(sorted(person_of)):
            if edge.a in person_of and person_of.get(edge.a) == person_of.get(edge.b):
                own.join(edge.a, edge.b)
        strangers = customers = 0
        for chunk in reader.all_records():
            for record in chunk:
                buyers = {truth.buyer[order] for order in unpack(record.body).marks if order in truth.buyer}
                customers += bool(buyers)
                strangers += len(buyers) > 1
    together: dict[int, Counter[str]] = defaultdict(Counter)
    usable: dict[int, Counter[int]] = defaultdict(Counter)
    for node, person in person_of.items():
        together[customer_of[node]][person] += 1
        usable[own.root(node)][customer_of[node]] += 1
    right = sum(pairs(n) for group in together.values() for n in group.values())
    believed = sum(pairs(group.total()) for group in together.values())
    possible = sum(pairs(group.total()) for group in usable.values())
    found = sum(pairs(n) for group in usable.values() for n in group.values())
    whole = Counter(person_of.values())
    mixed = sum(len(group) > 1 for group in together.values())
    return [
        row(f"{label}: pairwise precision", right / max(1, believed), "", "higher", GOAL_PRECISION),
        row(f"{label}: recall where there is usable evidence", found / max(1, possible), "", "higher", GOAL_RECALL),
        row(f"{label}: recall of all pairs", right / sum(pairs(n) for n in whole.values()), "", "higher", None),
        row(f"{label}: customers with identifiers of two persons", mixed, "", "lower", 0),
        row(f"{label}: customers who hold a stranger's order", 1e4 * strangers / max(1, customers), "per 10,000",
            "lower", GOAL_STRANGERS),
    ]  # fmt: skip


def pairs(n: int) -> int:
    """How many pairs n things make."""
    return n * (n - 1) // 2


def row(name: str, value: float, unit: str, better: str, goal: float | None) -> dict[str, Any]:
    """A figure, printed."""
    aim = "" if goal is None else f"   (goal {goal:g})"
    print(f"  {name:<62} {value:>10.4f} {unit}{aim}", flush=True)
    return {"name": name, "value": round(float(value), 5), "unit": unit, "better": better, "goal": goal,
            "peer": None, "peer_value": None}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a fifth of the sample shop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    size = 0.2 if options.quick else 1.0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_sample(folder / "exports", size=size, truth=folder / "truth")
        truth = Truth(folder / "truth")
        with shopkeeper.create(folder / "shop", now="2011-12-10T00:00:00+00:00") as shop:
            for name in _FILES:
                shop.collect(folder / "exports" / name)
            cpu = time.process_time()
            events = shop.advance()
            print(
                f"sample shop of size {size:g}: {events:,} events, {len(truth.person):,} identifiers",
                flush=True,
            )
            row("resolved and folded", events / (time.process_time() - cpu), "events a CPU s", "higher", None)
            rows = measure(shop, truth, "live")
            cpu = time.process_time()
            made = shop.link_people()
            rows.append(
                row("linking", made.records / (time.process_time() - cpu), "records a CPU s", "higher", None)
            )
            rows += measure(shop, truth, "after linking")
            second = [s for s in shop.review(limit=200).rows if s.kind == "alike"]
            rows.append(
                row("second accounts put before a person (first page)", len(second), "pairs", "higher", None)
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
