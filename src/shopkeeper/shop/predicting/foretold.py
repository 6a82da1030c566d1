"""What was foretold of many customers, in columns: a row per customer, a column per trait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shopkeeper.domain.traits import ARROW, Trait
from shopkeeper.predict.traits import TRAITS

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_KINDS = {trait.name: trait.kind for trait in TRAITS}
_DIGITS = 4
"""Digits kept behind the decimal point: more would be noise, and is dear to keep."""


class Part(Struct, frozen=True):
    """What one model tells: some customers, and columns of traits in their order."""

    customer: NDArray[np.int64]
    columns: Mapping[str, Any]
    """NumPy arrays; NaN and NaT say that nothing is foretold."""


class Foretold:
    """A table of ``customer``, ascending and without repeats, and one column per trait."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.run = 0
        """The run that foretold it; 0 where it is none's."""
        self._ids: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def ids(self) -> NDArray[np.int64]:
        """The customers."""
        if self._ids is None:
            self._ids = self.table.column("customer").to_numpy()
        return self._ids

    def take(self, customers: Sequence[int] | NDArray[np.int64], name: str) -> pa.Array:
        """A column for some customers, in their order; null where nothing is foretold. Customers below 0 have none."""
        import numpy as np
        import pyarrow as pa

        if name not in self.table.column_names or not len(self):
            return pa.nulls(len(customers), arrow(_KINDS[name]))
        wanted = np.asarray(customers, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self) - 1)
        missing = self.ids[at] != wanted
        return self.table.column(name).combine_chunks().take(pa.array(at, mask=missing))

    def rows(self, at_once: int) -> Iterator[list[dict[str, Any]]]:
        """Every customer's traits as plain data, some customers at a time."""
        names = self.table.column_names
        for start in range(0, len(self), at_once):
            columns = map(_values, self.table.slice(start, at_once).columns)
            yield [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Foretold:
        """Put the parts side by side; who is in one of them only has nulls for the others."""
        import numpy as np
        import pyarrow as pa

        empty = np.empty(0, dtype=np.int64)
        ids = np.unique(np.concatenate([empty, *(part.customer for part in parts)]))
        columns: dict[str, Any] = {"customer": pa.array(ids, pa.int64())}
        for part in parts:
            order = np.argsort(part.customer, kind="stable")
            whole = part.customer.size == ids.size
            at = np.searchsorted(ids, part.customer[order])
            for name, values in part.columns.items():
                found = column(name, np.asarray(values)[order])
                if not whole:
                    place = np.full(ids.size, -1, dtype=np.int64)
                    place[at] = np.arange(at.size)
                    found = found.take(pa.array(np.maximum(place, 0), mask=place < 0))
                columns[name] = found
        return cls(pa.table(columns))

    @classmethod
    def of_rows(cls, rows: Mapping[int, Mapping[str, Any]]) -> Foretold:
        """The same from what is kept of each customer as plain data; days may be text."""
        import pyarrow as pa

        ids = sorted(rows)
        columns: dict[str, Any] = {"customer": pa.array(ids, pa.int64())}
        for trait in TRAITS:
            values = [_read(trait, rows[one].get(trait.name)) for one in ids]
            columns[trait.name] = pa.array(values, arrow(trait.kind))
        return cls(pa.table(columns))


def column(name: str, values: NDArray[Any]) -> pa.Array:
    """A trait's values as its column."""
    import numpy as np
    import pyarrow as pa

    wanted = arrow(_KINDS[name])
    if values.dtype.kind == "f":
        rounded = np.round(values, _DIGITS) + 0.0  # 0, not -0
        return pa.array(rounded, mask=np.isnan(values)).cast(wanted)
    if values.dtype.kind == "M":
        return (
            pa.array(values.astype("datetime64[us]"), mask=np.isnat(values))
            .cast(pa.timestamp("us"))
            .cast(wanted)
        )
    if values.dtype.kind == "U":
        return pa.array([text or None for text in values.tolist()], wanted)
    return pa.array(values.tolist(), wanted)


def arrow(kind: str) -> pa.DataType:
    """The column type of a kind of trait."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "string": pa.string(),
        "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC"),
        "list<string>": pa.list_(pa.string()),
    }
    return types[ARROW[kind]]


def _values(values: pa.ChunkedArray) -> list[Any]:
    """What ``to_pylist`` gives, sooner: numbers all at once, and of texts and days only the different ones."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        found: list[Any] = values.fill_null(0).to_numpy().tolist()
        if values.null_count:
            for at in np.flatnonzero(values.is_null().to_numpy()).tolist():
                found[at] = None
        return found
    coded = values.combine_chunks().dictionary_encode()
    different = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    listed: list[Any] = different[coded.indices.fill_null(-1).to_numpy()].tolist()
    return listed


def _read(trait: Trait, value: Any) -> Any:
    return datetime.fromisoformat(value) if trait.kind == "time" and isinstance(value, str) else value
