"""Links people by what they told of themselves: names, birth dates, addresses. Trained on the shop's own records.

A record is an identifier on which somebody was identified, with the latest of what was told there and the e-mail
address and telephone number seen with it. Pairs that the model believes in become likenesses of two identifiers, and
the graph decides: below everything that was seen, and against every guard. Names are opened in memory only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from shopkeeper.collect.intake import Taking
from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.protocols import Progress
from shopkeeper.know.fold import unpack
from shopkeeper.resolve.graph import Change, recompute
from shopkeeper.shop.living import advance
from shopkeeper.shop.naming import told
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.shop.reassigning import reassign
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.rows import Likeness

LEAST: Final = 0.0
"""Bits from which on two records are taken for one person: a chance of one half, as in the benchmark."""
MODEL: Final = "linkage.json"
"""The model in the shop's folder of models."""
FREQUENCIES: Final = "linkage-frequencies.npz"
"""How frequent values are, under keyed hashes: see ``resolve.linkage.frequencies``."""
_CHUNK: Final = 5_000
_PAIRS_AT_ONCE: Final = 1_000
"""Likenesses decided in one transaction: live work waits no longer than that takes."""
_TOLD: Final = ("first_name", "last_name", "birthday", "street", "city", "postcode", "state", "gender")
_Pair = tuple[int, int]


class LinkedUp(Struct, frozen=True, kw_only=True):
    """What linking did."""

    records: int
    compared: int
    """Records that were compared with all others: all of them, or those told since the last time."""
    likenesses: int
    """Pairs that the model believes to be one person's, of all records."""
    merged: int
    """Customers that became part of another."""
    split: int
    """Customers that came apart, since the model believes it no longer."""
    trained: bool


def link_people(places: Places, progress: Progress | None = None, *, full: bool = False) -> LinkedUp:
    """Link what was told since the last time; ``full`` trains the model anew and links everybody.

    Raises InvalidInput where there is too little to learn from.
    """
    from shopkeeper.resolve.linkage import Frequencies, Model, link, prepare, train
    from shopkeeper.stores.lake.linkage import splink_backend

    advance(places, progress)
    say = progress or (lambda _step, _done: None)
    file = places.folder / "models" / MODEL
    full = full or not file.exists()
    say("link", 0.0)
    with places.ledger.read() as reader:
        end = int(reader.setting("last_seq") or 0)
        since = 0 if full else int(reader.setting("linked_seq") or 0)
        people = list(people_of(places, reader))
        fresh = set() if full else told_since(reader, since)
        known = {(one.a, one.b): one for chunk in reader.all_likenesses() for one in chunk}
        apart = _held_apart(reader, [int(person["id"]) for person in people])
        customer_of = {m.node: m.customer for m in _members(reader, [int(p["id"]) for p in people])}
    if not full and not fresh:
        places.ledger.write(lambda tx: tx.keep("linked_seq", str(end)))  # not to be looked through again
        return _none(len(people), len(known))
    say("link", 0.2)
    if full:
        ready = prepare(table_of(people), places.keys)
        try:
            model = train(ready, splink_backend)
        except InvalidInput as error:
            raise InvalidInput(
                f"the people of this shop cannot be linked yet: {error.message}", hint=error.hint
            ) from None
        file.parent.mkdir(parents=True, exist_ok=True)
        model.save(file)
        say("link", 0.5)
        linked = link(ready, model, splink_backend, never=apart, least=LEAST)
        wanted = _believed(linked, ready, model)
    else:
        model = Model.load(file)
        wanted, ready = _again(places, people, fresh, model, known, customer_of, apart)
    Frequencies.of(ready, model, places.vault.pseudonym).save(file.with_name(FREQUENCIES))
    say("link", 0.8)
    merged, split = _decide(places, known, wanted, f"{model.records} records", end, say)
    return LinkedUp(
        records=len(people),
        compared=len(people) if full else len(fresh & {int(p["id"]) for p in people}),
        likenesses=len(wanted),
        merged=merged,
        split=split,
        trained=full,
    )


def _none(records: int, likenesses: int) -> LinkedUp:
    return LinkedUp(records=records, compared=0, likenesses=likenesses, merged=0, split=0, trained=False)


def people_of(places: Places, reader: LedgerReader) -> Iterator[dict[str, Any]]:
    """Everybody's records, opened."""
    for chunk in reader.all_members():
        for start in range(0, len(chunk), _CHUNK):
            nodes = [
                node
                for node, _, kind, _ in chunk[start : start + _CHUNK]
                if not IDENTIFIER_KINDS[kind].reference
            ]
            yield from records_of(places, reader, nodes)


def records_of(places: Places, reader: LedgerReader, nodes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What was told on some nodes, opened: one record a node on which somebody was identified."""
    values = told(places, reader, nodes)
    if not values:
        return
    beside: dict[int, list[int]] = {node: [node] for node in values}
    for edge in reader.edges(list(values)):
        for node, other in ((edge.a, edge.b), (edge.b, edge.a)):
            if node in beside:
                beside[node].append(other)
    wanted = {n for ends in beside.values() for n in ends}
    kinds = {
        n: kind
        for n, (kind, _) in reader.marks(list(wanted)).items()
        if kind in ("email", "phone", "user_id")
    }
    opened = {
        row.node: str(places.vault.unseal(row.salt, row.sealed)) for row in reader.identifiers(list(kinds))
    }
    for node, said in values.items():
        record: dict[str, Any] = {"id": str(node), **{name: said.get(name) for name in _TOLD}}
        for name in ("email", "phone"):
            seen = [opened[n] for n in beside[node] if kinds.get(n) == name]
            record[name] = said.get(name) or (seen[0] if seen else None)
        accounts = {opened[n] for n in beside[node] if kinds.get(n) == "user_id"}
        record["strong"] = [("user_id", accounts.pop())] if len(accounts) == 1 else []
        yield record


def table_of(people: Sequence[dict[str, Any]]) -> Any:
    """Records as linkage takes them in."""
    import pyarrow as pa

    from shopkeeper.resolve.linkage import SCHEMA

    columns = [name for name in SCHEMA.names if name != "reference"]
    return pa.Table.from_pylist(people, schema=pa.schema([SCHEMA.field(name) for name in columns]))


def told_since(reader: LedgerReader, since: int) -> set[int]:
    """Nodes on which somebody was identified after a place in the log."""
    found: set[int] = set()
    while rows := reader.observed_after(since, 50_000):
        found |= {row.node for row in rows if row.name == "Identified"}
        since = rows[-1].seq
    return found


def _held_apart(reader: LedgerReader, nodes: Sequence[int]) -> list[tuple[str, str]]:
    if not reader.standing().verdicts:
        return []
    wanted = set(nodes)
    verdicts = {
        v for start in range(0, len(nodes), _CHUNK) for v in reader.verdicts(nodes[start : start + _CHUNK])
    }
    return sorted((str(v.a), str(v.b)) for v in verdicts if not v.same and {v.a, v.b} <= wanted)


def _members(reader: LedgerReader, nodes: Sequence[int]) -> Iterator[Any]:
    for start in range(0, len(nodes), _CHUNK):
        yield from reader.members(nodes[start : start + _CHUNK])


def _believed(linked: Any, ready: Any, model: Any) -> dict[_Pair, float]:
    """Pairs to believe in: those that were joined, and those that nothing but two accounts kept apart, which the graph
    keeps apart as well and people settle.
    """
    from shopkeeper.resolve.linkage import Facing, conflict, guard_of

    person, guard, facts = linked.person_of, guard_of(model), Facing(ready)

    def only_accounts(refusal: Any) -> bool:
        one, other = (facts(end)._replace(strong={}) for end in (refusal.link.a, refusal.link.b))
        return refusal.reason == "user_id" and conflict(one, other, guard) is None

    for_people = {(refusal.link.a, refusal.link.b) for refusal in linked.refused if only_accounts(refusal)}
    found: dict[_Pair, float] = {}
    for one in linked.links:
        if one.weight >= LEAST and (person[one.a] == person[one.b] or (one.a, one.b) in for_people):
            a, b = sorted((int(one.a), int(one.b)))
            found[a, b] = max(found.get((a, b), one.weight), one.weight)
    return found


def _again(
    places: Places,
    people: Sequence[dict[str, Any]],
    fresh: set[int],
    model: Any,
    known: dict[_Pair, Likeness],
    customer_of: dict[int, int],
    apart: Sequence[tuple[str, str]],
) -> tuple[dict[_Pair, float], Any]:
    """What to believe in when only some records were told anew, and everybody's records, prepared."""
    from shopkeeper.resolve.linkage import Link, Linked, learn_junk, link_again, prepare, spelled
    from shopkeeper.stores.lake.linkage import splink_backend

    _, rows, strong = spelled(table_of(people), places.keys)
    junk = learn_junk(rows, strong)
    old = [person for person in people if int(person["id"]) not in fresh]
    before = prepare(table_of(old), places.keys, junk=junk)
    later = prepare(table_of([p for p in people if int(p["id"]) in fresh]), places.keys, junk=junk)
    stay = {int(person["id"]) for person in old}
    first: dict[int, str] = {}
    person_of = {str(n): first.setdefault(customer_of.get(n, -n), str(n)) for n in sorted(stay)}
    links = [Link(str(a), str(b), k.weight) for (a, b), k in known.items() if {a, b} <= stay]
    made = link_again(
        before, Linked(person_of, links, []), later, model, splink_backend, never=apart, least=LEAST
    )
    wanted = {pair: k.weight for pair, k in known.items() if set(pair) <= stay}
    found = _believed(made.linked, made.ready, model)
    return wanted | {pair: w for pair, w in found.items() if not set(pair) <= stay}, made.ready


def _decide(
    places: Places,
    known: dict[_Pair, Likeness],
    wanted: dict[_Pair, float],
    model: str,
    end: int,
    say: Progress,
) -> tuple[int, int]:
    """Keep what is believed, forget what is not any more, and let the graph decide; returns merges and splits."""
    now = places.now()
    gone = sorted(known.keys() - wanted.keys())
    new = sorted(pair for pair, weight in wanted.items() if pair not in known or known[pair].weight != weight)
    merged = split = 0
    pieces: list[tuple[list[_Pair], bool]] = [(piece, False) for piece in _pieces(gone)]
    pieces += [(piece, True) for piece in _pieces(new)]
    for number, (piece, believed) in enumerate(pieces):

        def work(
            tx: LedgerWriter, piece: list[_Pair] = piece, *, believed: bool = believed
        ) -> tuple[list[str], Taking | None]:
            pairs = _usable(tx, piece) if believed else piece
            nodes = {n for pair in pairs for n in pair}

            def decide() -> Change:
                if believed:
                    tx.liken([Likeness(*pair, wanted[pair], model, now) for pair in pairs])
                else:
                    tx.unliken(pairs)
                return recompute(tx, nodes, now=now)

            made = reassign(places, tx, nodes, decide, now)
            return [turn.kind for turn in made.change.turned], made.taking

        with without_collecting():
            kinds, taking = places.ledger.write(work)
        if taking is not None:
            taking.keep()
        merged, split = merged + kinds.count("merge"), split + kinds.count("split")
        say("link", 0.8 + 0.2 * (number + 1) / len(pieces))
    places.ledger.write(lambda tx: tx.keep("linked_seq", str(end)))
    advance(places)
    return merged, split


def _usable(tx: LedgerReader, pairs: Sequence[_Pair]) -> list[_Pair]:
    """Pairs of which nobody was erased meanwhile, and nobody objects to what is concluded of them."""
    nodes = sorted({n for pair in pairs for n in pair})
    there = tx.marks(nodes)
    whose = {m.node: m.customer for m in tx.members(nodes)}
    against = {row.customer for row in tx.records(sorted(set(whose.values()))) if objects(unpack(row.body))}
    return [p for p in pairs if all(n in there and whose.get(n) not in against for n in p)]


def _pieces(pairs: Sequence[_Pair]) -> Iterable[list[_Pair]]:
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        yield list(pairs[start : start + _PAIRS_AT_ONCE])
