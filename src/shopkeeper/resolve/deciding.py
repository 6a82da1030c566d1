"""What people decide of identifiers: these two are one person's, these two are not, this one is not this customer's.

A decision is kept for ever, or until it is taken back, and stands above everything that is seen or believed. Nothing is
deleted by it: the events that were seen on both stay, and what was folded from them follows their identifiers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product
from typing import Final

from shopkeeper.domain.errors import Conflict, InvalidInput
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.graph import Change, recompute
from shopkeeper.resolve.view import Forest, Pair, pair_of
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.rows import Verdict

REVIEW: Final = "review"
UNLINK: Final = "unlink"
SPLIT: Final = "split"
"""Why a decision was made: words of the program's own."""
_MOST_PAIRS: Final = 5_000


def decide(
    tx: LedgerWriter, pairs: Sequence[Pair], *, same: bool, now: int, actor: str, why: str = REVIEW
) -> Change:
    """Keep a decision on some pairs of nodes and decide anew who they are.

    Raises Conflict where it contradicts what was decided of other pairs.
    """
    pairs = [pair_of(*pair) for pair in pairs]
    if any(a == b for a, b in pairs):
        raise InvalidInput("an identifier cannot be joined with or held apart from itself")
    _agree(tx, pairs, same=same)
    tx.decide([Verdict(a, b, same, now, actor, why) for a, b in pairs])
    return recompute(tx, {n for pair in pairs for n in pair}, afresh=around(tx, pairs), now=now, actor=actor)


def undecide(tx: LedgerWriter, pairs: Sequence[Pair], *, now: int, actor: str) -> Change:
    """Take decisions back: what was seen decides again."""
    pairs = [pair_of(*pair) for pair in pairs]
    looked_at = around(tx, pairs)  # before they are forgotten: who they had made one is looked at as well
    if not tx.undecide(pairs):
        raise InvalidInput(
            "nothing was decided of that pair", hint="look at the decisions of each identifier"
        )
    return recompute(tx, {n for pair in pairs for n in pair}, afresh=looked_at, now=now, actor=actor)


def decided_of(reader: LedgerReader, node: int) -> list[Pair]:
    """Every pair of an identifier and another one that somebody decided on. Raises InvalidInput where there is none."""
    pairs = [(verdict.a, verdict.b) for verdict in reader.verdicts([node])]
    if not pairs:
        raise InvalidInput(
            "nothing was decided of that identifier", hint="look at the decisions of another one"
        )
    return pairs


def unlinking(reader: LedgerReader, node: int) -> list[Pair]:
    """The pairs to hold apart so that an identifier leaves its customer. Raises InvalidInput where it is alone."""
    (member,) = reader.members([node])
    others = [m.node for m in reader.nodes_of([member.customer]) if m.node != node]
    apart = _people(reader, others) or _devices(reader, others)
    if not apart:
        raise InvalidInput(
            "that identifier is its customer's only one", hint="there is nothing to unlink it from"
        )
    return [(node, other) for other in apart[:_MOST_PAIRS]]


def splitting(reader: LedgerReader, customer: int, nodes: Collection[int]) -> list[Pair]:
    """The pairs to hold apart so that some identifiers of a customer leave together."""
    everybody = {m.node for m in reader.nodes_of([customer])}
    if strangers := set(nodes) - everybody:
        raise InvalidInput(
            f"{len(strangers)} of the identifiers are not that customer's",
            hint="look at the customer's identifiers",
        )
    stay = _people(reader, everybody - set(nodes)) or _devices(reader, everybody - set(nodes))
    go = sorted(nodes)
    if not stay or not go:
        raise InvalidInput(
            "a split leaves something on both sides", hint="name some of the identifiers, not all"
        )
    if len(stay) * len(go) > _MOST_PAIRS:
        raise InvalidInput(
            f"{len(go)} identifiers cannot be held apart from {len(stay)} others one by one",
            hint="unlink the few that are wrong",
        )
    return list(product(go, stay))


def _people(reader: LedgerReader, nodes: Collection[int]) -> list[int]:
    """Those nodes that name a person rather than a device or an order."""
    marks = reader.marks(sorted(nodes))
    return sorted(node for node, (kind, _) in marks.items() if not IDENTIFIER_KINDS[kind].session)


def _devices(reader: LedgerReader, nodes: Collection[int]) -> list[int]:
    """Those nodes that name a device: no order goes anywhere by itself."""
    marks = reader.marks(sorted(nodes))
    return sorted(node for node, (kind, _) in marks.items() if not IDENTIFIER_KINDS[kind].reference)


def around(tx: LedgerReader, pairs: Sequence[Pair]) -> set[int]:
    """The pairs' nodes, those made one with them, and their shared neighbours, which may be shared no more."""
    nodes = {n for pair in pairs for n in pair}
    new = set(nodes)
    while new:
        found = {n for v in tx.verdicts(sorted(new)) if v.same for n in (v.a, v.b)}
        new = found - nodes
        nodes |= found
    beside = {n for edge in tx.edges(sorted(nodes)) for n in (edge.a, edge.b)} - nodes
    return nodes | {m.node for m in tx.members(sorted(beside)) if m.shared}


def _agree(tx: LedgerReader, pairs: Sequence[Pair], *, same: bool) -> None:
    """Raise Conflict where decisions, these included, would both join and part somebody."""
    known: dict[Pair, bool] = {}
    nodes = {n for pair in pairs for n in pair}
    new = set(nodes)
    while new:
        verdicts = {(v.a, v.b): v.same for v in tx.verdicts(sorted(new))}
        known |= verdicts
        found = {n for pair, joined in verdicts.items() if joined for n in pair}
        new = found - nodes
        nodes |= found
    known |= dict.fromkeys(pairs, same)
    one = Forest()
    for (a, b), joined in known.items():
        if joined:
            one.join(a, b)
    against = sum(not joined and one.root(a) == one.root(b) for (a, b), joined in known.items())
    if against:
        raise Conflict(
            "that contradicts what was decided of other identifiers of theirs",
            hint="take the other decision back first (undecide)",
        )
