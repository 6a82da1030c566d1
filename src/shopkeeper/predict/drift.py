"""How predictions moved between two refreshes, and whether that is more than noise.

Nothing here raises an alarm by itself being different: predictions of a living shop move every day. Warned is of what
is both large enough to matter and beyond chance:

* the distribution of a prediction: the population stability index by tenths of the earlier one, above 0.1 (the usual
  mark for a moderate shift; Siddiqi 2006) and above what chance exceeds once in a thousand times. With n and m
  customers and B bins, chance gives about (1/n + 1/m) times a chi-square with B - 1 degrees of freedom (Yurdakul 2018).
  The same customers are counted twice, so chance really gives less: the rule errs towards silence;
* what was foretold of the days since: what came lies outside the range of 99 %, and is off by more than a tenth;
* a parameter of the same model that moved by more than three of its standard errors, where one of the above is so: it
  is part of the reason. By itself it is told and not warned of, for parameters trade off against each other.

Pure functions of arrays: no shop is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.value import Change, Kept, Moved, Parameter, Shift
from shopkeeper.predict.value.sums import range_of_sum

PSI_MATTERS = 0.1
CHANCE = 0.999
ERRORS_MATTER = 3.0
OFF_MATTERS = 0.1
LEVEL = 0.99
_BINS = 10
_LEAST = 1e-4
_ENOUGH = 200
"""Customers below which a distribution is not compared."""

Floats = NDArray[np.float64]


def stability(before: Floats, now: Floats, *, bins: int = _BINS) -> tuple[float, float]:
    """Give the population stability index and what chance exceeds once in a thousand times.

    Bins are quantiles of ``before``; ties (many zeros) make fewer of them. NaN is left out.

    >>> same = np.arange(1000.0)
    >>> stability(same, same)[0]
    0.0
    >>> index, noise = stability(same, same + 300.0)
    >>> index > noise
    True
    """
    from scipy.special import chdtri

    before, now = before[~np.isnan(before)], now[~np.isnan(now)]
    if not before.size or not now.size:
        return 0.0, 0.0
    edges = np.unique(np.quantile(before, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    was = np.bincount(np.searchsorted(edges, before), minlength=edges.size + 1) / before.size
    is_ = np.bincount(np.searchsorted(edges, now), minlength=edges.size + 1) / now.size
    was, is_ = np.maximum(was, _LEAST), np.maximum(is_, _LEAST)
    index = float(((is_ - was) * np.log(is_ / was)).sum())
    chance = float(chdtri(max(edges.size, 1), 1.0 - CHANCE) * (1.0 / before.size + 1.0 / now.size))
    return index, chance


def shift(name: str, before: Floats, now: Floats) -> Shift:
    """Give how one prediction moved."""
    index, noise = stability(before, now)
    enough = min(before.size, now.size) >= _ENOUGH
    return Shift(
        name=name, before=_mean(before), now=_mean(now), psi=index, noise=noise,
        moved=enough and index > PSI_MATTERS and index > noise,
    )  # fmt: skip


def moves(before: Sequence[str], now: Sequence[str]) -> tuple[Moved, ...]:
    """Give who went from which state into which, of customers in both refreshes, the most first.

    >>> moves(["new", "new"], ["new", "active"])[0].customers
    1
    """
    if len(before) != len(now):
        raise InvalidInput(f"arrays differ in length: before {len(before)}, now {len(now)}")
    pairs, counts = np.unique(np.array([before, now], dtype=np.str_), axis=1, return_counts=True)
    found = [
        Moved(before=str(was), now=str(is_), customers=int(n))
        for (was, is_), n in zip(pairs.T.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.customers, one.before, one.now)))


def changes(
    before: Mapping[str, NDArray[Any]], now: Mapping[str, NDArray[Any]], bought: NDArray[np.bool_]
) -> tuple[Change, ...]:
    """Give the parts of the change of the total value: they add up to it.

    Args:
        before: ``customer`` (ascending) and ``value`` of the earlier refresh.
        now: the same of this one.
        bought: of the customers of ``now``, who has ordered since.
    """
    there = np.isin(now["customer"], before["customer"])
    stayed = np.isin(before["customer"], now["customer"])
    was = np.zeros(now["customer"].size)
    was[there] = before["value"][stayed]
    moved = now["value"] - was

    def part(name: str, mask: NDArray[np.bool_]) -> Change:
        return Change(name=name, customers=int(mask.sum()), value=float(moved[mask].sum()))

    gone = ~stayed
    return (
        part("new customers", ~there),
        part("ordered since", there & bought),
        part("did not order since", there & ~bought),
        Change(
            name="no customer any more", customers=int(gone.sum()), value=-float(before["value"][gone].sum())
        ),
    )


def kept(
    expected: Floats,
    variance: Floats,
    orders: NDArray[np.int64],
    *,
    together: float = 0.0,
    level: float = LEVEL,
) -> tuple[Kept, ...]:
    """Give what was foretold for the days since beside what came: all customers, then tenths by what was expected.

    The range is that of the sum under the earlier models (`range_of_sum`): customers are independent, but for
    ``together``, the relative deviation by which all of them were off at once on the shop's own past. However unsure
    that leaves the sum, it is above nothing where much is expected: orders that stop are told.

    >>> kept(np.array([1.0, 0.5]), np.array([1.0, 0.5]), np.array([2, 0]))[0].within
    True
    >>> kept(np.full(300, 1.0), np.full(300, 1.0), np.zeros(300, dtype=np.int64), together=0.6)[0].within
    False
    """
    if not expected.size == variance.size == orders.size:
        raise InvalidInput(
            f"arrays differ in length: expected {expected.size}, variance {variance.size}, orders {orders.size}"
        )

    def row(name: str, rows: Any) -> Kept:
        mean = float(expected[rows].sum())
        low, high = range_of_sum(mean, float(variance[rows].sum()) + (together * mean) ** 2, level)
        return Kept(
            name=name, customers=int(expected[rows].size), expected=mean, low=max(low, 0.0), high=high,
            orders=int(orders[rows].sum()),
        )  # fmt: skip

    order = np.argsort(-expected, kind="stable")
    parts = np.array_split(order, _BINS) if expected.size >= _ENOUGH else []
    return (
        row("all customers", slice(None)),
        *(row(f"tenth {place}", part) for place, part in enumerate(parts, start=1)),
    )


def parameters(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Compare parameters of models saved as JSON, by the part they play; only of the same kind of model."""
    found = []
    for part, new in now.items():
        old = before.get(part)
        if not isinstance(new, dict) or not isinstance(old, dict) or old.get("model") != new.get("model"):
            continue
        if bool(old.get("by_order")) != bool(new.get("by_order")):
            continue  # amounts by order and by means call different things p, q and v
        errors = old.get("standard_errors") or new.get("standard_errors") or {}
        for name, error in errors.items():
            was, is_ = old.get(name), new.get(name)
            if isinstance(was, float) and isinstance(is_, float):
                moved = (is_ - was) / error if error else None
                found.append(
                    Parameter(
                        model=str(new.get("model") or part), name=name, before=was, now=is_, errors=moved
                    )
                )
    return tuple(found)


def warnings(
    shifts: Sequence[Shift], kept_: Sequence[Kept], parameters_: Sequence[Parameter]
) -> tuple[str, ...]:
    """Say what is large enough to look at and beyond chance, by the rules above."""
    said = [
        f"the distribution of {one.name} moved: stability index {one.psi:.2f}, from chance at most {one.noise:.3f}"
        for one in shifts
        if one.moved
    ]
    if (
        kept_
        and not kept_[0].within
        and abs(kept_[0].orders - kept_[0].expected) > OFF_MATTERS * kept_[0].expected
    ):
        one = kept_[0]
        more = "more" if one.orders > one.expected else "fewer"
        said.append(
            f"{more} orders came than the earlier refresh foretold: {one.orders:,} against "
            f"{one.expected:,.0f} ({one.low:,.0f} to {one.high:,.0f})"
        )
    if said:
        said += [
            f"{one.name} of {one.model} moved by {abs(one.errors):.1f} standard errors"
            for one in parameters_
            if one.errors is not None and abs(one.errors) > ERRORS_MATTER
        ]
    return tuple(said)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 0.0
