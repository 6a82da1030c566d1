"""Who is one person: quality, cost, new records and live scoring, beside Splink 5 in the same run.

    uv run python benchmarks/identity.py [--quick] [--data FOLDER] [--json FILE]

Peers: *Splink, default* takes the records in lower case, the comparisons and the training of Splink's tutorial, a
match probability of one half and connected components. *Splink, tuned* is given what Shopkeeper prepared (one spelling
per value, nicknames, junk values taken out), Shopkeeper's blocking rules and ways of blocking in training, term
frequencies and ten times the sample for u; and then one half and connected components, too. Pairs are what a tool
links directly (for Shopkeeper: links that the guard did not refuse), clusters what follows from them. Nothing is
trained on labels; all data sets take the same settings. CPU seconds are those of this process, on one thread,
preparing included.

Data: FEBRL 3 (5,000 records, Christen) and fake_1000 (1,000, Splink's) are read from ``--data`` (SHOPKEEPER_TEST_DATA,
or shared/data beside the checkout), and left out where they are not there; ``people.py`` makes the large ones. Of the
sample of some 10,000 people that pseudopeople ships, the censuses of 2020 and 2030 are linked
(``pseudopeople_sample.py``, in an environment of its own); nothing of Shopkeeper was settled on them.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import people as town
import pseudopeople_sample
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.resolve.keys import Keys
from shopkeeper.resolve.linkage import (
    Linked,
    LiveIndex,
    Model,
    Prepared,
    link,
    link_again,
    prepare,
    train,
    unite,
)
from shopkeeper.resolve.linkage.blocking import rule_sql
from shopkeeper.resolve.linkage.link import Facing, guard_of
from shopkeeper.stores.lake.linkage import splink_backend

GOALS = {"febrl3": (0.996, 0.998, None), "fake_1000": (None, 0.9014, 0.9294)}
LIVE_P99_MS = 5.0
SURE = 4.0
"""Bits: sixteen to one. For whom a stranger's record is worse than a missing one."""
TUNED, DEFAULT = "Splink 5, tuned", "Splink 5, default"


def backend() -> Any:
    return splink_backend(memory_limit="10GB", threads=1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, below three minutes")
    parser.add_argument("--sizes", type=int, nargs="*", help="records of the simulated towns")
    parser.add_argument("--data", type=Path, help="folder with febrl3.parquet and fake_1000.parquet")
    parser.add_argument("--no-peers", action="store_true", help="only Shopkeeper")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    options = parser.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    folder = options.data or Path(
        os.environ.get("SHOPKEEPER_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    )
    rows: list[dict] = []
    print(f"{'':34} {'pair P':>7} {'R':>6} {'F1':>7} | {'clus P':>7} {'R':>6} {'F1':>7} {'B3':>7} {'biggest':>7} "
          f"{'mixed/10k':>9} | {'CPU s':>7} {'records/CPU s':>13}")  # fmt: skip
    for name in ("febrl3", "fake_1000"):
        file = folder / f"{name}.parquet"
        if file.exists():
            people, truth = known(file)
            rows += quality(name, people, truth, peers=not options.no_peers)[0]
        else:
            print(f"{name}: left out, no {name}.parquet in the data folder")
    try:
        file = pseudopeople_sample.sample()
    except RuntimeError as why:
        print(f"pseudopeople: left out, its sample cannot be made: {why}")
    else:
        people, truth = known(file)
        rows += quality("pseudopeople", people, truth, peers=not options.no_peers)[0]
    sizes = (
        options.sizes if options.sizes is not None else ([30_000] if options.quick else [100_000, 1_000_000])
    )
    for size in sizes:
        people, truth = town.people(size)
        found, ready, model, linked = quality(f"town {size:,}", people, truth, peers=not options.no_peers)
        rows += found
        rows += incremental(size, people, truth, model, linked_cpu=found[-1]["value"])
        rows += live(size, ready, model, people)
        del people, truth, ready, model, linked
        gc.collect()
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")
    cpu = time.process_time()
    sum(range(20_000_000))
    print(f"this machine, now: 20 million additions take {time.process_time() - cpu:.2f} CPU seconds")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")


def row(
    name: str,
    value: float,
    unit: str,
    better: str,
    goal: float | None = None,
    peer: str | None = None,
    peer_value: float | None = None,
) -> dict:
    return {
        "name": name, "value": round(value, 5), "unit": unit, "better": better,
        "goal": goal, "peer": peer, "peer_value": None if peer_value is None else round(peer_value, 5),
    }  # fmt: skip


def known(file: Path) -> tuple[pa.Table, dict[str, str]]:
    """A data set with truth, in the columns of ``person.SCHEMA``."""
    table = pq.read_table(file)
    if "simulant_id" in table.column_names:
        truth = dict(zip(table["id"].to_pylist(), table["simulant_id"].to_pylist(), strict=True))
        return table.drop_columns("simulant_id"), truth

    def text(column: str) -> pa.ChunkedArray:
        return table[column].cast(pa.string())

    if file.stem == "febrl3":
        street = pc.binary_join_element_wise(
            pc.fill_null(text("street_number"), ""), pc.fill_null(text("address_1"), ""), " "
        )
        columns = {
            "id": text("rec_id"), "first_name": text("given_name"), "last_name": text("surname"),
            "birthday": text("date_of_birth"), "street": street, "city": text("suburb"),
            "postcode": text("postcode"), "state": text("state"), "reference": text("soc_sec_id"),
        }  # fmt: skip
    else:
        columns = {
            "id": text("unique_id"), "first_name": text("first_name"), "last_name": text("surname"),
            "birthday": text("dob"), "city": text("city"), "email": text("email"),
        }  # fmt: skip
    return pa.table(columns), dict(zip(columns["id"].to_pylist(), text("cluster").to_pylist(), strict=True))


class Scores(NamedTuple):
    """Precision, recall and F1 of pairs before and after clustering, B-cubed F1, and what went wrong."""

    pairs: tuple[float, float, float]
    clusters: tuple[float, float, float]
    b_cubed: float
    biggest: int
    mixed: float
    """Persons found that hold records of more than one human, per 10,000."""


def scores(edges: set[tuple[str, str]], person_of: dict[str, str], truth: dict[str, str]) -> Scores:
    humans = Counter(truth.values())
    true_pairs = sum(n * (n - 1) // 2 for n in humans.values())
    right = sum(truth[a] == truth[b] for a, b in edges)
    both = Counter((person_of[record], truth[record]) for record in truth)
    persons = Counter(person_of[record] for record in truth)
    joined = sum(n * (n - 1) // 2 for n in both.values())
    made = sum(n * (n - 1) // 2 for n in persons.values())
    precision = sum(n * n / persons[p] for (p, _), n in both.items()) / len(truth)
    recall = sum(n * n / humans[h] for (_, h), n in both.items()) / len(truth)
    holders = Counter(p for p, _ in both)
    mixed = sum(n > 1 for n in holders.values()) / len(persons) * 10_000
    return Scores(
        f1(right, len(edges), true_pairs), f1(joined, made, true_pairs),
        2 * precision * recall / (precision + recall), max(persons.values()), mixed,
    )  # fmt: skip


def f1(right: int, made: int, true: int) -> tuple[float, float, float]:
    precision, recall = right / max(1, made), right / max(1, true)
    return precision, recall, 2 * precision * recall / max(1e-12, precision + recall)


def told(name: str, records: int, found: Scores, cpu: float) -> None:
    p, c = found.pairs, found.clusters
    print(f"{name:34} {p[0]:7.4f} {p[1]:6.4f} {p[2]:7.4f} | {c[0]:7.4f} {c[1]:6.4f} {c[2]:7.4f} {found.b_cubed:7.4f} "
          f"{found.biggest:7,} {found.mixed:9.1f} | {cpu:7.1f} {records / cpu:13,.0f}", flush=True)  # fmt: skip


def quality(
    name: str, people: pa.Table, truth: dict[str, str], *, peers: bool
) -> tuple[list[dict], Prepared, Model, Linked]:
    cpu = time.process_time()
    ready = prepare(people, Keys("GB"))
    prepared = time.process_time() - cpu
    model = train(ready, backend)
    trained = time.process_time() - cpu - prepared
    linked = link(ready, model, backend)
    ours_cpu = time.process_time() - cpu
    ours = scores(pairs_of(linked), linked.person_of, truth)
    told(f"{name}: Shopkeeper", len(people), ours, ours_cpu)
    linking = ours_cpu - prepared - trained
    print(f"{'':8} preparing {prepared:.1f}, training {trained:.1f}, linking {linking:.1f} CPU s; "
          f"refused {dict(Counter(r.reason for r in linked.refused))}; junk {ready.junk.counts()}")  # fmt: skip
    sure = unite(ready.ids, linked.links, Facing(ready), least=SURE, guard=guard_of(model))
    surely = scores(set(), sure.person_of, truth)
    print(f"{'':8} links from {SURE:g} bits on: F1 after clustering {surely.clusters[2]:.4f} "
          f"(P {surely.clusters[0]:.4f}, R {surely.clusters[1]:.4f}), mixed {surely.mixed:.1f} per 10,000")  # fmt: skip
    del sure
    found: dict[str, tuple[Scores, float]] = {}
    if peers:
        for peer, run in ((DEFAULT, splink_default), (TUNED, splink_tuned)):
            gc.collect()
            cpu = time.process_time()
            edges, person_of = run(people, ready, model)
            spent = time.process_time() - cpu + (prepared if peer == TUNED else 0.0)
            found[peer] = (scores(edges, person_of, truth), spent)
            told(f"{name}: {peer}", len(people), *found[peer])
            del edges, person_of
    pair_goal, cluster_goal, b_goal = GOALS.get(name, (None, None, None))
    rows = [
        row(
            f"{name}: persons with a stranger's record, links from {SURE:g} bits on",
            surely.mixed,
            "per 10,000",
            "lower",
        ),
        row(
            f"{name}: F1 of pairs after clustering, links from {SURE:g} bits on",
            surely.clusters[2],
            "share",
            "higher",
        ),
    ]
    for peer in found or {None: None}:
        their, spent = found[peer] if peer else (None, None)
        rows += [
            row(f"{name}: F1 of pairs", ours.pairs[2], "share", "higher", pair_goal, peer, their and their.pairs[2]),
            row(f"{name}: F1 of pairs after clustering", ours.clusters[2], "share", "higher", cluster_goal, peer,
                their and their.clusters[2]),
            row(f"{name}: B-cubed F1", ours.b_cubed, "share", "higher", b_goal, peer, their and their.b_cubed),
            row(f"{name}: persons with a stranger's record", ours.mixed, "per 10,000", "lower", None, peer,
                their and their.mixed),
            row(f"{name}: largest person", ours.biggest, "records", "lower", None, peer, their and their.biggest),
            row(f"{name}: records", len(people) / ours_cpu, "per CPU s", "higher", None, peer,
                spent and len(people) / spent),
            row(f"{name}: CPU", ours_cpu, "s", "lower", spent, peer, spent),
        ]  # fmt: skip
    return rows, ready, model, linked


def pairs_of(linked: Linked) -> set[tuple[str, str]]:
    """Links that were followed; a true repeat is linked to what its first record is linked to."""
    repeats: dict[str, list[str]] = {}
    person_of = linked.person_of
    for one in linked.links:
        if one.by == "repeat":
            repeats.setdefault(one.a, [one.a]).append(one.b)
    found = {(a, b) for these in repeats.values() for i, a in enumerate(these) for b in these[i + 1 :]}
    for one in linked.links:
        if one.by != "repeat" and person_of[one.a] == person_of[one.b]:
            for a in repeats.get(one.a, (one.a,)):
                found.update((a, b) if a < b else (b, a) for b in repeats.get(one.b, (one.b,)))
    return {(a, b) if a < b else (b, a) for a, b in found}


# --- Splink ---------------------------------------------------------------------------------------------------------


def splink_default(
    people: pa.Table, ready: Prepared, model: Model
) -> tuple[set[tuple[str, str]], dict[str, str]]:
    del ready, model
    import splink.comparison_library as cl
    from splink import block_on

    columns = {"unique_id": people["id"]}
    for name in people.column_names:
        if name == "strong":
            cards = [dict(held).get("loyalty_card") for held in people[name].to_pylist()]
            columns["loyalty_card"] = pa.array(cards, pa.string())
        elif name not in {"id", "gender", "state"} and people[name].null_count < len(people):
            text = pc.utf8_trim_whitespace(pc.utf8_lower(people[name]))
            columns[name] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    if (
        "birthday" in columns and len(columns["birthday"].drop_null()[0].as_py()) == 8
    ):  # yyyymmdd, as in FEBRL
        whole = columns["birthday"]
        parts = [pc.utf8_slice_codeunits(whole, a, b) for a, b in ((0, 4), (4, 6), (6, 8))]
        columns["birthday"] = pc.binary_join_element_wise(*parts, "-")
    makers: dict[str, Callable[[], Any]] = {
        "first_name": lambda: cl.NameComparison("first_name"),
        "last_name": lambda: cl.NameComparison("last_name"),
        "birthday": lambda: cl.LevenshteinAtThresholds("birthday", 1),
        "email": lambda: cl.EmailComparison("email"),
        "phone": lambda: cl.ExactMatch("phone"),
        "street": lambda: cl.JaroWinklerAtThresholds("street", [0.9]),
        "city": lambda: cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        "postcode": lambda: cl.ExactMatch("postcode"),
        "reference": lambda: cl.LevenshteinAtThresholds("reference", 1),
        "loyalty_card": lambda: cl.ExactMatch("loyalty_card"),
    }
    rules = [
        ("first_name", "last_name"), ("last_name", "birthday"), ("first_name", "birthday"), ("email",), ("phone",),
        ("postcode", "first_name"), ("postcode", "last_name"), ("reference",), ("loyalty_card",),
    ]  # fmt: skip
    have = [rule for rule in rules if set(rule) <= columns.keys()]
    ways = [("first_name", "last_name"), ("birthday",), ("email",)]
    return splinked(
        pa.table(columns),
        [make() for name, make in makers.items() if name in columns],
        [block_on(*rule) for rule in have],
        [block_on(*way) for way in ways if set(way) <= columns.keys()],
        [
            block_on(*rule)
            for rule in (("first_name", "last_name", "birthday"), ("email",))
            if set(rule) <= columns.keys()
        ],
        u_pairs=1e6,
    )


def splink_tuned(
    people: pa.Table, ready: Prepared, model: Model
) -> tuple[set[tuple[str, str]], dict[str, str]]:
    del people
    import splink.comparison_library as cl
    from splink import block_on

    filled = [name for name in ready.rows.column_names if ready.rows[name].null_count < len(ready)]
    columns = {"unique_id": pa.array(ready.ids), **{name: ready.rows[name] for name in filled}}
    if any(ready.strong):
        columns["loyalty_card"] = pa.array([held.get("loyalty_card") for held in ready.strong], pa.string())
    by_frequency = {"term_frequency_adjustments": True}
    makers: dict[str, Callable[[], Any]] = {
        "given": lambda: cl.JaroWinklerAtThresholds("given", [0.92, 0.8]).configure(**by_frequency),
        "last_name": lambda: cl.JaroWinklerAtThresholds("last_name", [0.92, 0.8]).configure(**by_frequency),
        "birthday": lambda: cl.DamerauLevenshteinAtThresholds("birthday", [1, 2]),
        "email": lambda: cl.EmailComparison("email").configure(**by_frequency),
        "phone": lambda: cl.LevenshteinAtThresholds("phone", 1).configure(**by_frequency),
        "address": lambda: cl.JaroWinklerAtThresholds("address", [0.95, 0.88]).configure(**by_frequency),
        "postcode": lambda: cl.LevenshteinAtThresholds("postcode", 1).configure(**by_frequency),
        "city": lambda: cl.ExactMatch("city").configure(**by_frequency),
        "reference": lambda: cl.DamerauLevenshteinAtThresholds("reference", [1, 2]),
        "loyalty_card": lambda: cl.ExactMatch("loyalty_card"),
    }  # fmt: skip
    rules: list[Any] = [rule_sql(rule) for rule in model.rules]
    if "loyalty_card" in columns:
        rules.append(block_on("loyalty_card"))
    ways = [("given", "last_name"), ("birthday",), ("email", "given"), ("phone", "given")]
    sure = (("given", "last_name", "birthday"), ("email", "given"), ("phone", "given"), ("reference",))
    return splinked(
        pa.table(columns),
        [make() for name, make in makers.items() if name in columns],
        rules,
        [block_on(*way) for way in ways if set(way) <= columns.keys()],
        [block_on(*rule) for rule in sure if set(rule) <= columns.keys()],
        u_pairs=1e7,
    )


def splinked(
    table: pa.Table,
    comparisons: list[Any],
    rules: list[Any],
    ways: list[Any],
    sure: list[Any],
    *,
    u_pairs: float,
) -> tuple[set[tuple[str, str]], dict[str, str]]:
    """Train, predict at one half, connected components: as Splink's tutorial does."""
    from splink import Linker, SettingsCreator

    engine = backend()
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=comparisons, blocking_rules_to_generate_predictions=rules,
        retain_matching_columns=False,
    )  # fmt: skip
    linker = Linker(engine.register(table, table_name="records"), settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=u_pairs, seed=1)
    for way in ways:
        linker.training.estimate_parameters_using_expectation_maximisation(way, max_pairs=1e6)
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=0.5
    )
    pairs = predicted.as_pyarrow_table()
    edges = {
        (a, b) if a < b else (b, a)
        for a, b in zip(pairs["unique_id_l"].to_pylist(), pairs["unique_id_r"].to_pylist(), strict=True)
    }
    found = clusters.as_pyarrow_table()
    return edges, dict(zip(found["unique_id"].to_pylist(), found["cluster_id"].to_pylist(), strict=True))


# --- new records, and one at a time ----------------------------------------------------------------------------------


def incremental(
    size: int, people: pa.Table, truth: dict[str, str], model: Model, *, linked_cpu: float
) -> list[dict]:
    """One in a hundred records is new; the others were linked yesterday."""
    chance = np.random.default_rng(3)
    late = np.zeros(size, dtype=bool)
    late[chance.choice(size, size // 100, replace=False)] = True
    yesterday = prepare(people.filter(pa.array(~late)), Keys("GB"))
    linked = link(yesterday, model, backend)
    wall, cpu = time.perf_counter(), time.process_time()
    fresh = prepare(people.filter(pa.array(late)), Keys("GB"), junk=yesterday.junk)
    later = link_again(yesterday, linked, fresh, model, backend)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = scores(pairs_of(later.linked), later.linked.person_of, truth)
    moved = sum(
        later.linked.person_of[record] != person
        for record, person in linked.person_of.items()
        if person not in later.touched
    )
    renamed = sum(
        later.linked.person_of[record] not in {person, later.linked.became.get(person)}
        for record, person in linked.person_of.items()
    )
    print(f"{'':8} 1 % new: {wall:.1f} s, {cpu:.1f} CPU s ({cpu / linked_cpu:.1%} of the whole); F1 after clustering "
          f"{found.clusters[2]:.4f}; {len(later.touched):,} persons looked at again, "
          f"{len(later.linked.became):,} merged, "
          f"{renamed:,} records left theirs; {moved:,} records of the others under another id")  # fmt: skip
    return [
        row(f"town {size:,}: 1 % new records", cpu, "CPU s", "lower", linked_cpu * 0.01, "all again", linked_cpu),
        row(f"town {size:,}: 1 % new, F1 of pairs after clustering", found.clusters[2], "share", "higher"),
        row(f"town {size:,}: records of untouched persons under another id", moved, "records", "lower", 0.0),
    ]  # fmt: skip


def live(size: int, ready: Prepared, model: Model, people: pa.Table) -> list[dict]:
    """Score single records of the index, as they are, against all others; preparing them is not counted."""
    cpu = time.process_time()
    index = LiveIndex(ready, model)
    built = time.process_time() - cpu
    chance = np.random.default_rng(5)
    asked = people.take(pa.array(chance.choice(size, min(size, 2_000), replace=False)))
    one_by_one = prepare(asked, Keys("GB"), junk=ready.junk)
    gc.collect()
    gc.freeze()
    took = []
    for place in range(len(one_by_one)):
        start = time.perf_counter()
        index.candidates(one_by_one, place=place)
        took.append((time.perf_counter() - start) * 1000)
    gc.unfreeze()
    p50, p99, worst = (float(np.percentile(took, q)) for q in (50, 99, 100))
    print(f"{'':8} live: p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms against {size:,} records; "
          f"index built in {built:.1f} CPU s")  # fmt: skip
    return [
        row(f"live scoring against {size:,}: p50", p50, "ms", "lower"),
        row(f"live scoring against {size:,}: p99", p99, "ms", "lower", LIVE_P99_MS),
    ]


if __name__ == "__main__":
    main()
