"""Everybody in the lake, column by column: the customers' table as NumPy arrays in one order of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.traits import Trait

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    Query = Callable[[str, Mapping[str, Any] | None], pa.Table]

Mask = NDArray[np.bool_]
_AT_ONCE = 8
"""Columns asked for together: few enough to hold, enough that a question is worth its while."""
_DAY = 86_400_000_000


class Texts:
    """A column of texts as codes into ``levels``; -1 where nothing is known or the text is empty."""

    def __init__(self, codes: NDArray[np.int64], levels: Sequence[str]) -> None:
        self.codes = codes
        self.levels = tuple(levels)


class Lists:
    """A column of lists of texts: for each item the row it stands in and its code into ``levels``."""

    def __init__(self, rows: NDArray[np.int64], codes: NDArray[np.int64], levels: Sequence[str]) -> None:
        self.rows = rows
        self.codes = codes
        self.levels = tuple(levels)


Column = NDArray[np.float64] | Texts | Lists
"""Numbers (NaN where unknown; yes and no as 1 and 0; instants as days since 1970), texts, or lists of texts."""


class People:
    """The customers of a lake in one fixed order of rows, which masks and columns share.

    ``traits`` are those of them that the table has. A group of customers is a boolean mask over ``ids``. ``where``, SQL
    of the caller's own, leaves customers out: of whom it is not true nothing is told, in a group or beside one.
    """

    def __init__(self, query: Query, traits: Sequence[Trait], where: str = "true") -> None:
        self.query = query
        self._from = f"FROM customers WHERE {where}"
        self.ids: NDArray[np.int64] = _whole(query(f"SELECT id {self._from}", None)["id"])
        there = set(query("SELECT * FROM customers LIMIT 0", None).column_names)
        self.traits = tuple(trait for trait in traits if trait.name in there)
        self._order = np.argsort(self.ids, kind="stable")
        self._sorted = self.ids[self._order]
        if self.ids.size and (self._sorted[1:] == self._sorted[:-1]).any():
            raise InvalidInput("the customers' table tells of somebody twice", hint="refresh the lake")

    def __len__(self) -> int:
        return int(self.ids.size)

    def rows(self, customers: ArrayLike) -> NDArray[np.int64]:
        """The row of each customer id, -1 where the table does not have it."""
        asked = np.asarray(customers, np.int64)
        if not self.ids.size:
            return np.full(asked.shape, -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, asked), self.ids.size - 1)
        return np.where(self._sorted[at] == asked, self._order[at], -1)

    def mask(self, group: Iterable[int] | NDArray[Any]) -> Mask:
        """A group as a mask: from customer ids, or from a mask, which is checked for its length.

        Raises InvalidInput for a mask of another length, and for ids that the table does not have.
        """
        given = group if isinstance(group, np.ndarray) else np.asarray(list(group), np.int64)
        if given.dtype == np.bool_:
            if given.shape != self.ids.shape:
                raise InvalidInput(
                    f"a mask over {given.size} customers, and the lake has {self.ids.size}",
                    hint="make the mask of the same table: People(...).mask(ids)",
                )
            return np.asarray(given, np.bool_)
        rows = self.rows(given)
        if (rows < 0).any():
            raise InvalidInput(
                f"{int((rows < 0).sum())} of {rows.size} customers of the group are not in the lake's table",
                hint="refresh, so that the lake knows everybody",
            )
        mask = np.zeros(self.ids.size, np.bool_)
        mask[rows] = True
        return mask

    def column(self, name: str) -> Column:
        """One trait's column."""
        return dict(self.columns([trait for trait in self.traits if trait.name == name]))[name]

    def columns(self, traits: Sequence[Trait] | None = None) -> Iterator[tuple[str, Column]]:
        """Every trait's column, one after the other, so that a million customers fit into little memory."""
        asked = list(self.traits if traits is None else traits)
        for start in range(0, len(asked), _AT_ONCE):
            chunk = asked[start : start + _AT_ONCE]
            names = ", ".join(f'"{trait.name}"' for trait in chunk)
            table = self.query(f"SELECT id, {names} {self._from}", None)
            ids = _whole(table["id"])
            order = None if np.array_equal(ids, self.ids) else self._put_in_order(ids)
            for trait in chunk:
                values = table[trait.name] if order is None else table[trait.name].take(order)
                yield trait.name, _column(values, trait)

    def _put_in_order(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where an engine hands rows out in another order each time: which row comes at which place."""
        order = np.full(self.ids.size, -1, np.int64)
        rows = self.rows(ids)
        if ids.size == self.ids.size and (rows >= 0).all():
            order[rows] = np.arange(ids.size)
        if (order < 0).any():
            raise InvalidInput("the customers' table changed while it was read", hint="ask again")
        return order


def _whole(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(column.to_numpy(), np.int64)


def _column(values: pa.ChunkedArray, trait: Trait) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    if trait.kind == "text":
        return coded(values)
    if trait.kind == "texts":
        flat = values.combine_chunks()
        if isinstance(flat, pa.ChunkedArray):
            flat = flat.chunk(0) if flat.num_chunks else pa.array([], values.type)
        items = coded(pa.chunked_array([pc.list_flatten(flat)]))
        rows = np.asarray(pc.list_parent_indices(flat), np.int64)
        return Lists(rows[items.codes >= 0], items.codes[items.codes >= 0], items.levels)
    if trait.kind == "time":
        values = values.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
        return np.asarray(values.cast(pa.float64()).to_numpy(), float) / _DAY
    return np.asarray(values.cast(pa.float64()).to_numpy(), float)


def coded(values: pa.ChunkedArray) -> Texts:
    """Texts as codes; the empty text counts as nothing known.

    >>> import pyarrow as pa
    >>> made = coded(pa.chunked_array([["a", "", None, "b", "a"]]))
    >>> made.codes.tolist(), made.levels
    ([0, -1, -1, 1, 0], ('a', 'b'))
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = values.cast(pa.string())
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    array = pc.dictionary_encode(text)
    array = array.unify_dictionaries().combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], pa.string()).dictionary_encode()
    codes = pc.fill_null(array.indices, -1)
    return Texts(np.asarray(codes, np.int64), array.dictionary.to_pylist())
