"""How the shipped data file was made from UCI Online Retail II, and the proof that nothing changed.

`pack` removes what can be derived (amount = quantity x unit price), writes whole pence tenths as
integers and replaces a description by null where it is the usual one of its product; `digest`
tells whether two tables hold the same lines in the same order.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent / "data"
LINES = HERE / "lines.parquet"
PRODUCTS = HERE / "products.parquet"
ABSENT = "\x00"
"""Stands in `lines.parquet` for a description that is missing in the source (null means: the usual one)."""

COLUMNS = ("order_id", "ts", "customer_id", "country", "product_id", "product", "quantity", "unit_price")

DIGEST = "285780830d09464b50774802111afa0862617cbb4b7c0a9bce32a426cec15503"
"""SHA-256 of the source, see `digest`."""


def digest(table: pa.Table) -> str:
    """SHA-256 over all eight columns of all lines in their order.

    `ts` counts as seconds, `quantity` and `unit_price` as 64-bit floats, as in the source.
    """
    h = hashlib.sha256()
    for name in COLUMNS:
        column = table[name]
        if name in ("quantity", "unit_price"):
            h.update(np.ascontiguousarray(column.to_numpy().astype("<f8")).tobytes())
        elif name == "ts":
            h.update(column.to_numpy().astype("datetime64[s]").astype("<i8").tobytes())
        else:
            filled = pc.fill_null(column.cast(pa.string()), ABSENT).combine_chunks()
            lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False)
            h.update(np.ascontiguousarray(lengths.astype("<i4")).tobytes())
            h.update("".join(filled.to_pylist()).encode())
    return h.hexdigest()


def usual_descriptions(product_id: pa.Array, product: pa.Array) -> pa.Table:
    """The most frequent description of each product (ties: the first in the alphabet)."""
    counted = pa.table({"product_id": product_id, "description": product, "one": np.ones(len(product), "i4")})
    counted = counted.filter(pc.is_valid(counted["description"]))
    groups = counted.group_by(["product_id", "description"], use_threads=False).aggregate([("one", "sum")])
    groups = groups.sort_by(
        [("product_id", "ascending"), ("one_sum", "descending"), ("description", "ascending")]
    )
    ids = groups["product_id"].combine_chunks()
    first = np.ones(len(ids), bool)
    first[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return groups.select(["product_id", "description"]).filter(pa.array(first))


def pack(source: Path, folder: Path) -> str:
    """Write `lines.parquet` and `products.parquet` into `folder`; return the digest of the source."""
    table = pq.read_table(source, columns=list(COLUMNS))
    usual = usual_descriptions(table["product_id"].combine_chunks(), table["product"].combine_chunks())
    at = pc.index_in(table["product_id"], usual["product_id"])
    default = usual["description"].take(at)
    told = pc.fill_null(table["product"], ABSENT)
    same = pc.fill_null(pc.equal(told, default), False)
    milli = np.round(table["unit_price"].to_numpy() * 1000).astype("i4")
    if not np.array_equal(milli / 1000, table["unit_price"].to_numpy()):
        raise ValueError("unit prices with more than three decimals cannot be packed")
    lines = pa.table(
        {
            "order_id": table["order_id"],
            "ts": table["ts"].cast(pa.timestamp("ms")),
            "customer_id": table["customer_id"],
            "country": table["country"],
            "product_id": table["product_id"],
            "description": pc.if_else(same, pa.scalar(None, pa.string()), told),
            "quantity": table["quantity"].to_numpy().astype("i4"),
            "price_milli": milli,
        }
    )
    options = {"compression": "zstd", "compression_level": 22, "row_group_size": 2_000_000}
    texts = ["order_id", "customer_id", "country", "product_id", "description", "quantity", "price_milli"]
    pq.write_table(
        lines,
        folder / LINES.name,
        use_dictionary=texts,
        column_encoding={"ts": "DELTA_BINARY_PACKED"},
        dictionary_pagesize_limit=16_000_000,
        data_page_size=64_000_000,
        write_statistics=False,
        store_schema=False,
        **options,
    )
    pq.write_table(usual, folder / PRODUCTS.name, write_statistics=False, store_schema=False, **options)
    return digest(table)


def unpack() -> pa.Table:
    """The source table again, line by line: the eight columns of `COLUMNS`, `unit_price` as a float."""
    lines = pq.read_table(LINES)
    usual = pq.read_table(PRODUCTS)
    default = usual["description"].take(pc.index_in(lines["product_id"], usual["product_id"]))
    told = pc.coalesce(lines["description"], default)
    product = pc.if_else(pc.equal(told, ABSENT), pa.scalar(None, pa.string()), told)
    return pa.table(
        {
            "order_id": lines["order_id"],
            "ts": lines["ts"],
            "customer_id": lines["customer_id"],
            "country": lines["country"],
            "product_id": lines["product_id"],
            "product": product,
            "quantity": lines["quantity"],
            "unit_price": lines["price_milli"].to_numpy() / 1000,
        }
    )
