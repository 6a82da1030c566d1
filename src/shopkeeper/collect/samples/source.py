"""The real purchases, loaded from the shipped file and brought to the wanted size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.collect.samples.pack import ABSENT, LINES, PRODUCTS
from shopkeeper.collect.samples.world import generator

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DAY = 1440
"""Minutes in a day; all local times are minutes since 1970-01-01T00:00 on the shop's wall clock."""
FIRST_DAY = int(np.datetime64("2009-12-01", "D").astype(np.int64))
LAST_DAY = int(np.datetime64("2011-12-09", "D").astype(np.int64))

ADJUSTMENTS = (
    "M",
    "m",
    "D",
    "B",
    "S",
    "ADJUST",
    "ADJUST2",
    "BANK CHARGES",
    "AMAZONFEE",
    "CRUK",
    "TEST001",
    "TEST002",
)
SERVICES = ("POST", "DOT", "C2", "C3")


@dataclass(frozen=True, slots=True)
class Purchases:
    """Order lines, with integer codes into `order_ids`, `customer_ids`, `product_ids` and `countries`.

    Line fields have one entry per line in the order of the source, order fields one per order.
    `customer` is -1 where the source names nobody. `replica` is 0 for real orders and above for
    copies (size > 1). `price_milli` is a thousandth of a pound.
    """

    order: Ints
    minute: Ints
    product: Ints
    description: pa.StringArray
    quantity: Ints
    price_milli: Ints
    order_ids: pa.StringArray
    customer_ids: pa.StringArray
    product_ids: pa.StringArray
    countries: pa.StringArray
    order_minute: Ints
    customer: Ints
    country: Ints
    replica: Ints
    mean_milli: Floats
    """What a unit of each product brought on average over all real lines, so the same in a shop of any size."""

    @property
    def lines_per_order(self) -> Ints:
        """How many lines each order has."""
        return np.bincount(self.order, minlength=len(self.order_ids)).astype(np.int64)

    @property
    def total_milli(self) -> Ints:
        """Exact value of each order in thousandths of a pound."""
        totals = np.zeros(len(self.order_ids), np.int64)
        np.add.at(totals, self.order, self.price_milli * self.quantity)
        return totals

    def orders_with(self, product_ids: tuple[str, ...], *, all_lines: bool = False) -> Flags:
        """Which orders have a line (or only lines) of these products."""
        wanted = pc.is_in(self.product_ids, pa.array(product_ids)).to_numpy(zero_copy_only=False)
        hits = np.bincount(self.order, weights=wanted[self.product], minlength=len(self.order_ids))
        return hits == self.lines_per_order if all_lines else hits > 0


def _codes(column: pa.ChunkedArray) -> tuple[Ints, pa.StringArray]:
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.cast(pa.string())


def load() -> Purchases:
    """All real lines.

    >>> real = load()
    >>> len(real.order), len(real.order_ids), len(real.customer_ids)
    (1044847, 53628, 5942)
    """
    texts = ["order_id", "customer_id", "country", "product_id", "description"]
    table = pq.read_table(LINES, read_dictionary=texts, use_threads=False)
    usual = pq.read_table(PRODUCTS, use_threads=False)
    order, order_ids = _codes(table["order_id"])
    product, product_ids = _codes(table["product_id"])
    customer_line, customer_ids = _codes(table["customer_id"])
    country_line, countries = _codes(table["country"])
    special, specials = _codes(table["description"])
    # one dictionary of descriptions: the usual one per product, then the special ones
    at = pc.index_in(product_ids, usual["product_id"].combine_chunks())
    texts_of = pa.concat_arrays([usual["description"].combine_chunks().take(at), specials])
    texts_of = pc.if_else(pc.equal(texts_of, ABSENT), pa.scalar(None, pa.string()), texts_of)
    description = texts_of.take(pa.array(np.where(special >= 0, special + len(product_ids), product)))
    minute = table["ts"].to_numpy().astype("datetime64[m]").astype(np.int64)
    first = np.full(len(order_ids), len(order), np.int64)
    np.minimum.at(first, order, np.arange(len(order)))
    quantity = table["quantity"].to_numpy().astype(np.int64)
    price_milli = table["price_milli"].to_numpy().astype(np.int64)
    return Purchases(
        order=order,
        minute=minute,
        product=product,
        description=description,
        quantity=quantity,
        price_milli=price_milli,
        order_ids=order_ids,
        customer_ids=customer_ids,
        product_ids=product_ids,
        countries=countries,
        order_minute=minute[first],
        customer=customer_line[first],
        country=country_line[first],
        replica=np.zeros(len(order_ids), np.int64),
        mean_milli=_mean_prices(product, quantity, price_milli, len(product_ids)),
    )


def _mean_prices(product: Ints, quantity: Ints, price_milli: Ints, products: int) -> Floats:
    """The price of each product, weighted by the units sold at it; 0 where it was only given away."""
    sold = (quantity > 0) & (price_milli > 0)
    units = np.bincount(product[sold], weights=quantity[sold], minlength=products)
    paid = np.bincount(product[sold], weights=(quantity * price_milli)[sold], minlength=products)
    return np.asarray(paid / np.maximum(units, 1))


def _subset(real: Purchases, share: float, seed: int) -> Purchases:
    """Whole histories of a share of the customers and the same share of the orders of nobody."""
    draw = generator(seed, "size")
    rank = draw.permutation(len(real.customer_ids))
    kept = rank < max(1, round(share * len(real.customer_ids)))
    nobody = np.flatnonzero(real.customer < 0)
    guests = np.zeros(len(real.order_ids), bool)
    guests[draw.permutation(nobody)[: round(share * len(nobody))]] = True
    keep = np.where(real.customer >= 0, kept[real.customer], guests)
    new_order = np.cumsum(keep) - 1
    new_customer = np.append(np.cumsum(kept) - 1, -1)
    lines = keep[real.order]
    return Purchases(
        order=new_order[real.order[lines]],
        minute=real.minute[lines],
        product=real.product[lines],
        description=real.description.filter(pa.array(lines)),
        quantity=real.quantity[lines],
        price_milli=real.price_milli[lines],
        order_ids=real.order_ids.filter(pa.array(keep)),
        customer_ids=real.customer_ids.filter(pa.array(kept)),
        product_ids=real.product_ids,
        countries=real.countries,
        order_minute=real.order_minute[keep],
        customer=new_customer[real.customer[keep]],
        country=real.country[keep],
        replica=real.replica[keep],
        mean_milli=real.mean_milli,
    )


def _copy(real: Purchases, number: int, seed: int) -> Purchases:
    """The same histories as other people: new ids, each history moved by up to three days."""
    draw = generator(seed, f"copy {number}")
    shift_of = draw.integers(-3, 4, len(real.customer_ids) + 1)
    shift = np.where(real.customer >= 0, shift_of[real.customer], draw.integers(-3, 4, len(real.customer)))
    day = np.clip(real.order_minute // DAY + shift, FIRST_DAY, LAST_DAY)
    moved = (day - real.order_minute // DAY) * DAY
    mark = pa.scalar(f"-{number}")
    return Purchases(
        order=real.order,
        minute=real.minute + moved[real.order],
        product=real.product,
        description=real.description,
        quantity=real.quantity,
        price_milli=real.price_milli,
        order_ids=pc.binary_join_element_wise(real.order_ids, mark, ""),
        customer_ids=pc.cast(pc.add(pc.cast(real.customer_ids, pa.int64()), number * 100_000), pa.string()),
        product_ids=real.product_ids,
        countries=real.countries,
        order_minute=real.order_minute + moved,
        customer=real.customer,
        country=real.country,
        replica=np.full(len(real.order_ids), number, np.int64),
        mean_milli=real.mean_milli,
    )


def _join(parts: list[Purchases]) -> Purchases:
    orders = np.cumsum([0] + [len(p.order_ids) for p in parts])
    customers = np.cumsum([0] + [len(p.customer_ids) for p in parts])
    return Purchases(
        order=np.concatenate([p.order + o for p, o in zip(parts, orders, strict=False)]),
        minute=np.concatenate([p.minute for p in parts]),
        product=np.concatenate([p.product for p in parts]),
        description=pa.concat_arrays([p.description for p in parts]),
        quantity=np.concatenate([p.quantity for p in parts]),
        price_milli=np.concatenate([p.price_milli for p in parts]),
        order_ids=pa.concat_arrays([p.order_ids for p in parts]),
        customer_ids=pa.concat_arrays([p.customer_ids for p in parts]),
        product_ids=parts[0].product_ids,
        countries=parts[0].countries,
        order_minute=np.concatenate([p.order_minute for p in parts]),
        customer=np.concatenate(
            [np.where(p.customer >= 0, p.customer + c, -1) for p, c in zip(parts, customers, strict=False)]
        ),
        country=np.concatenate([p.country for p in parts]),
        replica=np.concatenate([p.replica for p in parts]),
        mean_milli=parts[0].mean_milli,
    )


def at_size(size: float, seed: int) -> Purchases:
    """The purchases of a shop `size` times the real one.

    Below 1 a share of the customers with their whole histories (the same ones for a seed, and a
    smaller share is contained in a larger), at 1 exactly the real lines, above 1 also copies of
    histories under new ids.
    """
    if not (0 < size <= 1000):
        raise ValueError(f"size is {size}; expected a number above 0 and at most 1000, for example 0.01 or 1")
    real = load()
    if size == 1:
        return real
    if size < 1:
        return _subset(real, size, seed)
    parts = [real]
    for number in range(1, math.ceil(size)):
        share = min(1.0, size - number)
        parts.append(_copy(real if share == 1 else _subset(real, share, seed), number, seed))
    return _join(parts)
