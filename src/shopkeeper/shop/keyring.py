"""API keys: made with scopes and an end, shown once, kept as a keyed hash."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shopkeeper.domain.access import ApiKey, Caller, NewKey
from shopkeeper.domain.actor import SCOPES, Actor, Permission
from shopkeeper.domain.clock import MICROSECOND, SECOND, instant
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, UnknownName
from shopkeeper.shop.auditing import present
from shopkeeper.stores.contract.access import AccessWriter, KeyRow

if TYPE_CHECKING:
    from shopkeeper.shop.places import Places

PREFIX = "shk_"
"""Every key begins with it, so that scanners find one that was committed by mistake."""
LONGEST_DAYS = 3650
_TOUCH = 60 * SECOND


def keys(places: Places) -> tuple[ApiKey, ...]:
    """Every key, the newest first."""
    now = present(places)
    with places.gate.read() as reader:
        return tuple(_shown(row, now) for row in reader.api_keys())


def add(places: Places, name: str, scopes: Collection[str], days: int, actor: Actor) -> NewKey:
    """Make a key. Nobody can give a key more than they have themselves."""
    label = name.strip()
    if not label or len(label) > 60:
        raise InvalidInput("a key needs a name of 1 to 60 characters", hint="say which program it is for")
    if not 0 <= days <= LONGEST_DAYS:
        raise InvalidInput(
            f"a key works for 1 to {LONGEST_DAYS} days", hint="give 0 for a key without an end"
        )
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownName("scope", scope[:40], SCOPES)
    if not scopes:
        raise InvalidInput("a key without scopes opens nothing", hint=f"scopes: {', '.join(SCOPES)}")
    beyond = sorted(scope for scope in scopes if not _has(actor, scope))
    if beyond:
        raise InvalidInput(f"you may not give what you do not have: {', '.join(beyond)}")
    secret, now = PREFIX + secrets.token_urlsafe(32), present(places)

    def work(tx: AccessWriter) -> KeyRow:
        row = KeyRow(
            id=tx.next_number("api_key"), hash=_hash(places, secret), hint=secret[-4:], name=label,
            scopes=" ".join(scope for scope in SCOPES if scope in scopes), created_at=now, created_by=actor.name,
            ends_at=now + timedelta(days=days) // MICROSECOND if days else 0, used_at=0, revoked_at=0,
        )  # fmt: skip
        tx.put_key(row)
        return row

    return NewKey(key=_shown(places.gate.write(work), now), secret=secret)


def revoke(places: Places, which: str) -> ApiKey:
    """End a key, named ``k5``, at once and for ever."""
    now = present(places)

    def work(tx: AccessWriter) -> KeyRow:
        row = next((row for row in tx.api_keys() if f"k{row.id}" == which.strip()), None)
        if row is None:
            raise NotFound("there is no such key", hint="give an id such as k5")
        if row.revoked_at:
            raise Conflict(f"{which.strip()} is revoked already")
        revoked = row._replace(revoked_at=now)
        tx.put_key(revoked)
        return revoked

    return _shown(places.gate.write(work), now)


def bearer(places: Places, secret: str) -> Caller | None:
    """Who holds a key; None where it is none, has ended or was revoked."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    now, hash_ = present(places), _hash(places, secret)
    with places.gate.read() as reader:
        row = reader.api_key(hash_)
    if row is None or not _works(row, now):
        return None
    if now - row.used_at >= _TOUCH:
        places.gate.write(lambda tx: _touch(tx, hash_, now))
    return Caller(actor=Actor(f"k{row.id}", "key", frozenset(row.scopes.split())))


def _touch(tx: AccessWriter, hash_: bytes, now: int) -> None:
    row = tx.api_key(hash_)
    if row is not None:
        tx.put_key(row._replace(used_at=now))


def _hash(places: Places, secret: str) -> bytes:
    return places.vault.pseudonym("api_key", secret)


def _has(actor: Actor, scope: str) -> bool:
    return scope in {str(p) for p in Permission if actor.may(p)} | {f"see_{one}" for one in actor.sees}


def _works(row: KeyRow, now: int) -> bool:
    return not row.revoked_at and not (row.ends_at and row.ends_at <= now)


def _shown(row: KeyRow, now: int) -> ApiKey:
    def at(moment: int) -> datetime | None:
        return instant(moment) if moment else None

    return ApiKey(
        id=f"k{row.id}", name=row.name, hint=row.hint, scopes=tuple(row.scopes.split()),
        created_at=instant(row.created_at), created_by=row.created_by, ends_at=at(row.ends_at), used_at=at(row.used_at),
        revoked_at=at(row.revoked_at), works=_works(row, now),
    )  # fmt: skip
