"""Weighs two people's records by the saved model, in process: the waterfall of the evidence that they are one person.

Only the records in question are opened, at that moment and in memory. What else the weights need, how frequent a value
is and which are junk, is kept beside the model under keyed hashes. A waterfall holds levels and bits, no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from shopkeeper.domain.customer import objects
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.identity import Compared, Waterfall, odds, sentence_against
from shopkeeper.domain.profile import IdentifierShown
from shopkeeper.know.fold import unpack
from shopkeeper.shop.linking import FREQUENCIES, MODEL, records_of, table_of
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader

RECORDS: Final = 24
"""Records of one customer that are compared with another's, of the strongest identifiers."""
_RULES: Final = {
    1000.0: "the two records say exactly the same, and who it is",
    30.0: "both hold one account",
}
"""Weights of links that no model weighed (``resolve.linkage.link``)."""


class Kept(NamedTuple):
    """The saved model with what two records alone are weighed by."""

    written: tuple[int, int]
    """When the model's two files were written: others make it another model."""
    model: Any
    told: Any
    weights: Any


class _Row(NamedTuple):
    node: int
    values: Any
    strong: dict[str, str]


def kept(places: Places) -> Kept | None:
    """The saved model, read again only when it was written anew; None where people were never linked here."""
    from shopkeeper.resolve.linkage import Frequencies, Model, Weights

    folder = places.folder / "models"
    file, beside = folder / MODEL, folder / FREQUENCIES
    if not file.exists():
        return None
    written = file.stat().st_mtime_ns, beside.stat().st_mtime_ns if beside.exists() else 0
    known = places.weighed_by
    if isinstance(known, Kept) and known.written == written:
        return known
    model = Model.load(file)
    told = Frequencies.load(beside, places.vault.pseudonym)
    if told is None or told.model != model.checksum():
        told = Frequencies(model.checksum(), {}, {}, (), places.vault.pseudonym)  # linking writes it anew
    found = Kept(written, model, told, Weights(model, told.share))
    places.weighed_by = found
    return found


def weigh(
    places: Places,
    reader: LedgerReader,
    ones: Iterable[int],
    others: Iterable[int],
    shown: dict[int, IdentifierShown],
    *,
    believed: float | None = None,
) -> tuple[Waterfall, int, int] | None:
    """The waterfall of the two records most alike, of those told on some nodes and on some others, and their nodes.

    ``believed`` is the weight that linkage found, if it did. None where there is no model, or nothing was told.
    """
    known = kept(places)
    ones, others = list(ones), list(others)
    if known is None:
        return None
    rows = {row.node: row for row in _rows(places, reader, known, {*ones, *others})}
    pairs = [(rows[a], rows[b]) for a, b in product(ones, others) if a in rows and b in rows and a != b]
    if not pairs:
        return None
    one, other = max(pairs, key=lambda p: (known.weights.weight(p[0].values, p[1].values), -p[0].node))
    return _waterfall(known, one, other, shown, believed), one.node, other.node


def comparable(reader: LedgerReader, one: int, other: int) -> tuple[list[int], list[int]] | None:
    """The nodes of two customers whose records may be compared; None where one objects to what is concluded of them."""
    records = reader.records([one, other])
    if any(objects(unpack(row.body)) for row in records):
        return None
    nodes: dict[int, list[int]] = {one: [], other: []}
    for member in reader.nodes_of([one, other]):
        nodes[member.customer].append(member.node)
    return strongest_of(reader, nodes[one]), strongest_of(reader, nodes[other])


def strongest_of(reader: LedgerReader, nodes: Sequence[int]) -> list[int]:
    """Those of a customer's nodes on which somebody may have been identified, the strongest first, not too many."""
    marks = {n: kind for n, (kind, _) in reader.marks(nodes).items() if not IDENTIFIER_KINDS[kind].reference}
    return sorted(marks, key=lambda n: (IDENTIFIER_KINDS[marks[n]].rank, n))[:RECORDS]


def shown_of(
    bars: Iterable[Any],
    weight: float,
    one: IdentifierShown | None,
    other: IdentifierShown,
    against: str | None,
) -> Waterfall:
    """What a model made of two records, in the nouns of ``domain``."""
    return Waterfall(
        weight=weight,
        probability=1.0 / (1.0 + 2.0 ** -max(-60.0, min(60.0, weight))),
        odds=odds(weight),
        bars=tuple(
            Compared(name=b.name, level=b.label, weight=b.weight, adjustment=b.adjustment) for b in bars
        ),
        one=one,
        other=other,
        against=sentence_against(against or ""),
    )


def _rows(places: Places, reader: LedgerReader, known: Kept, nodes: set[int]) -> list[_Row]:
    from shopkeeper.resolve.linkage import JunkValues, prepare, rows_of

    records = list(records_of(places, reader, sorted(nodes)))
    if not records:
        return []
    ready = prepare(table_of(records), places.keys, junk=JunkValues({}))
    told = known.told
    return [
        _Row(int(record), told.cleaned(row), told.cleaned_strong(strong))
        for record, row, strong in zip(ready.ids, rows_of(ready), ready.strong, strict=True)
    ]


def _waterfall(
    known: Kept, one: _Row, other: _Row, shown: dict[int, IdentifierShown], believed: float | None
) -> Waterfall:
    from msgspec.structs import replace

    from shopkeeper.resolve.linkage import conflict, facts_of, guard_of, whole

    bars = known.weights.bars(one.values, other.values)
    against = conflict(
        facts_of(one.values, one.strong), facts_of(other.values, other.strong), guard_of(known.model)
    )
    made = shown_of(bars, whole(bars), shown[one.node], shown[other.node], against)
    return replace(made, rule=_RULES.get(believed, "") if believed is not None else "")
