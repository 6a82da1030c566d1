"""Shows who is who and why: explanations, the audit of merges and splits, and the list of what needs a look."""

from __future__ import annotations

from collections.abc import Iterable

from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.identity import (
    GUARDS,
    Explanation,
    Reason,
    Step,
    TurnShown,
    Waterfall,
)
from shopkeeper.domain.profile import IdentifierShown
from shopkeeper.resolve import explaining
from shopkeeper.resolve.union import LIKELY
from shopkeeper.resolve.view import DECIDED
from shopkeeper.shop import weighing
from shopkeeper.shop.masking import Sees, seen
from shopkeeper.shop.places import Places
from shopkeeper.shop.settling import node_of
from shopkeeper.shop.showing import resolve
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Edge


def explain(places: Places, one: str, other: str, *, sees: Sees) -> Explanation:
    """Why two identifiers are one customer's, or why not."""
    with places.ledger.read() as reader:
        a, b = node_of(places, reader, one), node_of(places, reader, other)
        if a == b:
            raise InvalidInput("both are the same identifier", hint="name two different ones")
        answer = explaining.explain(reader, a, b)
        whose = {m.node: m.customer for m in reader.members([a, b])}
        about = (
            {a, b}
            | {n for e in answer.path for n in (e.a, e.b)}
            | {n for r in answer.reasons for n in r.nodes}
        )
        shown = shown_of_nodes(places, reader, about, sees)
        steps, here = [], a
        for edge in answer.path:
            there = edge.b if edge.a == here else edge.a
            steps.append(_step(places, reader, edge, here, there, shown))
            here = there
        reasons = tuple(
            Reason(
                guard=r.guard,
                sentence=GUARDS[r.guard],
                about=tuple(shown[n] for n in r.nodes if n in shown),
                references=tuple(f"node:{n}" for n in r.nodes if n in shown),
                of_kind=r.of_kind,
                count=r.count,
            )
            for r in answer.reasons
        )
        likeness = None if answer.one else _likeness(places, reader, whose[a], whose[b], sees)
    return Explanation(
        one=answer.one,
        customers=(f"c{whose[a]}", f"c{whose[b]}"),
        asked=(shown[a], shown[b]),
        references=(f"node:{a}", f"node:{b}"),
        steps=tuple(steps),
        reasons=reasons,
        likeness=likeness,
    )


def _likeness(places: Places, reader: LedgerReader, one: int, other: int, sees: Sees) -> Waterfall | None:
    """What the model says of two customers."""
    nodes = weighing.comparable(reader, one, other) if one != other else None
    if nodes is None:
        return None
    found = weighing.weigh(
        places, reader, *nodes, shown_of_nodes(places, reader, {*nodes[0], *nodes[1]}, sees)
    )
    return found[0] if found else None


def _step(
    places: Places,
    reader: LedgerReader,
    edge: Edge,
    here: int,
    there: int,
    shown: dict[int, IdentifierShown],
) -> Step:
    waterfall: Waterfall | None = None
    source, by, weight, why, at = "", "", None, edge.why, edge.occurred_at
    if edge.why == DECIDED and not edge.seq:
        by = next((v.actor for v in reader.verdicts([edge.a]) if (v.a, v.b) == (edge.a, edge.b)), "")
    elif edge.why == LIKELY and not edge.seq:
        found = next((x for x in reader.likenesses([edge.a]) if (x.a, x.b) == (edge.a, edge.b)), None)
        if found is not None:
            weight, source = round(found.weight, 2), found.model
            weighed = weighing.weigh(places, reader, [here], [there], shown, believed=found.weight)
            waterfall = weighed[0] if weighed else None
    elif logged := reader.log_after(edge.seq - 1, 1):
        source = logged[0].source if logged[0].seq == edge.seq else ""
    return Step(
        one=shown[here],
        other=shown[there],
        why=why,
        at=instant(at),
        source=source,
        by=by,
        weight=weight,
        waterfall=waterfall,
        references=(f"node:{here}", f"node:{there}"),
    )


def turns(
    places: Places, who: str | None, cursor: int | None, limit: int, *, sees: Sees
) -> tuple[str, tuple[TurnShown, ...]]:
    """Whose turns these are (empty for everybody's), and merges and splits, latest first."""
    if not 1 <= limit <= 500:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 500")
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who) if who else None
        rows = reader.turns([] if customer is None else [customer], cursor, limit)
        shown = shown_of_nodes(places, reader, {n for row in rows for n in (row.a, row.b) if n}, sees)
    return "" if customer is None else f"c{customer}", tuple(
        TurnShown(
            number=row.id,
            at=instant(row.at),
            kind=row.kind,
            customer=f"c{row.customer}",
            other=f"c{row.other}",
            why=row.why,
            about=tuple(shown[n] for n in (row.a, row.b) if n in shown),
            by=row.actor,
        )
        for row in rows
    )


def shown_of_nodes(
    places: Places, reader: LedgerReader, nodes: Iterable[int], sees: Sees
) -> dict[int, IdentifierShown]:
    """Some identifiers as somebody may see them, by node."""
    return {
        row.node: IdentifierShown(
            row.kind,
            seen(row.kind, str(places.vault.unseal(row.salt, row.sealed)), sees),
            instant(row.first_seen),
        )
        for row in reader.identifiers(sorted(set(nodes)))
    }
