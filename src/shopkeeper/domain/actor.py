"""Who asks, and what their role allows: every verb of ``Shop`` needs one permission, every class of personal data one
sight. ``ROLES`` is the one table of both; an API key carries its scopes, each the name of a permission or of a sight.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shopkeeper.domain.errors import NotPermitted
from shopkeeper.domain.personal import EVERY_CLASS, Personal


class Permission(StrEnum):
    """What a verb of ``Shop`` needs."""

    REPORT = "report"
    """See figures about the whole shop."""
    LOOK_UP = "look_up"
    """Find and see a single customer."""
    COLLECT = "collect"
    """Bring in data."""
    REFRESH = "refresh"
    """Fold, fit and score."""
    RESOLVE = "resolve"
    """Settle who is who: join, part and unlink identities."""
    SEGMENT = "segment"
    """Define segments, change them and put them away."""
    EXPORT = "export"
    """Take out everything that is known of one person."""
    FORGET = "forget"
    """Erase a person."""
    ADMINISTER = "administer"
    """Backup, restore, settings, sources."""
    ACCOUNTS = "accounts"
    """Users, their roles, and API keys."""
    AUDIT = "audit"
    """See who saw and did what."""


class Role(Struct, frozen=True):
    """What one role may do, and which classes of personal data it sees in clear; others are masked."""

    sentence: str
    may: frozenset[Permission]
    sees: frozenset[Personal]


ROLES: dict[str, Role] = {
    "administrator": Role("runs the shop's data and its users", frozenset(Permission), EVERY_CLASS),
    "marketer": Role(
        "works with figures, segments and customers, without their names and addresses",
        frozenset(
            {
                Permission.REPORT,
                Permission.LOOK_UP,
                Permission.COLLECT,
                Permission.REFRESH,
                Permission.SEGMENT,
            }
        ),
        frozenset({Personal.DEMOGRAPHIC}),
    ),
    "analyst": Role(
        "works with figures, never with a single customer",
        frozenset({Permission.REPORT, Permission.REFRESH}),
        frozenset({Personal.DEMOGRAPHIC}),
    ),
    "associate": Role(
        "serves in the store: greets by name, knows the card and what was told",
        frozenset({Permission.LOOK_UP}),
        frozenset({Personal.NAME, Personal.IDENTIFIER, Personal.TEXT}),
    ),
    "agent": Role(
        "serves by telephone and mail: also sees how to reach the customer, and settles who is who",
        frozenset({Permission.LOOK_UP, Permission.RESOLVE}),
        frozenset({Personal.NAME, Personal.IDENTIFIER, Personal.TEXT, Personal.CONTACT}),
    ),
}
"""Every role a person can have."""

_SIGHT = "see_"
SCOPES: tuple[str, ...] = (*map(str, Permission), *(_SIGHT + one for one in Personal if one in EVERY_CLASS))
"""What an API key may be given: each permission, and ``see_`` with each class of personal data."""


class Actor(Struct, frozen=True):
    """Somebody, or something, that calls a verb. ``scopes`` are an API key's; None for a person with a role.

    >>> Actor("u3", "associate").may(Permission.FORGET)
    False
    >>> Actor("k1", "key", frozenset({"look_up", "see_name"})).sees
    frozenset({<Personal.NAME: 'name'>})
    """

    name: str
    """Stands in the audit log: ``owner``, ``u3`` for a user, ``k5`` for an API key. Never a personal value."""
    role: str
    scopes: frozenset[str] | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the role, or the key's scopes, allow it."""
        if self.scopes is not None:
            return permission in self.scopes
        role = ROLES.get(self.role)
        return role is not None and permission in role.may

    @property
    def sees(self) -> frozenset[Personal]:
        """The classes of personal data shown in clear."""
        if self.scopes is not None:
            return frozenset(one for one in EVERY_CLASS if _SIGHT + one in self.scopes)
        role = ROLES.get(self.role)
        return role.sees if role is not None else frozenset()

    def needs(self, permission: Permission, verb: str) -> None:
        """Raise NotPermitted unless the role allows it."""
        if self.may(permission):
            return
        if self.scopes is not None:
            raise NotPermitted(f"this key may not {verb}", hint=f"it lacks the scope {permission.value}")
        who = sorted(name for name, role in ROLES.items() if permission in role.may)
        raise NotPermitted(f"the role {self.role!r} may not {verb}", hint=f"roles that may: {', '.join(who)}")


OWNER = Actor("owner", "administrator")
"""Whoever opens a shop's folder as a library: the files are theirs already."""

NOBODY = Actor("nobody", "nobody")
"""Somebody who has not signed in."""
