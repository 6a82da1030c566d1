"""Identifiers that name nobody: set aside by a person's word, or because very many family names share the value.

What is learned is global: one value more may part many customers. So it takes twice as many names to set a value aside
as to leave it there, and a rehearsal comes first. What a person said is never changed by what was learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.deciding import around
from shopkeeper.resolve.graph import Change, recompute
from shopkeeper.resolve.view import CLEARED
from shopkeeper.stores.contract.ledger import LedgerWriter
from shopkeeper.stores.contract.limits import Aside

LEARNED: Final = "names"
"""Why something is set aside that nobody decided on."""
SAID: Final = "review"


def speaks_of_people(kind: str) -> bool:
    """Whether different family names on an identifier of this kind say that it names nobody.

    An account or a device has its owner whatever was typed there.

    >>> speaks_of_people("phone"), speaks_of_people("user_id"), speaks_of_people("anonymous_id")
    (True, False, False)
    """
    known = IDENTIFIER_KINDS[kind]
    return not (known.exclusive or known.session or known.reference)


def learned(
    names: Mapping[int, int], known: Iterable[Aside], most: int
) -> tuple[dict[int, int], dict[int, int]]:
    """Nodes to set aside and those to take back, each with how many family names it has now.

    ``names``: distinct family names by node, of nodes that ``speaks_of_people``; ``known``: what is set aside or was
    cleared; ``most``: names from which on a value is set aside. It comes back below half of that.

    >>> learned({1: 9, 2: 5, 3: 3}, [Aside(2, 0, "", LEARNED, 9), Aside(3, 0, "", LEARNED, 9)], 8)
    ({1: 9}, {3: 3})
    """
    kept = {one.node: one for one in known}
    new = {node: count for node, count in sorted(names.items()) if count >= most and node not in kept}
    back = {
        node: names.get(node, 0)
        for node, one in kept.items()
        if one.why == LEARNED and 2 * names.get(node, 0) < most
    }
    return new, back


def put_aside(
    tx: LedgerWriter, nodes: Mapping[int, int], back: Sequence[int], *, now: int, actor: str, why: str
) -> Change:
    """Set nodes aside (with the names that were counted), take others back, and decide anew who everybody is."""
    touched = {*nodes, *back}
    if why == SAID and nodes:  # a person's earlier word that it is somebody's goes with this one
        pairs = [(v.a, v.b) for v in tx.verdicts(sorted(nodes)) if v.same]
        touched |= {n for pair in pairs for n in pair}
        tx.undecide(pairs)
    afresh = around(tx, [(node, node) for node in sorted(touched)])
    tx.set_aside([Aside(node, now, actor, why, names) for node, names in sorted(nodes.items())])
    tx.take_back(back)
    return recompute(tx, touched, afresh=afresh, now=now, actor=actor)


def restore(tx: LedgerWriter, node: int, *, now: int, actor: str) -> Change:
    """Take back that a node names nobody, for good: it is not learned again."""
    if all(one.why == CLEARED for one in tx.asides([node])):
        raise InvalidInput("that identifier was not set aside", hint="see why with 'identity why'")
    return put_aside(tx, {node: 0}, [], now=now, actor=actor, why=CLEARED)
