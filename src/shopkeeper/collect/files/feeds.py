"""Files that are no tables but documents of one system: a till's POSLog, a web shop's bulk export.

They are told by what they hold. Their columns need no mapping: the format says what everything means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from shopkeeper.collect.files.documents import Documents
from shopkeeper.collect.files.sniff import Nature, blocks, examine
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.delivery import Settled
from shopkeeper.domain.errors import BadEvent, BadFile
from shopkeeper.domain.reading import Guess, Reading

FEEDS: Final[dict[str, str]] = {
    "poslog": "transactions of tills, in ARTS/IXRetail POSLog XML",
    "shopify": "a bulk export of Shopify: orders, customers or products",
}
"""Kinds of files that are documents, each with a sentence."""

PASSED: Final[dict[str, str]] = {
    "training": "training transactions left out",
    "cancelled": "cancelled transactions left out",
    "unfinished": "suspended or unfinished transactions left out",
    "not_a_sale": "transactions that are no sale left out",
    "nothing_sold": "transactions without goods left out",
    "void_of_nothing_named": "voids that name no transaction left out",
    "voided_line": "voided lines left out",
    "gift_card_sold": "sales of gift cards left out: they count when they are spent",
    "card_number_refused": "card numbers refused as identifiers",
    "totals_differ": "transactions kept whose lines do not add up to their totals",
    "test_order": "test orders left out",
    "nothing_refunded": "refunds of nothing left out",
    "names_nobody": "records that name nobody left out",
    "unused_record": "records of kinds that are not used left out",
}
"""What was left out or is worth a remark, in words."""

_FIRST: Final = 200
_PRODUCT: Final = {
    "product_id": "id", "name": "title", "category": "productType", "brand": "vendor", "list_price": "variants.price",
    "launched": "publishedAt",
}  # fmt: skip


def recognise(path: Path, kind: str | None, how: Reading) -> Guess | None:
    """What a file is if it is one of these; None for a table. Raises BadFile for one that cannot be read."""
    nature = examine(path)
    found = _kind(path, nature, how, asked=kind)
    if found is None:
        if kind in FEEDS:
            raise BadFile(
                f"{path.name!r} holds no {FEEDS[kind]}", hint="leave the kind out to see what it is"
            )
        return None
    settled = Settled(now=1 << 60, zone="UTC", currency="USD", region="")
    told: list[str] = []
    batches = load(path, found, nature, settled, source=found, received_at=0, at_once=_FIRST, notes=told)
    head = next(batches, Batch())
    reasons: dict[str, int] = {}
    for row in head.refused:
        reasons[row.detail] = reasons.get(row.detail, 0) + 1
    return Guess(
        file=path.name,
        kind=found,
        confidence=1.0,
        format=nature.format,
        mapping=_PRODUCT if any(kind == "product" for kind, _ in head.records) else {},
        notes=tuple(_remarks(head.passed)),
        rows=head.read,
        refused=len(head.refused),
        reasons=reasons,
        reading=how,
    )


def load(
    path: Path,
    kind: str,
    nature: Nature,
    settled: Settled,
    *,
    source: str,
    received_at: int,
    at_once: int = 2_000,
    notes: list[str],
    report: Callable[[float], None] = lambda _: None,
) -> Iterator[Batch]:
    """Everything in such a file, batch by batch; remarks are appended to ``notes`` at the end. Raises BadFile."""
    passed: dict[str, int] = {}
    read = _poslog if kind == "poslog" else _shopify
    try:
        for batch in read(path, nature, settled, source, received_at, at_once, report):
            for reason, count in batch.passed.items():
                passed[reason] = passed.get(reason, 0) + count
            if batch.read or batch.passed:
                yield batch
    except BadEvent as error:
        raise BadFile(f"{path.name!r}: {error.message}", hint=error.hint) from None
    notes.extend(_remarks(passed))


def _kind(path: Path, nature: Nature, how: Reading, *, asked: str | None) -> str | None:
    if nature.format == "xml" and asked in (None, "poslog"):
        return "poslog"
    if nature.format == "json" and asked in (None, "shopify"):
        from shopkeeper.collect.webshops.bulk import looks_like

        table = Documents(path, packed=nature.packed, longest=how.longest)
        if table.whole:
            return None
        first = [one for _, one in islice(table.objects(), 50) if isinstance(one, dict)]
        return "shopify" if first and looks_like(first) else None
    return None


def _poslog(
    path: Path,
    nature: Nature,
    settled: Settled,
    source: str,
    received_at: int,
    at_once: int,
    report: Callable[[float], None],
) -> Iterator[Batch]:
    from shopkeeper.collect.tills.poslog import batches
    from shopkeeper.collect.tills.transaction import Maker

    size, done = max(path.stat().st_size, 1), 0

    def counted() -> Iterator[bytes]:
        nonlocal done
        for block in blocks(path, packed=nature.packed):
            done += len(block)
            yield block
            report(min(done / size, 1.0))

    maker = Maker(settled, source=source, received_at=received_at)
    yield from batches(counted(), maker, at_once=at_once)


def _shopify(
    path: Path,
    nature: Nature,
    settled: Settled,
    source: str,
    received_at: int,
    at_once: int,
    report: Callable[[float], None],
) -> Iterator[Batch]:
    from shopkeeper.collect.webshops.bulk import Export
    from shopkeeper.collect.webshops.telling import Teller

    export = Export(path, packed=nature.packed)
    teller = Teller(settled, shop="shopify", source=source, received_at=received_at)
    for batch in export.batches(teller, at_once=at_once):
        report(export.fraction)
        yield batch


def _remarks(passed: dict[str, int]) -> list[str]:
    return [f"{count:,} {PASSED.get(reason, reason)}" for reason, count in passed.items()]
