"""Settles who is who by a person's word: joins, parts, unlinks, splits; folds anew and carries withdrawals along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shopkeeper.collect.intake import Taking
from shopkeeper.domain.errors import InvalidInput, NotFound, UnknownName
from shopkeeper.domain.identity import SETTLEMENTS, Settle, Settlement, Turned
from shopkeeper.resolve.aside import SAID, put_aside, restore
from shopkeeper.resolve.deciding import SPLIT, UNLINK, decide, decided_of, splitting, undecide, unlinking
from shopkeeper.resolve.graph import Change
from shopkeeper.resolve.view import pair_of
from shopkeeper.shop.living import advance
from shopkeeper.shop.places import Places
from shopkeeper.shop.reassigning import Reassigned, reassign, strongest
from shopkeeper.shop.rehearsing import done_or_rehearsed
from shopkeeper.shop.showing import CUSTOMER, named, resolve
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter

_COUNTS: Final = {"same": (2, 2), "different": (2, 2), "undecide": (1, 2), "leave": (1, 2), "split": (1, 100)}


def settle(places: Places, ask: Settle, actor: str) -> Settlement:
    """Settle something, or say what that would do."""
    _sensible(ask)
    advance(places)  # what was heard before counts as known
    return done_or_rehearsed(
        places, lambda tx, taking: _settled(places, tx, ask, actor, taking), rehearse=ask.dry_run
    )


def node_of(places: Places, reader: LedgerReader, text: str) -> int:
    """The identifier that is meant: ``kind:value``, bare, ``node:7`` as the review list names it, or a customer's id,
    which means that customer's strongest identifier. Raises NotFound; and Conflict where a text is one customer's id
    and what another one's browser calls itself.
    """
    text = text.strip()
    kind, _, value = text.partition(":")
    if kind == "node" and value.isascii() and value.isdigit() and len(value) < 19:
        node = int(value)
        if reader.members([node]):
            return node
        raise NotFound("there is no such identifier any more")
    if CUSTOMER.fullmatch(text):
        return strongest(reader, resolve(places, reader, text, for_ever=True))
    found = named(places, reader, text)
    # an address that nobody wrote yet finds the customer of its mailbox, but there is nothing to decide on
    return strongest(reader, resolve(places, reader, text, written=True)) if found is None else found.node


def _sensible(ask: Settle) -> None:
    if ask.what not in SETTLEMENTS:
        raise UnknownName("settlement", ask.what, SETTLEMENTS)
    low, high = _COUNTS.get(ask.what, (1, 1))
    if not low <= len(ask.identifiers) <= high:
        wanted = f"{low}" if low == high else f"{low} or {high}" if high == low + 1 else f"{low} to {high}"
        raise InvalidInput(f"{ask.what!r} takes {wanted} identifiers, not {len(ask.identifiers)}")
    if ask.what == "split" and not ask.customer:
        raise InvalidInput("a split needs the customer", hint="say whose identifiers leave")


def _settled(places: Places, tx: LedgerWriter, ask: Settle, actor: str, taking: list[Taking]) -> Settlement:
    nodes = [node_of(places, tx, text) for text in ask.identifiers]
    now = places.now()
    made = Reassigned(Change())
    if ask.what == "leave":
        for node in nodes:
            tx.looked_at(node, now, actor)
    else:
        undone = decided_of(tx, nodes[0]) if ask.what == "undecide" and len(nodes) == 1 else []
        touched = {*nodes, *(n for pair in undone for n in pair)}
        made = reassign(places, tx, touched, lambda: _decided(places, tx, ask, nodes, now, actor), now)
    if made.taking is not None:
        taking.append(made.taking)
    turned = made.change.turned
    return Settlement(
        what=ask.what,
        customers=tuple(
            f"c{m.customer}" for m in sorted(tx.members(nodes), key=lambda m: nodes.index(m.node))
        ),
        turned=tuple(Turned(kind=t.kind, customer=f"c{t.customer}", other=f"c{t.other}") for t in turned),
        events=made.events,
        carried=made.carried,
        dry_run=ask.dry_run,
    )


def _decided(
    places: Places, tx: LedgerWriter, ask: Settle, nodes: Sequence[int], now: int, actor: str
) -> Change:
    if ask.what in ("same", "different", "undecide") and len(nodes) == 2 and nodes[0] == nodes[1]:
        raise InvalidInput("both are the same identifier", hint="name two different ones")
    match ask.what:
        case "undecide":
            pairs = [pair_of(*nodes)] if len(nodes) == 2 else decided_of(tx, nodes[0])
            return undecide(tx, pairs, now=now, actor=actor)
        case "unlink":
            return decide(tx, unlinking(tx, nodes[0]), same=False, now=now, actor=actor, why=UNLINK)
        case "set_aside":
            return put_aside(tx, {nodes[0]: 0}, [], now=now, actor=actor, why=SAID)
        case "restore":
            return restore(tx, nodes[0], now=now, actor=actor)
        case "split":
            pairs = splitting(tx, resolve(places, tx, ask.customer, for_ever=True), nodes)
            return decide(tx, pairs, same=False, now=now, actor=actor, why=SPLIT)
        case _:
            return decide(tx, [pair_of(*nodes)], same=ask.what == "same", now=now, actor=actor)
