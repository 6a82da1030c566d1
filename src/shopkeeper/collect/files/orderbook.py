"""All lines of an order file, column by column: amounts, keys, and the lines of each order side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shopkeeper.collect.files.amounts import Exact, half_even, multiply
from shopkeeper.collect.files.cells import Values, encode
from shopkeeper.collect.files.convert import Typed
from shopkeeper.collect.files.linekeys import Hashes, combined, of_numbers, of_texts
from shopkeeper.collect.files.numbers import MILLION
from shopkeeper.collect.prepare import AHEAD
from shopkeeper.domain.batch import Refused
from shopkeeper.domain.money import exponent

_SOLD: Final = ("product_id", "sku", "variant")
FAR: Final = np.iinfo(np.int64).max
"""Later than any line."""

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Refuse = Callable[[int, str, str], Refused]


@dataclass(slots=True)
class Coded:
    """One text column of all lines: codes into a dictionary, -1 where absent."""

    codes: Codes
    words: list[str]

    def listed(self, index: Ints | slice) -> list[str]:
        """The texts of some lines, "" where absent."""
        words = [*self.words, ""]
        return [words[code] for code in self.codes[index].tolist()]


class OrderBook:
    """All lines of a file, column by column."""

    def __init__(self, parts: Sequence[Typed], currency: str) -> None:
        self.size = sum(len(part.lines) for part in parts)
        fields = list(parts[0].values) if parts else []
        self._texts = {
            name: _joined([part.values[name] for part in parts])
            for name in fields
            if parts[0].values[name].texts is not None
        }
        self._numbers = {
            name: np.concatenate([_filled(part.values[name]) for part in parts])
            for name in fields
            if parts[0].values[name].numbers is not None
        }
        self.notes: list[str] = []
        self.order = self.text("order_id")
        self.time = self._numbers["time"]
        self.currency = self._currency(currency)
        self.quantity = self._numbers.get("quantity", np.full(self.size, MILLION, np.int64))
        if "unit_price" in self._numbers:
            self.price = self._numbers["unit_price"]
            self.exact = multiply(self.price, self.quantity)
        else:
            self._from_amounts()

    def text(self, name: str) -> Coded:
        """A text column, all absent where the file has none."""
        return self._texts.get(name) or Coded(np.full(self.size, -1, np.int32), [])

    def has(self, name: str) -> bool:
        """Whether the file has a column for the field."""
        return name in self._texts or name in self._numbers

    def _currency(self, default: str) -> Coded:
        given = self.text("currency")
        words = given.words if default in given.words else [*given.words, default]
        codes = np.where(given.codes < 0, words.index(default), given.codes).astype(np.int32)
        return Coded(codes, words)

    def _from_amounts(self) -> None:
        """Unit prices from line totals. Totals without any sign beside negative quantities take their sign."""
        amount = self._numbers["amount"]
        if (self.quantity < 0).any() and not (amount[self.quantity < 0] < 0).any():
            amount = np.where(self.quantity < 0, -amount, amount)
            self.notes.append("amounts of returns have no sign; they were taken as given back")
        units = np.where(self.quantity == 0, 1.0, self.quantity / MILLION)
        self.price = np.rint(amount / units).astype(np.int64)
        self.exact = Exact(amount, np.zeros(self.size, np.int64), np.zeros(self.size, bool))

    def keepable(
        self, refused: list[Refused], refusers: Sequence[Refuse], parts: Sequence[Typed], now: int
    ) -> Flags:
        """Which lines can be part of an order; the others are added to ``refused``."""
        keep = np.ones(self.size, bool)
        places = np.cumsum([0, *(len(part.lines) for part in parts)])
        for fault, reason, detail in self.faults(now):
            for line in np.flatnonzero(fault & keep).tolist():
                part = int(np.searchsorted(places, line, "right")) - 1
                refused.append(refusers[part](line - int(places[part]), reason, detail))
            keep &= ~fault
        return keep

    def faults(self, now: int) -> list[tuple[Flags, str, str]]:
        """Lines that cannot be part of an order: which, reason, sentence."""
        first = np.full(len(self.order.words), -1, np.int32)
        first[self.order.codes[::-1]] = self.currency.codes[::-1]
        return [
            (self.quantity == 0, "zero_quantity", "a quantity of 0 sells and returns nothing"),
            (self.time > now + AHEAD, "in_the_future", "dated more than a day ahead"),
            (self.exact.bad, "too_large", "price times quantity is beyond any amount"),
            (
                self.currency.codes != first[self.order.codes],
                "mixed_currency",
                "the order's first line has another currency",
            ),
        ]

    def keep(self, rows: Flags) -> None:
        """Go on with only those lines."""
        self._texts = {name: Coded(one.codes[rows], one.words) for name, one in self._texts.items()}
        self._numbers = {name: one[rows] for name, one in self._numbers.items()}
        self.order = self._texts["order_id"]
        self.currency = Coded(self.currency.codes[rows], self.currency.words)
        self.time, self.quantity, self.price = self.time[rows], self.quantity[rows], self.price[rows]
        self.exact = Exact(self.exact.floor[rows], self.exact.rest[rows], self.exact.bad[rows])
        self.size = int(rows.sum())

    def arrange(self) -> tuple[Ints, Ints, Codes]:
        """Sort the lines so that each order's stand together, orders by currency and time.

        Returns where each order starts, where it ends, and its code.
        """
        earliest = np.full(len(self.order.words), FAR, np.int64)
        np.minimum.at(earliest, self.order.codes, self.time)
        money = np.zeros(len(self.order.words), np.int32)
        money[self.order.codes] = self.currency.codes
        rank = np.empty(len(self.order.words), np.int64)
        rank[np.lexsort((earliest, money))] = np.arange(len(rank))
        lines = np.argsort(rank[self.order.codes], kind="stable")
        self.reorder(lines)
        codes = self.order.codes
        starts = (
            np.flatnonzero(np.append(True, codes[1:] != codes[:-1])) if len(codes) else np.zeros(0, np.int64)
        )
        return starts, np.append(starts[1:], len(codes)), codes[starts]

    def reorder(self, lines: Ints) -> None:
        """Put the lines into another order."""
        for one in (*self._texts.values(), self.currency):
            one.codes = one.codes[lines]
        self._numbers = {name: one[lines] for name, one in self._numbers.items()}
        self.time, self.quantity, self.price = self.time[lines], self.quantity[lines], self.price[lines]
        self.exact = Exact(self.exact.floor[lines], self.exact.rest[lines], self.exact.bad[lines])

    def content(self) -> Hashes:
        """A hash of what each line says of itself: what was sold, when and for how much."""
        sold = [name for name in _SOLD if self.has(name)]
        if not self.has("product_id") and not self.has("sku"):
            sold.append("name")
        return combined(
            [
                *((name, of_texts(self.text(name).words, self.text(name).codes)) for name in sold),
                ("currency", of_texts(self.currency.words, self.currency.codes)),
                ("time", of_numbers(self.time)),
                ("quantity", of_numbers(self.quantity)),
                ("unit_price", of_numbers(self.price)),
                ("amount", of_numbers(self.exact.floor)),
            ]
        )

    def minor(self) -> Ints:
        """Line amounts in minor units."""
        unit = np.array([10 ** (6 - exponent(word)) for word in self.currency.words], np.int64)
        return half_even(self.exact, unit[self.currency.codes])


def _joined(parts: list[Values]) -> Coded:
    arrays = [encode(part.texts) for part in parts]
    whole = pa.chunked_array(arrays).unify_dictionaries().combine_chunks() if len(arrays) > 1 else arrays[0]
    return Coded(
        np.asarray(whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)).astype(np.int32),
        whole.dictionary.to_pylist(),
    )


def _filled(values: Values) -> Ints:
    assert values.numbers is not None  # noqa: S101  (only called for number columns)
    return np.where(values.present, values.numbers, 0)
