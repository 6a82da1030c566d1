"""Keeps reference data that files and live sources bring along: products, rates, stores and the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from shopkeeper.domain.catalogue import Product, record_key
from shopkeeper.domain.event import Event
from shopkeeper.domain.events.orders import OrderFields
from shopkeeper.stores.contract.ledger import LedgerWriter

Told = Callable[[Product], Collection[str]]
"""Which fields of a product its source tells."""


def names_sold(events: Iterable[Event]) -> dict[str, str]:
    """The names under which products were first sold, by product."""
    sold: dict[str, str] = {}
    for event in events:
        if isinstance(event.properties, OrderFields):
            for line in event.properties.products:
                if line.name:
                    sold.setdefault(line.product_id, line.name)
    return sold


class Cataloguing:
    """Keeps records within one transaction."""

    def __init__(self, tx: LedgerWriter, told: Told | None = None) -> None:
        self.tx = tx
        self._told = told or _filled
        self._products: dict[str, Product] | None = None
        self._changed = False

    def keep(self, records: Sequence[tuple[str, Struct]]) -> int:
        """Keep records as (kind, record); returns how many were new or changed."""
        by_kind: dict[str, list[tuple[str, Struct]]] = {}
        for kind, record in records:
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

    def learn(self, sold: Mapping[str, str], known: set[str]) -> set[str]:
        """Keep products nobody described yet by the name they were first sold under; that changes no record.

        ``sold`` are names by product, ``known`` are ids that need not be asked for; returns those that need not be
        from now on.
        """
        news = sold.keys() - known
        if news:
            there = self.tx.references("product", sorted(news))
            fresh = [
                (key, msgspec.json.encode(Product(product_id=key, name=sold[key])))
                for key in sorted(news)
                if key not in there
            ]
            if fresh:
                self.tx.put_reference("product", fresh)
                self._products = None
        return news

    def _merged(self, record: Struct) -> Product:
        """A product as described before, with what is told now: a price list without costs wipes no cost."""
        product = msgspec.convert(record, type=Product, from_attributes=True)
        known = self._known_products()
        before = known.get(product.product_id)
        if before is not None:
            fields = self._told(product)
            told = {f: v for f, v in msgspec.structs.asdict(product).items() if f in fields}
            product = msgspec.structs.replace(before, **told)
        if _folded_by(before) != _folded_by(product):
            self._catalogue_changed()
        known[product.product_id] = product
        return product

    def _catalogue_changed(self) -> None:
        """Records folded before are stale: once per transaction is enough."""
        if not self._changed:
            self._changed = True
            self.tx.keep("catalogue", str(int(self.tx.setting("catalogue") or 0) + 1))

    def _known_products(self) -> dict[str, Product]:
        if self._products is None:
            read = msgspec.json.Decoder(Product).decode
            self._products = {p.product_id: p for p in map(read, self.tx.reference("product"))}
        return self._products


def _filled(product: Product) -> list[str]:
    """The fields that say something, where the source has no columns that could be empty on purpose."""
    return [
        field.name
        for field in msgspec.structs.fields(Product)
        if getattr(product, field.name) != field.default
    ]


def _folded_by(product: Product | None) -> tuple[object, ...]:
    """What of a product changes a customer's record."""
    if product is None:
        return ("", "", None, "product")
    return (product.category, product.brand, product.unit_cost, product.kind or "product")
