"""Keys of order lines: what was sold, when and for how much, and which of several identical lines it is.

A line's key does not depend on the file's format, on its order or on columns that are empty, and not on who bought:
an e-mail address that was filled in later does not make the line a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def mixed(values: Hashes) -> Hashes:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input changes half of the output's."""
    with np.errstate(over="ignore"):
        values = values + _GOLDEN
        values = (values ^ (values >> np.uint64(30))) * _FIRST
        values = (values ^ (values >> np.uint64(27))) * _SECOND
        return values ^ (values >> np.uint64(31))


def of_texts(dictionary: Iterable[str], codes: npt.NDArray[np.int32]) -> Hashes:
    """Hashes of dictionary-encoded texts; 0 where the code is -1."""
    table = b"".join(blake2b(text.encode(), digest_size=8).digest() for text in dictionary) + bytes(8)
    return np.frombuffer(table, "<u8").astype(np.uint64)[codes]


def of_numbers(values: npt.NDArray[np.int64]) -> Hashes:
    """Hashes of whole numbers."""
    return mixed(values.astype(np.int64).view(np.uint64))


def combined(fields: Iterable[tuple[str, Hashes]]) -> Hashes:
    """One hash a line of the hashes of its fields, whatever their order; a field that is 0 counts as absent."""
    total: Hashes | None = None
    with np.errstate(over="ignore"):
        for name, hashes in fields:
            salt = np.frombuffer(blake2b(name.encode(), digest_size=8).digest(), "<u8")[0]
            part = np.where(hashes == 0, np.uint64(0), mixed(hashes ^ salt))
            total = part if total is None else total + part
    if total is None:
        raise ValueError("a line key needs at least one field")
    return total


def line_keys(order: npt.NDArray[np.int32], content: Hashes, negative: npt.NDArray[np.bool_]) -> Hashes:
    """Keys of lines: content and occurrence number among identical lines of the same order; the last bit tells returns.

    >>> keys = line_keys(np.array([1, 1, 2], np.int32), np.array([7, 7, 7], np.uint64), np.array([False] * 3))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    both = mixed(content ^ mixed(order.astype(np.uint64)))
    rank = np.argsort(both, kind="stable")
    sorted_ = both[rank]
    starts = np.ones(len(rank), bool)
    starts[1:] = sorted_[1:] != sorted_[:-1]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(rank)), 0))
    occurrence = np.empty(len(rank), np.uint64)
    occurrence[rank] = (np.arange(len(rank)) - first).astype(np.uint64)
    with np.errstate(over="ignore"):
        keys = mixed(content + occurrence * _GOLDEN)
    return (keys & ~np.uint64(1)) | negative.astype(np.uint64)
