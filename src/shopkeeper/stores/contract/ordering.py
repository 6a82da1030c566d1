"""Rows to fold in the order of folding: a plain sort, which is fast, and then what a plain sort cannot know."""

from __future__ import annotations

from itertools import pairwise

from shopkeeper.domain.ordering import FIRST, RANKS
from shopkeeper.stores.contract.rows import FoldedRow


def in_order(rows: list[FoldedRow]) -> list[FoldedRow]:
    """Sort rows in place by customer and, for each, in the order of folding (``domain.ordering``); returns them.

    >>> def row(name, key):
    ...     return (1, 0, key, name, 1, "", "", 1, "", b"{}")
    >>> [r[2] for r in in_order([row("Order Refunded", b"a"), row("Order Completed", b"b")])]
    [b'b', b'a']
    """
    rows.sort()  # by customer, time and key, which no two share
    # Among events of one customer and instant some must come last; few must, so only they are moved.
    together = [i for i, (a, b) in enumerate(pairwise(rows), 1) if a[1] == b[1] and a[0] == b[0]]
    done = 0
    for here in together:
        if here < done or (rows[here][3] not in RANKS and rows[here - 1][3] not in RANKS):
            continue
        who, when = rows[here][:2]
        start, done = here - 1, here + 1
        while start and rows[start - 1][:2] == (who, when):
            start -= 1
        while done < len(rows) and rows[done][:2] == (who, when):
            done += 1
        rows[start:done] = sorted(rows[start:done], key=lambda row: (RANKS.get(row[3], FIRST), row[2]))
    return rows
