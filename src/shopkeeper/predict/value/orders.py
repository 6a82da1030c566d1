"""Reads a log of orders from arrays or any data frame, and says what happens to returns and repeated ids.

A data frame is anything that gives a column by name (pandas, Polars, a dict of arrays) or hands itself over as Arrow
(a table, a record batch, a DuckDB relation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.predict.value.history import Floats, Ints, column, refuse_rows
from shopkeeper.predict.value.times import days_of, plain

RETURNS = ("refuse", "net", "drop", "keep")
DUPLICATES = ("refuse", "sum", "first")
_USUAL = {
    "customer": ("customer", "customer_id", "customer_key", "customer id"),
    "occurred_at": ("occurred_at", "ordered_at", "order_date", "date", "timestamp", "ts", "invoicedate"),
    "amount": ("amount", "margin", "revenue", "order_value", "total", "sales"),
}


@dataclass(frozen=True, slots=True)
class Orders:
    """Checked orders, one entry each: who, day since 1970-01-01, amount. ``dropped`` returns were left out."""

    customer: NDArray[Any]
    day: Ints
    amount: Floats
    dropped: int = 0


def from_table(orders: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Take the columns out of a data frame. ``given`` names them by role; None: the usual names.

    Raises:
        InvalidInput: it is no data frame, a column is not there, or more than one has a usual name.
    """
    orders = frame(orders)
    names = names_of(orders)
    found: dict[str, Any] = {}
    for role, name in given.items():
        if name is not None and not isinstance(name, str):
            raise InvalidInput(
                f"{role} is no name of a column",
                hint="with a data frame give the names of columns, without one the arrays",
            )
        chosen = _usual(role, names) if name is None else name
        if chosen is not None and chosen not in names:
            raise UnknownName("column", chosen, names)
        found[role] = None if chosen is None else orders[chosen]
    return found


def read_orders(
    *,
    customer: Any,
    occurred_at: Any,
    amount: Any = None,
    order: Any = None,
    time_zone: str | None = None,
    returns: str = "keep",
    duplicates: str = "refuse",
) -> Orders:
    """Check orders; what a negative amount and a repeated order id mean is said by the caller.

    Raises:
        InvalidInput: what cannot be used, and in which rows.
    """
    for what, value, known in (("returns", returns, RETURNS), ("duplicates", duplicates, DUPLICATES)):
        if value not in known:
            raise UnknownName(what, value, known)
    who = _named("customer", customer)
    day = days_of("occurred_at", occurred_at, time_zone)
    money = np.zeros(day.size) if amount is None else column("amount", plain(amount))
    if who.ndim != 1 or not who.size == day.size == money.size:
        raise InvalidInput(
            f"arrays differ in length: customer {who.size}, occurred_at {day.size}, amount {money.size}",
            hint="give one entry per order in each",
        )
    negative = money < 0
    if returns == "refuse":
        refuse_rows(
            negative,
            "amount is negative",
            hint="say what that means: returns='net' (a return, taken off the purchase before), 'drop' "
            "(left out) or 'keep' (a purchase at a loss)",
        )
    kept = ~negative if returns == "drop" else np.ones(day.size, dtype=np.bool_)
    if order is not None:
        kept &= _once(plain(order), who, day, duplicates)
    if kept.all():
        return Orders(who, day, money)
    dropped = int(negative.sum()) if returns == "drop" else 0
    return Orders(who[kept], day[kept], money[kept], dropped)


def net_returns(
    code: Ints, day_amount: Floats, buys: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], Floats, int]:
    """Take what came back on days without a purchase off the purchase day before.

    Args:
        code: customer of each day, days in order.
        day_amount: what was bought less what came back on that day.
        buys: whether anything was bought on that day.

    Returns:
        Which days stay, their amounts, and how many days with returns had no purchase before them.

    >>> stay, amount, lost = net_returns(np.array([0, 0, 1]), np.array([9.0, -4, -2]), np.array([True, False, False]))
    >>> stay.tolist(), amount.tolist(), lost
    ([True, False, False], [5.0], 1)
    """
    place = np.arange(code.size)
    before = np.maximum.accumulate(np.where(buys, place, -1)) if code.size else place
    back = np.flatnonzero(~buys)
    target = before[back]
    own = (target >= 0) & (code[np.maximum(target, 0)] == code[back])
    amount = day_amount.copy()
    np.add.at(amount, target[own], day_amount[back[own]])
    return buys, amount[buys], int(back.size - own.sum())


def frame(orders: Any) -> Any:
    """Give what has columns by name as it is, and what speaks Arrow's C interface as an Arrow table."""
    if type(orders).__name__ == "LazyFrame":
        raise InvalidInput("orders is a lazy frame", hint="call .collect() on it")
    if isinstance(orders, dict) or hasattr(orders, "to_numpy"):
        return orders
    if hasattr(orders, "__arrow_c_stream__") or hasattr(orders, "__arrow_c_array__"):
        import pyarrow as pa

        return pa.table(orders)
    return orders


def names_of(orders: Any) -> list[str]:
    """Give the names of the columns. Raises InvalidInput: it is no data frame."""
    if isinstance(orders, dict):
        return [str(name) for name in orders]
    names = getattr(orders, "column_names", None)
    if names is None:
        names = getattr(orders, "columns", None)
    if names is None or not hasattr(orders, "__getitem__"):
        raise InvalidInput(
            f"orders is a {type(orders).__name__}, no data frame",
            hint="give pandas, Polars, an Arrow table or a dict of arrays; or customer= and occurred_at= as arrays",
        )
    return [str(name) for name in names]


def _usual(role: str, names: list[str]) -> str | None:
    """The column with a usual name of that role; None where the role may be absent."""
    usual = _USUAL.get(role, ())
    found = [name for name in names if name.lower().replace("_", " ") in {u.replace("_", " ") for u in usual}]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidInput(
            f"more than one column may be the {role}: {', '.join(found)}", hint=f"say which: {role}='...'"
        )
    if role in {"customer", "occurred_at"}:
        raise InvalidInput(
            f"no column has a usual name of {role}; there are {', '.join(names[:20])}",
            hint=f"say which: {role}='...'",
        )
    return None


def _named(name: str, values: Any) -> NDArray[Any]:
    """Give whole numbers or text that stand for somebody or something, none missing.

    >>> _named("customer", [2**70, 7]).tolist()  # beyond what an array of whole numbers holds
    ['1180591620717411303424', '7']
    """
    kind = str(getattr(values, "type", ""))
    if kind.startswith("dictionary"):
        values = values.cast(values.type.value_type)
    who = np.asarray(plain(values))
    if who.dtype.kind == "O":
        listed = who.tolist()
        missing = np.fromiter((gone(one) for one in listed), dtype=np.bool_, count=who.size)
        refuse_rows(missing, f"{name} is missing")
        if all(isinstance(one, int) for one in listed) and who.size:
            try:
                return np.asarray(listed, dtype=np.int64)
            except OverflowError:
                return who.astype(np.str_)
        who = who.astype(np.str_)
    if who.dtype.kind == "f":
        refuse_rows(~np.isfinite(who), f"{name} is missing")
    if who.dtype.kind == "U":
        # What a file leaves empty is text without a letter to many readers: all who are unknown would be one customer.
        refuse_rows(who == "", f"{name} is missing (empty text)")
    return who


def gone(one: Any) -> bool:
    """Say whether it stands for a value that is missing."""
    if isinstance(one, float):
        return math.isnan(one)
    return one is None or type(one).__name__ in {"NAType", "NaTType"}


def _once(order: Any, who: NDArray[Any], day: Ints, duplicates: str) -> NDArray[np.bool_]:
    """Which rows stay where an order id comes more than once."""
    ids = _named("order", order)
    if ids.shape != day.shape:
        raise InvalidInput(f"arrays differ in length: order {ids.size}, occurred_at {day.size}")
    _, first, where = np.unique(ids, return_index=True, return_inverse=True)
    again = first[where] != np.arange(ids.size)
    if duplicates == "refuse":
        refuse_rows(
            again,
            "an order id is given again",
            hint="say what that means: duplicates='sum' (lines of one order) or 'first' (given twice)",
        )
    refuse_rows(who[first[where]] != who, "an order id belongs to another customer, too,")
    if duplicates == "sum":
        refuse_rows(day[first[where]] != day, "an order id is on another day, too,")
        return np.ones(ids.size, dtype=np.bool_)
    return np.asarray(~again)
