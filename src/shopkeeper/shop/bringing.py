"""Brings files in: one import is one transaction, so that nothing is ever half imported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from time import perf_counter

import msgspec
from msgspec import Struct

from shopkeeper.collect.files.door import Guess, guess, load
from shopkeeper.collect.intake import Outcome, Taking
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.catalogue import Product, record_key
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.event import Event as Tracked
from shopkeeper.domain.events.orders import OrderFields
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.money import exponent
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.reading import Reading
from shopkeeper.domain.report import ImportSummary
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter

_PERSONAL = re.compile(r"@|\d{9,}")


def preview(
    places: Places,
    path: str | Path,
    kind: str | None,
    mapping: Mapping[str, str] | None,
    reading: Reading | None = None,
) -> Guess:
    """What a file seems to be and how its columns would be read; nothing is brought in."""
    how = reading or Reading()
    if not how.region:
        how = msgspec.structs.replace(how, region=places.settings.region)
    return guess(Path(path), kind=kind, mapping=mapping, reading=how)


def bring(
    places: Places,
    path: str | Path,
    kind: str | None,
    *,
    source: str | None,
    mapping: Mapping[str, str] | None,
    reading: Reading | None,
    numbering: str | None,
    progress: Progress | None,
) -> ImportSummary:
    """Bring a file in, whole or not at all; an interrupt undoes it."""
    began = perf_counter()
    seen = preview(places, path, kind, mapping, reading)
    origin = source or seen.kind
    for what, name in (("source", origin), ("numbering", numbering or "shop")):
        if not name.strip() or len(name) > 80:
            raise InvalidInput(
                f"a {what} needs a name of at most 80 letters", hint=f"for example {what}='till'"
            )
    stop = Event()
    taken: list[Taking] = []
    notes: list[str] = []

    def heard(step: str, done: float) -> None:
        if stop.is_set():
            raise _Stopped
        if progress:
            progress(step, done)

    def work(tx: LedgerWriter) -> ImportSummary:
        taking = places.intake.begin(tx)
        taken.append(taking)
        run = _Run(places, taking, seen, origin, numbering or "")
        batches = load(
            Path(path),
            guess=seen,
            source=origin,
            now=places.now(),
            zone=places.settings.time_zone,
            currency=places.settings.currency,
            lines=tx,
            progress=heard,
            notes=notes,
        )
        for batch in batches:
            run.take(batch)
            if stop.is_set():
                raise _Stopped
        told = tuple(dict.fromkeys(notes))
        summary = run.summary(_shown_name(Path(path), seen.kind), perf_counter() - began, told)
        tx.note_import(msgspec.json.encode(summary))
        return summary

    try:
        with without_collecting():
            summary = places.ledger.write(work)
    except KeyboardInterrupt:
        stop.set()
        places.ledger.write(lambda _: None)  # returns when the import has been undone
        raise
    for taking in taken:
        taking.keep()
    return summary


class _Stopped(Exception):
    """The import was interrupted; what it wrote is undone."""


def _shown_name(path: Path, kind: str) -> str:
    """A file's name without what might name a person: addresses and long numbers do not belong in a summary.

    >>> _shown_name(Path("orders.csv"), "orders"), _shown_name(Path("anna@example.com.csv"), "orders")
    ('orders.csv', 'orders.csv')
    """
    return path.name if not _PERSONAL.search(path.name) else kind + "".join(path.suffixes[-1:])


class _Run:
    """The counts of one import."""

    def __init__(self, places: Places, taking: Taking, seen: Guess, source: str, numbering: str) -> None:
        self.places = places
        self.taking = taking
        self.tx = taking.tx
        self.seen = seen
        self.kind = seen.kind
        self.source = source
        self.numbering = numbering
        self.outcome = Outcome()
        self.total = Batch()
        self.products: dict[str, Product] | None = None
        self.currencies: set[str] = set()

    def take(self, batch: Batch) -> None:
        """Append one batch."""
        before = (self.outcome.kept, self.outcome.refused)
        events = batch.events
        if self.numbering:
            events = [_numbered(event, self.numbering) for event in events]
        if events:
            self.taking.append(events, self.outcome, kind=self.kind)
            self._learn_products(batch)
        changed = self._keep_records(batch)
        if batch.refused:
            now = self.places.now()
            self.taking.refuse(
                batch.refused, source=self.source, kind=self.kind, at=now, outcome=self.outcome
            )
        total = self.total
        total.read += batch.read
        total.orders += batch.orders
        total.returns += batch.returns
        total.exact_micros += batch.exact_micros
        total.rounded_minor += batch.rounded_minor
        if batch.currency:
            self.currencies.add(batch.currency)
        good = batch.read - min(batch.read, self.outcome.refused - before[1])
        if batch.kept or batch.repeated:
            kept = min(batch.kept, good)
        else:
            kept = min(good, self.outcome.kept - before[0] + changed)
        total.kept += kept
        total.repeated += good - kept

    def summary(self, file: str, seconds: float, notes: tuple[str, ...]) -> ImportSummary:
        """The counts as they are shown and kept."""
        total, outcome = self.total, self.outcome
        money = {}
        if len(self.currencies) > 1:  # sums of different currencies mean nothing
            notes = (*notes, f"amounts in {len(self.currencies)} currencies are not summed")
        elif total.exact_micros or total.rounded_minor:
            code = min(self.currencies, default=self.places.settings.currency)
            rounded = total.rounded_minor * 10 ** (6 - exponent(code))
            money = {
                "exact": _decimal(total.exact_micros, 6),
                "rounded": _decimal(rounded, 6),
                "difference": _decimal(rounded - total.exact_micros, 6),
                "currency": code,
            }
        return ImportSummary(
            file=file,
            kind=self.kind,
            read=total.read,
            kept=total.kept,
            repeated=total.repeated,
            quarantined=total.read - total.kept - total.repeated,
            events=outcome.kept,
            orders=total.orders,
            returns=total.returns,
            seconds=round(seconds, 3),
            reasons=outcome.reasons,
            mapping=dict(self.seen.mapping),
            notes=notes,
            **money,
        )

    def _keep_records(self, batch: Batch) -> int:
        by_kind: dict[str, list[tuple[str, Struct]]] = {}
        for kind, record in batch.records:
            by_kind.setdefault(kind, []).append((record_key(kind, record), record))
        changed = 0
        for kind, rows in by_kind.items():
            if kind == "product":
                rows = [(key, self._merged(record)) for key, record in rows]  # noqa: PLW2901 - the same rows, completed
            count = self.tx.put_reference(kind, [(key, msgspec.json.encode(record)) for key, record in rows])
            changed += count
            if count and kind == "rate":
                self._catalogue_changed()
        return changed

    def _merged(self, record: Struct) -> Product:
        """A product as described before, with what this file tells: a price list without costs wipes no cost."""
        product = msgspec.convert(record, type=Product, from_attributes=True)
        known = self._known_products()
        before = known.get(product.product_id)
        if before is not None:
            told = {f: v for f, v in msgspec.structs.asdict(product).items() if f in self.seen.mapping}
            product = msgspec.structs.replace(before, **told)
        if _folded_by(before) != _folded_by(product):
            self._catalogue_changed()
        known[product.product_id] = product
        return product

    def _catalogue_changed(self) -> None:
        """Records folded before are stale: once per import is enough."""
        if not self._changed:
            self._changed = True
            self.tx.keep("catalogue", str(int(self.tx.setting("catalogue") or 0) + 1))

    _changed = False

    def _known_products(self) -> dict[str, Product]:
        if self.products is None:
            read = msgspec.json.Decoder(Product).decode
            self.products = {p.product_id: p for p in map(read, self.tx.reference("product"))}
        return self.products

    def _learn_products(self, batch: Batch) -> None:
        """A product nobody described yet is known by the name it was first sold under; that changes no record."""
        if self.kind not in ("orders", "events"):
            return
        known = self._known_products()
        news: dict[str, Product] = {}
        for event in batch.events:
            if isinstance(event.properties, OrderFields):
                for line in event.properties.products:
                    if line.product_id not in known and line.name:
                        known[line.product_id] = news[line.product_id] = Product(
                            product_id=line.product_id, name=line.name
                        )
        if news:
            self.tx.put_reference("product", [(key, msgspec.json.encode(one)) for key, one in news.items()])


def _folded_by(product: Product | None) -> tuple[object, ...]:
    """What of a product changes a customer's record."""
    if product is None:
        return ("", "", None, "product")
    return (product.category, product.brand, product.unit_cost, product.kind or "product")


def _numbered(event: Tracked, numbering: str) -> Tracked:
    """The event with its customer numbers as one system's own: equal numbers elsewhere are other people's."""
    return msgspec.structs.replace(
        event,
        identifiers=tuple(
            Identifier(i.kind, f"{numbering}:{i.value}") if i.kind in ("user_id", "loyalty_card") else i
            for i in event.identifiers
        ),
    )


def _decimal(value: int, digits: int) -> str:
    """A whole number of 10**-digits as an exact decimal without needless zeros (two stay)."""
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**digits)
    text = f"{part:0{digits}d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{text}"
