"""What advocacy and brand fit foretold: both as they stood on an earlier day, beside what came after it.

Half of the time the lake knows lies before that day, and at most a year after it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from shopkeeper.know.insight.derived import DEEDS
from shopkeeper.know.insight.origins_sql import SQL
from shopkeeper.know.overview import spans
from shopkeeper.predict.advocacy import Bringing, Foretold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shopkeeper.know.insight import People

_YEAR: Final = timedelta(days=365)
_REFERRED: Final = "Customer Referred"
_KINDS: Final = {
    "shared": ("Social Post Shared",),
    "commented": ("Social Post Commented",),
    "pinned": ("Social Post Pinned",),
    "liked": ("Social Post Liked", "Social Account Followed"),
    "linked": ("Social Account Linked",),
    "reviewed": ("Review Submitted",),
}
"""Deeds of which it is asked whether they go before bringing others."""


class LookedBack(Struct, frozen=True):
    """What was found, and of which day; ``origin`` is None where there is no past to look at."""

    origin: datetime | None
    brings: Bringing
    fits: tuple[Foretold, ...]


def look_back(
    people: People,
    *,
    currency: str,
    scale: float,
    zone: str,
    as_of: datetime,
    core: frozenset[str] = frozenset(),
) -> LookedBack:
    """Measure at an earlier day, of everybody who bought before it. ``scale`` is minor units of one unit of money,
    ``core`` the products that the catalogue calls core.
    """
    import numpy as np

    from shopkeeper.predict.advocacy import bringing
    from shopkeeper.predict.value.stray import believed

    asked: dict[str, Any] = {"rates": spans(currency, ()), "currency": currency}
    bought = people.query(SQL["days"], asked | {"zone": zone})
    customer = np.asarray(bought["customer"].to_numpy(), np.int64)
    day = bought["day"].to_numpy().astype("datetime64[D]")
    there = people.rows(customer) >= 0
    customer, day = customer[there], day[there]
    if not customer.size:
        return LookedBack(None, Bringing(customers=0, bringers=0), ())
    today = np.datetime64(as_of.astimezone(UTC).date(), "D")
    first = (
        np.datetime64(believed(day[day <= today].astype(np.int64))[0], "D") if (day <= today).any() else today
    )
    there = (day >= first) & (day <= today)
    customer, day = customer[there], day[there]
    after = min(_YEAR // timedelta(days=1), int((today - first).astype(int)) // 2)
    cut = today - np.timedelta64(after, "D")
    origin = datetime.combine(cut.astype(object), datetime.min.time(), UTC)
    before = day < cut
    ids, starts, times = np.unique(customer[before], return_index=True, return_counts=True)
    if not ids.size:
        return LookedBack(None, Bringing(customers=0, bringers=0), ())
    last = day[before][starts + times - 1]
    later = _counts(ids, customer[~before])
    deeds = people.query(SQL["deeds"], {"origin": origin, "deeds": sorted(DEEDS)})
    acted = _deeds(ids, deeds)
    every = acted.pop("every")
    since = np.minimum(day[before][starts], cut - np.timedelta64(1, "D"))
    brings = bringing(acted["before"] | {"orders": times}, acted["after"] > 0)
    goods = people.query(SQL["goods"], asked | {"origin": origin})
    fits = _fits(ids, starts, times, day[before], last, cut, later, every, since, goods, scale, core)
    return LookedBack(origin, brings, fits)


def _counts(ids: NDArray[Any], customers: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    at = np.minimum(np.searchsorted(ids, customers), ids.size - 1)
    return np.bincount(at[ids[at] == customers], minlength=ids.size)


def _deeds(ids: NDArray[Any], table: Any) -> dict[str, Any]:
    """By kind, how often each acted before; how many they brought after; and all deeds before together."""
    import numpy as np

    who = np.asarray(table["customer"].to_numpy(), np.int64)
    at = np.minimum(np.searchsorted(ids, who), ids.size - 1)
    here = ids[at] == who
    names = np.array(table["name"].to_pylist(), object)
    before = np.asarray(table["before"].to_numpy(), float)
    after = np.asarray(table["after"].to_numpy(), float)
    kinds = {}
    for kind, wanted in _KINDS.items():
        rows = here & np.isin(names, wanted)
        kinds[kind] = np.bincount(at[rows], before[rows], ids.size)
    referred = here & (names == _REFERRED)
    return {
        "before": kinds,
        "after": np.bincount(at[referred], after[referred], ids.size),
        "every": np.bincount(at[here], before[here], ids.size),
    }


def _fits(
    ids: NDArray[Any], starts: NDArray[Any], times: NDArray[Any], day: NDArray[Any], last: NDArray[Any], cut: Any,
    later: NDArray[Any], every: NDArray[Any], since: NDArray[Any], goods: Any, scale: float, core: frozenset[str],
) -> tuple[Foretold, ...]:  # fmt: skip
    """Whether brand fit and its parts, known on that day, went with orders after it."""
    import numpy as np
    import pyarrow.compute as pc

    from shopkeeper.predict.advocacy import (
        at_full_price,
        brand_fit,
        core_range,
        foretells,
        own_gaps,
        regulars,
    )

    count, mean, varied = own_gaps(starts, day.astype("datetime64[D]").astype(np.int64))
    silent = (cut - last).astype(int)
    regular = regulars(count=count, cv2=varied, active=silent <= 2 * np.maximum(mean, 1))
    who = np.asarray(goods["customer"].to_numpy(), np.int64)
    at = np.minimum(np.searchsorted(ids, who), ids.size - 1)
    here = ids[at] == who
    coded = pc.dictionary_encode(goods["product"].combine_chunks())
    code = np.asarray(coded.indices)[here]
    listed = np.full(max(len(coded.dictionary), 1), np.nan)
    listed[code] = np.asarray(goods["list_price"].to_numpy(), float)[here]
    amount = np.asarray(goods["amount"].to_numpy(), float)[here] / scale
    units = np.asarray(goods["units"].to_numpy(), float)[here]
    row = at[here]
    full = at_full_price(code, amount, units, listed)
    flagged = [place for place, name in enumerate(coded.dictionary.to_pylist()) if name in core]
    found = core_range(
        product=code, amount=amount, full=full, regular=regular[row], regulars=int(regular.sum()), buyers=ids.size,
        flagged=flagged,
    )  # fmt: skip
    years = np.maximum((cut - since).astype(int) / 365.25, 1.0)
    fit = brand_fit(
        row=row, product=code, amount=amount, full=full, core=found, orders=times, reduced=np.zeros(ids.size),
        deeds_a_year=every / years,
    )  # fmt: skip
    known = [times, silent]
    measures = {
        "brand_fit": fit.score,
        "core": fit.core,
        "full_price": fit.full_price,
        "engaged": every / years,
    }
    return tuple(foretells(name, values, later, known) for name, values in measures.items())
