"""Verbs of the shop about sources."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.source import Source, is_name
from shopkeeper.shop import sources as room
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.shop.hearing import Hearing


class SourceVerbs:
    """Who hands in by itself, and with which keys."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str, detail: str = "") -> None: ...

    @property
    def hearing(self) -> Hearing:
        """The hot path of live collection, for doors that authenticate who hands in by key or signature."""
        return self.places.hearing

    def sources(self) -> list[room.SourceShown]:
        """Every source with its keys, as far as keys can be shown."""
        self._may(Permission.COLLECT, "see sources")
        return room.shown(self.places)

    def add_source(self, name: str, kind: str, **values: Any) -> str:
        """Add a source (see ``domain.source``); returns its write key, which is shown this once."""
        self._may(Permission.ADMINISTER, "add a source", _legal(name))
        return room.add(self.places, Source(name=name, kind=kind, **values))

    def change_source(self, name: str, **values: Any) -> Source:
        """Change a source: brand, channel, mapping, origins, events_per_second, disabled."""
        self._may(Permission.ADMINISTER, "change a source", _legal(name))
        return room.change(self.places, name, **values)

    def rotate_key(self, name: str, grace: timedelta = room.GRACE) -> str:
        """Make a source a new write key, shown this once; the old one works until the grace is over."""
        self._may(Permission.ADMINISTER, "rotate a key", _legal(name))
        return room.rotate(self.places, name, grace)

    def revoke_key(self, name: str, hint: str | None = None) -> int:
        """End a source's keys now, or the one that ends in ``hint``; returns how many ended."""
        self._may(Permission.ADMINISTER, "revoke a key", _legal(name))
        return room.revoke(self.places, name, hint)

    def set_secret(self, name: str, secret: str | None = None) -> str | None:
        """Set what a source signs with; without one a secret is drawn and returned, shown this once."""
        self._may(Permission.ADMINISTER, "set a secret", _legal(name))
        return room.set_secret(self.places, name, secret)


def _legal(name: str) -> str:
    """The name of a source as the audit log has it; what cannot be one is not written down."""
    return name if is_name(name) else ""
