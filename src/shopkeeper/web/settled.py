"""Settles who is who, or what holds for all, from a door: here, or by the worker where one holds the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from shopkeeper.domain.identity import JunkFound, Ruling, Settle, Settlement

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_PATIENCE: Final = 20.0
"""Seconds that a request waits for the worker, which may be at something longer."""


def settled(shop: Shop, ask: Settle) -> Settlement:
    """What came of it."""
    if not shop.worked():
        return shop.settle(ask.what, *ask.identifiers, customer=ask.customer, dry_run=ask.dry_run)
    job = shop.hand_over("settle", **msgspec.to_builtins(ask))
    return msgspec.convert(shop.follow(job, patience=_PATIENCE), Settlement)


def ruled(shop: Shop, *, apply: bool, lately: bool = False) -> Ruling:
    """What other rules would change, or did; ``lately`` for a page, which is opened more often than that changes."""
    if not shop.worked():
        return shop.identity_rules(apply=apply, lately=lately)
    job = shop.hand_over("identity rules", apply=apply, lately=lately)
    return msgspec.convert(shop.follow(job, patience=_PATIENCE), Ruling)


def junked(shop: Shop, *, apply: bool) -> JunkFound:
    """Values that name nobody, found or set aside."""
    if not shop.worked():
        return shop.junk_identifiers(apply=apply)
    job = shop.hand_over("identity junk", apply=apply)
    return msgspec.convert(shop.follow(job, patience=_PATIENCE), JunkFound)
