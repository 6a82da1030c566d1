"""Who asks, and what their role allows: every verb of ``Shop`` needs one permission, every role has a set of them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shopkeeper.domain.errors import NotPermitted


class Permission(StrEnum):
    """What a verb of ``Shop`` needs."""

    REPORT = "report"
    """See figures about the whole shop."""
    LOOK_UP = "look_up"
    """Find and see a single customer."""
    SEE_PERSONAL = "see_personal"
    """See names, addresses and identifiers in clear."""
    COLLECT = "collect"
    """Bring in data."""
    REFRESH = "refresh"
    """Fold, fit and score."""
    FORGET = "forget"
    """Export or erase a person."""
    ADMINISTER = "administer"
    """Backup, restore, settings, keys."""


ROLES: dict[str, frozenset[Permission]] = {
    "administrator": frozenset(Permission),
    "marketer": frozenset({Permission.REPORT, Permission.LOOK_UP, Permission.COLLECT, Permission.REFRESH}),
    "analyst": frozenset({Permission.REPORT, Permission.REFRESH}),
    "associate": frozenset({Permission.LOOK_UP, Permission.SEE_PERSONAL}),
    "agent": frozenset({Permission.LOOK_UP, Permission.SEE_PERSONAL}),
}


class Actor(Struct, frozen=True):
    """Somebody, or something, that calls a verb.

    >>> Actor("till-3", "associate").may(Permission.FORGET)
    False
    """

    name: str
    role: str

    def may(self, permission: Permission) -> bool:
        """Whether the role allows it."""
        return permission in ROLES.get(self.role, frozenset())

    def needs(self, permission: Permission, verb: str) -> None:
        """Raise NotPermitted unless the role allows it."""
        if not self.may(permission):
            who = sorted(role for role, allowed in ROLES.items() if permission in allowed)
            raise NotPermitted(
                f"the role {self.role!r} may not {verb}", hint=f"roles that may: {', '.join(who)}"
            )


OWNER = Actor("owner", "administrator")
"""Whoever opens a shop's folder as a library: the files are theirs already."""
