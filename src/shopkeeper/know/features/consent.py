"""Where each purpose of consent stood at an instant: of several identities the most restrictive counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shopkeeper.domain.consent import MARKETING, PURPOSES, WITHDRAWALS, purpose_of
from shopkeeper.know.features.asked import Asked, Ints
from shopkeeper.know.overview import Query

_ASKED = tuple(purpose for purpose in PURPOSES if purpose not in ("service", "profiling"))


def words() -> dict[str, str]:
    """Each column in words."""
    return {f"consent_{one}": f"consent to {PURPOSES[one]}: 1 given, 0 withdrawn" for one in _ASKED}


def consents(query: Query, asked: Asked) -> dict[str, tuple[Ints, Ints, NDArray[np.bool_]]]:
    """By purpose: customer, and whether it was given, one row for each identity that said anything."""
    names = ", ".join(f"'{name}'" for name in ("Consent Given", *WITHDRAWALS))
    sql = f"""
WITH {asked.who}
SELECT
    w.customer, e.node, coalesce(e.purpose, '') AS purpose, CAST(e.name = 'Consent Given' AS INTEGER) AS given,
    CAST(e.name LIKE 'Email %' AS INTEGER) AS mail, epoch_us(max(e.occurred_at)) AS at
FROM events AS e JOIN who AS w ON w.node = e.node
WHERE e.name IN ({names}) AND {asked.seen("e")}
GROUP BY 1, 2, 3, 4, 5
"""
    found = asked.ask(query, sql)
    meant = {text: purpose_of(text) for text in np.unique(found["purpose"].astype(np.str_)).tolist()}
    texts = found["purpose"].astype(np.str_)
    given, mail = found["given"] == 1, found["mail"] == 1
    answer = {}
    for one in _ASKED:
        own = np.isin(texts, [text for text, purpose in meant.items() if purpose == one])
        vague = np.isin(texts, [text for text, purpose in meant.items() if purpose is None])
        says = np.where(mail, one == "marketing_email", own | (vague & ~given & (one in MARKETING)))
        rows = np.flatnonzero(says)
        # The latest of each identity; of two of one instant the withdrawal.
        order = rows[np.lexsort((~given[rows], found["at"][rows], found["node"][rows]))]
        node = found["node"][order]
        latest = order[np.flatnonzero(np.diff(node, append=-1))] if order.size else order
        answer[one] = (found["customer"][latest].astype(np.int64), found["node"][latest], given[latest])
    return answer


def columns(
    said: dict[str, tuple[Ints, Ints, NDArray[np.bool_]]], customers: Ints
) -> dict[str, NDArray[np.float64]]:
    """Columns for these customers (ascending); NaN where nothing was said."""
    found = {}
    for purpose, (customer, _, given) in said.items():
        column = np.full(customers.size, np.nan)
        there = np.isin(customer, customers)
        np.fmin.at(column, np.searchsorted(customers, customer[there]), given[there].astype(np.float64))
        found[f"consent_{purpose}"] = column
    return found
