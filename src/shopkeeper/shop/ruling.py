"""Changes what holds for all identities, the rules and the values that name nobody: rehearsed first, then applied."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from shopkeeper import settings as table
from shopkeeper.collect.intake import Taking
from shopkeeper.domain.clock import instant
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.identity import JunkFound, Ruling, Worthless
from shopkeeper.domain.profile import IdentifierShown
from shopkeeper.domain.protocols import Progress
from shopkeeper.resolve.aside import LEARNED, learned, put_aside, speaks_of_people
from shopkeeper.resolve.graph import Change, recompute
from shopkeeper.resolve.rules import Rules, in_force, written
from shopkeeper.resolve.view import CLEARED
from shopkeeper.settings import Settings
from shopkeeper.shop.living import advance
from shopkeeper.shop.masking import Sees, seen
from shopkeeper.shop.naming import told
from shopkeeper.shop.places import Places
from shopkeeper.shop.reassigning import reassign
from shopkeeper.shop.rehearsing import done_or_rehearsed
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.rows import Edge

RULES: Final = "identity_rules"
"""Under which name the ledger keeps the rules in force."""
_CHUNK: Final = 5_000
_SHOWN: Final = 200
_STANDS: Final = 300.0
"""Seconds for which it is not rehearsed again what the same change of the rules would do."""


class Made(Struct):
    """What a change of the rules came to."""

    shared: int = 0
    freed: int = 0
    merged: int = 0
    split: int = 0
    events: int = 0


def wanted(settings: Settings) -> Rules:
    """The rules that a shop's settings ask for."""
    return Rules(
        most=settings.identity_most,
        a_day=settings.identity_most_a_day,
        size=settings.identity_size,
        silence_days=settings.identity_silence_days,
    )


def begin(places: Places) -> None:
    """A new shop lives by its settings from its first event on. Where no rules are kept, identities are from before
    there were any.
    """
    kept = written(wanted(places.settings))
    places.ledger.write(lambda tx: tx.keep(RULES, kept))


def _told(places: Places) -> Settings:
    """The settings as they are told now: a server that runs for weeks began with others."""
    return table.load(places.folder)


def rules(places: Places, *, apply: bool, lately: bool, actor: str) -> Ruling:
    """The rules in force and those that the settings ask for; what changing to these would do, or did."""
    advance(places)
    new = wanted(_told(places))
    with places.ledger.read() as reader:
        kept = reader.standing().rules
    old = in_force(kept)
    differs = kept is None or old != new
    made = Made()
    key = (written(old), written(new))
    known = _rehearsed(places, key) if lately and not apply else None
    if known is not None:
        made = known
    elif differs:

        def questioned(tx: LedgerReader) -> Collection[int]:
            return _questioned(tx, in_force(tx.standing().rules), new)

        def decide(tx: LedgerWriter, there: Sequence[int]) -> Change:
            tx.keep(RULES, written(new))
            return recompute(tx, there, afresh=there, now=places.now(), actor=actor)

        made = _change(places, questioned, decide, apply=apply)
        # Rehearsing holds whoever writes: the page is opened more often than anything of it changes.
        places.rehearsed = None if apply else (key, time.monotonic() + _STANDS, made)
    return Ruling(
        in_force=_flat(old),
        wanted=_flat(new),
        applied=apply and differs,
        shared=made.shared,
        freed=made.freed,
        merged=made.merged,
        split=made.split,
        events=made.events,
    )


def _rehearsed(places: Places, key: tuple[str, str]) -> Made | None:
    """What this very change would have done lately."""
    if places.rehearsed is None or places.rehearsed[0] != key or time.monotonic() > places.rehearsed[1]:
        return None
    found: Made = places.rehearsed[2]
    return found


def junk(places: Places, *, apply: bool, actor: str, sees: Sees, progress: Progress | None) -> JunkFound:
    """Values that people of very many family names share, and those that came back; set aside where ``apply``."""
    advance(places)
    with places.ledger.read() as reader:
        names = _names(places, reader, progress)
        known = reader.asides()
        new, back = learned(names, known, _told(places).identity_junk_names)
        rows = tuple(_worthless(places, reader, new, back, sees))
    made = Made()
    if new or back:

        def decide(tx: LedgerWriter, there: Sequence[int]) -> Change:
            chosen = {node: new[node] for node in there if node in new}
            gone = [node for node in there if node in back]
            return put_aside(tx, chosen, gone, now=places.now(), actor=actor, why=LEARNED)

        made = _change(places, lambda _: [*new, *back], decide, apply=apply)
    return JunkFound(
        rows=rows,
        known=sum(one.why != CLEARED for one in known) - len(back),
        applied=apply and bool(new or back),
        merged=made.merged,
        split=made.split,
        events=made.events,
    )


def _change(
    places: Places,
    questioned: Callable[[LedgerReader], Collection[int]],
    decide: Callable[[LedgerWriter, Sequence[int]], Change],
    *,
    apply: bool,
) -> Made:
    """Let the graph decide anew of the nodes in question, in one transaction; taken back unless it is to be applied."""

    def work(tx: LedgerWriter, taking: list[Taking]) -> Made:
        # Within the transaction: who is shared since a moment ago is in question as well, who was erased is not.
        there = sorted(tx.marks(sorted(questioned(tx))))
        before = {m.node for m in tx.members(there) if m.shared}
        made = Made()
        if apply:
            done = reassign(places, tx, there, lambda: decide(tx, there), places.now())
            change, made.events = done.change, done.events
            if done.taking is not None:
                taking.append(done.taking)
        else:
            change = decide(tx, there)
        after = {m.node for m in tx.members(there) if m.shared}
        made.shared, made.freed = len(after - before), len(before - after)
        made.merged = sum(turn.kind == "merge" for turn in change.turned)
        made.split = sum(turn.kind == "split" for turn in change.turned)
        return made

    return done_or_rehearsed(places, work, rehearse=not apply)


def _questioned(reader: LedgerReader, old: Rules, new: Rules) -> set[int]:
    """Nodes of which other rules may say otherwise: those that count as shared, those that would, numbers that moved,
    and those whose customers have too many identifiers now, or were kept apart and need not be.
    """
    found: set[int] = set()
    for chunk in reader.manifold(min(old.least(), new.least())):
        known = {m.node: m.shared for m in reader.members(chunk)}
        found |= {node for node, shared in known.items() if shared}
        found |= reader.moved(chunk).keys()
        found |= _crowded(reader, [node for node, shared in known.items() if not shared], new)
    if new.size < old.size:
        kinds = [kind.name for kind in IDENTIFIER_KINDS.values() if not kind.session]
        found |= {m.node for m in reader.nodes_of(reader.larger(kinds, new.size))}
    if new.size > old.size:
        found |= {node for pair in reader.separated() for node in pair}
    return found


def _crowded(reader: LedgerReader, nodes: Sequence[int], new: Rules) -> set[int]:
    wanted = set(nodes)
    beside: dict[int, list[tuple[int, Edge]]] = defaultdict(list)
    for edge in reader.edges(nodes):
        for node, other in ((edge.a, edge.b), (edge.b, edge.a)):
            if node in wanted:
                beside[node].append((other, edge))
    marks = reader.marks(sorted(wanted | {other for ends in beside.values() for other, _ in ends}))
    found = set()
    for node, ends in beside.items():
        times: dict[str, list[int]] = defaultdict(list)
        for other, edge in ends:
            if other in marks and not IDENTIFIER_KINDS[marks[other][0]].reference:
                times[marks[other][0]].append(edge.occurred_at)
        if any(new.crowd(marks[node][0], kind, seen_at) for kind, seen_at in times.items()):
            found.add(node)
    return found


def _names(places: Places, reader: LedgerReader, progress: Progress | None) -> dict[int, int]:
    """By node: how many different family names (by sound) were told on it or beside it; those with one are left out."""
    from shopkeeper.resolve.linkage.spelling import name, sound

    first: dict[int, str] = {}
    more: dict[int, set[str]] = {}
    total, done = max(1, reader.counts()["nodes"]), 0
    for chunk in reader.all_members():
        for nodes in _pieces([node for node, _, kind, _ in chunk if not IDENTIFIER_KINDS[kind].reference]):
            sounds = {
                node: heard
                for node, values in told(places, reader, nodes).items()
                if (heard := sound(name(values.get("last_name"))))
            }
            for node, heard in _spoken(reader, sounds):
                before = first.setdefault(node, heard)
                if before != heard:
                    more.setdefault(node, {before}).add(heard)
        done += len(chunk)
        if progress:
            progress("names", min(1.0, done / total))
    kinds = reader.marks(sorted(more))
    return {n: len(heard) for n, heard in more.items() if n in kinds and speaks_of_people(kinds[n][0])}


def _spoken(reader: LedgerReader, sounds: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    yield from sounds.items()
    for edge in reader.edges(sorted(sounds)):
        for node, other in ((edge.a, edge.b), (edge.b, edge.a)):
            if node in sounds:
                yield other, sounds[node]


def _pieces(nodes: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(nodes), _CHUNK):
        yield list(nodes[start : start + _CHUNK])


def _worthless(
    places: Places, reader: LedgerReader, new: Mapping[int, int], back: Mapping[int, int], sees: Sees
) -> Iterator[Worthless]:
    """The first of them, as they are shown: the most names first."""
    ranked = sorted([*new.items(), *back.items()], key=lambda one: (-one[1], one[0]))[:_SHOWN]
    rows = {row.node: row for row in reader.identifiers([node for node, _ in ranked])}
    for node, names in ranked:
        row = rows[node]
        value = seen(row.kind, str(places.vault.unseal(row.salt, row.sealed)), sees)
        shown = IdentifierShown(row.kind, value, instant(row.first_seen))
        yield Worthless(identifier=shown, reference=f"node:{node}", names=names, back=node in back)


def _flat(rules: Rules) -> dict[str, int]:
    """Every limit by name.

    >>> _flat(Rules(most={"email": 3}))["most.email"], _flat(Rules())["size"]
    (3, 100)
    """
    kinds: Collection[str] = [k.name for k in IDENTIFIER_KINDS.values() if not k.reference]
    flat = {f"most.{kind}": rules.most.get(kind, IDENTIFIER_KINDS[kind].most) for kind in kinds}
    flat |= {f"a_day.{kind}": rules.a_day.get(kind, IDENTIFIER_KINDS[kind].a_day) for kind in kinds}
    whole = msgspec.structs.asdict(rules)
    return flat | {"size": whole["size"], "silence_days": whole["silence_days"]}
