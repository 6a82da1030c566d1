"""Sources: who hands in by itself, with write keys that can be rotated and a secret to sign with."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from shopkeeper.domain.clock import instant, micros
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, UnknownName
from shopkeeper.domain.source import Source, checked
from shopkeeper.shop.hearing import key_hash
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.gate import GateReader, GateWriter, SealedSecret, WriteKey

T = TypeVar("T")
KEYED = ("tracking", "poslog", "webhook")
"""Kinds that may authenticate with a write key."""
GRACE = timedelta(days=7)
"""How long an old key works beside a new one where nothing else is said."""
_KEY_OCTETS = 24


class KeyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A write key as far as it can be shown: the key itself is shown once, when it is made."""

    hint: str
    """Its last four characters."""
    created_at: datetime
    used_at: datetime | None
    """About when it was last used."""
    ends_at: datetime | None
    """From when on it does not work any more."""
    works: bool


class SourceShown(msgspec.Struct, frozen=True, kw_only=True):
    """A source with its keys."""

    source: Source
    keys: tuple[KeyShown, ...]
    secret_since: datetime | None
    """Since when it signs with the present secret; None where none was set."""


def shown(places: Places) -> list[SourceShown]:
    """Every source, by name."""
    now = places.now()
    with places.gate.read() as reader:
        sources, keys, sealed = reader.sources(), reader.write_keys(), reader.secrets()
    since = {row.source: instant(row.created_at) for row in sealed}
    return [
        SourceShown(
            source=source,
            keys=tuple(_key(key, now) for key in keys if key.source == source.name),
            secret_since=since.get(source.name),
        )
        for source in sources
    ]


def add(places: Places, source: Source) -> str:
    """Add a source; returns its write key, which is shown this once ("" for a kind that only signs)."""
    fresh = msgspec.structs.replace(_checked(source), created_at=places.now())
    key = new_key() if fresh.kind in KEYED else ""

    def work(tx: GateWriter) -> None:
        if any(other.name == fresh.name for other in tx.sources()):
            raise Conflict(
                f"there is a source {fresh.name!r} already", hint="choose another name, or change that one"
            )
        tx.put_source(fresh)
        if key:
            tx.add_write_key(_kept(places, fresh.name, key))

    _write(places, work)
    return key


def change(places: Places, name: str, **values: Any) -> Source:
    """Change what is known of a source, but its name, kind and age."""
    fixed = {"name", "kind", "created_at"} & values.keys()
    if fixed:
        raise InvalidInput(f"the {min(fixed)} of a source cannot be changed", hint="add another source")
    unknown = values.keys() - set(Source.__struct_fields__)
    if unknown:
        raise UnknownName("property of a source", min(unknown), Source.__struct_fields__)

    def work(tx: GateWriter) -> Source:
        before = msgspec.to_builtins(_named(tx, name))
        try:
            changed = _checked(msgspec.convert({**before, **values}, type=Source))
        except msgspec.ValidationError as error:
            raise InvalidInput(f"source {name!r}: {error}") from None
        tx.put_source(changed)
        return changed

    return _write(places, work)


def rotate(places: Places, name: str, grace: timedelta = GRACE) -> str:
    """Make a new write key; the present ones work until the grace is over. Returns the new key, shown this once."""
    if grace < timedelta(0):
        raise InvalidInput("a grace cannot be negative", hint="give 0 to end the old key at once")
    key = new_key()

    def work(tx: GateWriter) -> None:
        if (kind := _named(tx, name).kind) not in KEYED:
            raise InvalidInput(
                f"a source of kind {kind!r} has no write key", hint="it signs: set its secret instead"
            )
        ends = places.now() + micros_of(grace)
        tx.end_write_keys([k.hash for k in tx.write_keys() if k.source == name], ends)
        tx.add_write_key(_kept(places, name, key))

    _write(places, work)
    return key


def revoke(places: Places, name: str, hint: str | None = None) -> int:
    """Let a source's keys, or the one that ends in ``hint``, work no more from now on; returns how many ended."""

    def work(tx: GateWriter) -> int:
        _named(tx, name)
        now = places.now()
        alive = [
            k.hash
            for k in tx.write_keys()
            if k.source == name and (not k.ends_at or k.ends_at > now) and hint in (None, k.hint)
        ]
        if not alive:
            raise NotFound(
                f"source {name!r} has no such key that works", hint="'shopkeeper source list' shows its keys"
            )
        tx.end_write_keys(alive, now)
        return len(alive)

    return _write(places, work)


def set_secret(places: Places, name: str, secret: str | None) -> str | None:
    """Keep what a source signs with, sealed; without a secret one is drawn and returned, shown this once.

    An empty secret forgets the one that is kept.
    """
    drawn = new_key() if secret is None else None
    told = drawn or (secret or "").strip()
    if told and not 8 <= len(told) <= 500:
        raise InvalidInput("a secret has 8 to 500 characters", hint="leave it out to have one drawn")

    def work(tx: GateWriter) -> None:
        _named(tx, name)
        if not told:
            tx.put_secret(None, name)
            return
        salt = places.vault.salt()
        tx.put_secret(SealedSecret(name, salt, places.vault.seal(salt, told), places.now()), name)

    _write(places, work)
    return drawn


def new_key() -> str:
    """A fresh key: letters, digits, dashes and underscores, about 192 bits of chance.

    It begins with a letter: a command takes what begins with a dash for an option.
    """
    while not (key := secrets.token_urlsafe(_KEY_OCTETS))[0].isalpha():
        continue
    return key


def micros_of(span: timedelta) -> int:
    """Microseconds of a span.

    >>> micros_of(timedelta(seconds=2))
    2000000
    """
    return span // timedelta(microseconds=1)


def _checked(source: Source) -> Source:
    """The source, or the error that says what is wrong with it, or in which line with its mapping."""
    if source.mapping:
        from shopkeeper.collect.mapped.mapping import check

        check(source.mapping)
    return checked(source)


def _write(places: Places, work: Callable[[GateWriter], T]) -> T:
    result = places.gate.write(work)
    places.hearing.look()  # here at once, in other processes within a second
    return result


def _named(reader: GateReader, name: str) -> Source:
    known = {source.name: source for source in reader.sources()}
    if name not in known:
        raise UnknownName("source", name[:60], known)
    return known[name]


def _kept(places: Places, source: str, key: str) -> WriteKey:
    return WriteKey(key_hash(places.vault, key), source, key[-4:], micros(places.clock.now()), 0, 0)


def _key(key: WriteKey, now: int) -> KeyShown:
    return KeyShown(
        hint=key.hint,
        created_at=instant(key.created_at),
        used_at=instant(key.used_at) if key.used_at else None,
        ends_at=instant(key.ends_at) if key.ends_at else None,
        works=not key.ends_at or key.ends_at > now,
    )
