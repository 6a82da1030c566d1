"""How frequent values are and which are junk, kept without the values: enough to weigh two records alone.

A model holds no value of any record, and weighs a rare one more than a common one. What is kept beside it are keyed
hashes (the shop's own key) of values that at least two records share, with their numbers, and of junk. A value that
only one record has is not kept: nobody can be looked for in the file, and it says as much as any other single one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from shopkeeper.resolve.linkage.levels import Row
from shopkeeper.resolve.linkage.model import Model
from shopkeeper.resolve.linkage.prepare import FIELDS, Prepared

Hashed = Callable[[str, str], bytes]
"""Kind and value to a keyed hash of at least eight bytes: ``Vault.pseudonym``."""
_JUNK = 0
_Keys = np.ndarray[tuple[int], np.dtype[np.uint64]]
_Counts = np.ndarray[tuple[int], np.dtype[np.uint32]]


class Frequencies:
    """How many records hold a value, by column, under keyed hashes.

    >>> from hashlib import blake2b
    >>> hashed = lambda kind, value: blake2b(f"{kind}/{value}".encode(), key=b"of this shop").digest()
    >>> told = Frequencies("", {"last_name": 4}, {("last_name", "smith"): 3}, [("email", "desk@shop.example")], hashed)
    >>> told.share("last_name", "smith"), told.share("last_name", "ziegler"), told.share("city", "york")
    (0.75, 0.25, None)
    >>> told.is_junk("email", "desk@shop.example")
    True
    """

    def __init__(
        self,
        model: str,
        known: Mapping[str, int],
        counts: Mapping[tuple[str, str], int],
        junk: Iterable[tuple[str, str]],
        hashed: Hashed,
    ) -> None:
        self.model = model
        """Checksum of the model beside which they were counted."""
        self.known = dict(known)
        self._hashed = hashed
        table = {_key(hashed, *of): n for of, n in counts.items()} | {_key(hashed, *of): _JUNK for of in junk}
        keys = np.fromiter(table.keys(), np.uint64, len(table))
        order = np.argsort(keys, kind="stable")
        self._keys: _Keys = keys[order]
        self._counts: _Counts = np.fromiter(table.values(), np.uint32, len(table))[order]

    @staticmethod
    def of(ready: Prepared, model: Model, hashed: Hashed) -> Frequencies:
        """Counted in the distinct ones of some records, as the model's weights are."""
        own = ready.stands_for == np.arange(len(ready))
        rows = ready.rows if own.all() else ready.rows.filter(pa.array(own))
        known: dict[str, int] = {}
        counts: dict[tuple[str, str], int] = {}
        for column in model.frequencies():
            values = rows[column].drop_null()
            known[column] = len(values)
            counted = values.value_counts()
            pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
            counts |= {(column, value): n for value, n in pairs if n > 1}
        junk = [(column, value) for column, values in ready.junk.values.items() for value in values]
        return Frequencies(model.checksum(), known, counts, junk, hashed)

    def __len__(self) -> int:
        return len(self._keys)

    def share(self, column: str, value: str) -> float | None:
        """The share of records with a value among those of which the column is known; None where it is of none."""
        known = self.known.get(column, 0)
        return max(1, self._count(column, value) or 1) / known if known else None

    def is_junk(self, column: str, value: str) -> bool:
        """Whether a value was found to identify nobody."""
        return self._count(column, value) == _JUNK

    def cleaned(self, row: Row) -> Row:
        """A record without its junk."""
        bad = {
            field for field, value in zip(FIELDS, row, strict=True) if value and self.is_junk(field, value)
        }
        if "email" in bad:
            bad.add("mailbox")
        return tuple(None if field in bad else value for field, value in zip(FIELDS, row, strict=True))

    def cleaned_strong(self, strong: Mapping[str, str]) -> dict[str, str]:
        """Strong identifiers without junk."""
        return {k: v for k, v in strong.items() if not self.is_junk("strong", f"{k}={v}")}

    def save(self, path: Path) -> None:
        """Write them, whole or not at all."""
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            keys=self._keys,
            counts=self._counts,
            columns=np.array(list(self.known), dtype=np.str_),
            known=np.array(list(self.known.values()), dtype=np.int64),
            model=np.array(self.model, dtype=np.str_),
        )
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(packed.getvalue())
        beside.replace(path)

    @staticmethod
    def load(path: Path, hashed: Hashed) -> Frequencies | None:
        """Read what ``save`` wrote; None where there is no such file, or it cannot be read."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
                known = dict(zip(kept["columns"].tolist(), kept["known"].tolist(), strict=True))
                found = Frequencies(str(kept["model"]), known, {}, (), hashed)
                found._keys, found._counts = kept["keys"], kept["counts"]
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            return None
        return found

    def _count(self, column: str, value: str) -> int | None:
        key = _key(self._hashed, column, value)
        at = int(np.searchsorted(self._keys, key))
        return int(self._counts[at]) if at < len(self._keys) and self._keys[at] == key else None


def _key(hashed: Hashed, column: str, value: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashed(f"linkage {column}", value)[:8], "big"))
