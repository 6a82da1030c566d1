"""As of when a table of features is asked, of whom, and in which money; and who is who in it.

Parameters of every question: ``$end``, before which things happened; ``$apart``, nodes that belonged to nobody's
customer yet; ``$without``, customers who are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shopkeeper.domain.clock import instant
from shopkeeper.domain.money import exponent
from shopkeeper.know.overview import Query, spans

Ints = NDArray[np.int64]

RATES = """rates AS (
    SELECT span.currency AS currency, span.since AS since, span.until AS until, span.factor AS factor
    FROM (SELECT unnest($rates) AS span) AS spans
)"""


class Asked(Struct, frozen=True, kw_only=True):
    """The instant and the setting.

    Attributes:
        end: microseconds; what occurred at it or later is not seen.
        known: whether what was only received at ``end`` or later is not seen either.
        apart: nodes that were not known to be the customer's.
        without: customers left out.
        currency: of the shop.
        rates: currency, day number, reporting units for one unit.
        assumed: margin as a share of the amount where the cost is not known.
    """

    end: int
    known: bool = False
    apart: tuple[int, ...] = ()
    without: tuple[int, ...] = ()
    currency: str = "EUR"
    rates: tuple[tuple[str, int, float], ...] = ()
    assumed: float = 0.0

    @property
    def who(self) -> str:
        """Who is who: a table expression."""
        apart = " AND node NOT IN (SELECT unnest($apart))" if self.apart else ""
        without = " AND customer NOT IN (SELECT unnest($without))" if self.without else ""
        return f"who AS (\n    SELECT node, customer FROM identities WHERE node <> 0{apart}{without}\n)"

    def seen(self, alias: str) -> str:
        """Which rows of the log may be seen, as a condition."""
        received = f" AND {alias}.received_at < $end" if self.known else ""
        return f"{alias}.occurred_at < $end AND {alias}.node <> 0{received}"

    def ask(self, query: Query, sql: str, **more: Any) -> dict[str, NDArray[Any]]:
        """Put a question and give its columns as arrays."""
        named: dict[str, Any] = {
            "end": instant(self.end), "apart": list(self.apart), "without": list(self.without),
            "currency": self.currency, "minor": float(10 ** exponent(self.currency)), "assumed": self.assumed,
            "rates": spans(self.currency, self.rates) if "$rates" in sql else [], **more,
        }  # fmt: skip
        table = query(sql, {name: value for name, value in named.items() if f"${name}" in sql})
        columns = dict(zip(table.schema.names, table.columns, strict=True))
        del table  # so that what is an array already is not kept as a column as well
        return {name: columns.pop(name).to_numpy(zero_copy_only=False) for name in [*columns]}


def places(customers: Ints, wanted: Ints) -> Ints:
    """Where each of ``wanted`` stands among ``customers`` (ascending, none left out).

    Ids are dense, and then looking them up in a table is several times as quick as a search.

    >>> places(np.array([3, 5, 9]), np.array([9, 3, 3])).tolist()
    [2, 0, 0]
    """
    if not customers.size or wanted.size < customers.size // 4 or customers[-1] > 8 * customers.size:
        return np.searchsorted(customers, wanted)
    table = np.empty(int(customers[-1]) + 1, dtype=np.int32)
    table[customers] = np.arange(customers.size, dtype=np.int32)
    return np.asarray(table[wanted], dtype=np.int64)
