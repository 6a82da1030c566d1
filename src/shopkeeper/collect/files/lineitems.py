"""Exports that tell an order on its first line only: what follow-on lines leave blank is taken from the line above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.collect.files import numbers
from shopkeeper.collect.files.rows import Chunk, Flags

NOTE: Final = "what an order's further lines leave blank was taken from its first line"
_OWN: Final = frozenset(
    {
        "order_id",
        "product_id",
        "sku",
        "name",
        "category",
        "brand",
        "variant",
        "quantity",
        "unit_price",
        "amount",
    }
)
"""What belongs to the line and is never taken from another."""


def carried(chunks: Sequence[Chunk], mapping: Mapping[str, str]) -> list[Chunk]:
    """One chunk of all rows, the order's columns filled on the follow-on lines of the same number."""
    whole = _joined(chunks)
    if not len(whole.lines):
        return [whole]
    order = _text(whole.columns[mapping["order_id"]])
    again = np.append(
        False, np.asarray(pc.fill_null(pc.equal(order[1:], order[:-1]), False).to_numpy(zero_copy_only=False))
    )
    rows = np.arange(len(whole.lines))
    for field, column in mapping.items():
        if field in _OWN:
            continue
        array = whole.columns[column]
        blank = ~filled(array)
        if (blank & again).any():
            source = np.maximum.accumulate(np.where(blank & again, 0, rows))
            whole.columns[column] = array.take(pa.array(source))
    return [whole]


def filled(array: pa.Array) -> Flags:
    """Which cells of a column say something."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.DictionaryArray):
        there = np.append(filled(array.dictionary), False)
        return np.asarray(there[pc.fill_null(array.indices, -1).to_numpy(zero_copy_only=False)])
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return ~numbers.missing(array.cast(pa.string()))
    return np.asarray(pc.is_valid(array).to_numpy(zero_copy_only=False))


def _joined(chunks: Sequence[Chunk]) -> Chunk:
    if len(chunks) == 1:
        return chunks[0]
    columns = {}
    for name in chunks[0].columns:
        whole = pa.chunked_array([chunk.columns[name] for chunk in chunks])
        if pa.types.is_dictionary(whole.type):
            whole = whole.unify_dictionaries()
        columns[name] = whole.combine_chunks()
    return Chunk(
        columns,
        np.concatenate([chunk.lines for chunk in chunks]),
        [row for chunk in chunks for row in chunk.refused],
        1.0,
    )


def _text(array: pa.Array) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array
