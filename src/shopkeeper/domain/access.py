"""Nouns of who may: users, their sessions, API keys, one-time links and lines of the audit log, as they are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from shopkeeper.domain.actor import Actor


class User(Struct, frozen=True, kw_only=True):
    """Somebody who may sign in."""

    id: str
    """``u`` and a number; this is what the audit log names."""
    email: str
    name: str
    role: str
    disabled: bool
    created_at: datetime
    signed_in_at: datetime | None
    password: bool
    """Whether there is a password; without one, a link or an identity provider lets them in."""
    provider: bool
    """Whether an identity provider vouches for them."""


class SignedIn(Struct, frozen=True, kw_only=True):
    """A session that was begun. ``token`` is what the browser keeps; it is shown here only."""

    token: str
    user: User
    seconds: int
    """How long it lasts at most."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who makes a request: a user in a session, or a key."""

    actor: Actor
    user: User | None = None
    """None for an API key."""


class Sitting(Struct, frozen=True, kw_only=True):
    """One of a user's sessions. ``id`` says which, and signs nobody in."""

    id: str
    device: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    current: bool


PURPOSES: Final[dict[str, str]] = {
    "set_up": "makes the first administrator",
    "invite": "lets somebody new choose a password",
    "password": "lets somebody choose a new password",
    "sign_in": "signs somebody in",
}
"""What a one-time link may be for."""


class Link(Struct, frozen=True, kw_only=True):
    """A link that works once. ``token`` is the secret part, shown when it is made."""

    token: str
    purpose: str
    ends_at: datetime
    email: str = ""
    """Whom it is for; empty for the set-up."""

    @property
    def path(self) -> str:
        """Its address within the shop's."""
        return f"{'/set-up' if self.purpose == 'set_up' else '/enter'}?token={self.token}"


class ApiKey(Struct, frozen=True, kw_only=True):
    """A program's key, without the key."""

    id: str
    """``k`` and a number; this is what the audit log names."""
    name: str
    hint: str
    """Its last four characters."""
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    ends_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    works: bool
    """Neither revoked nor expired."""


class NewKey(Struct, frozen=True, kw_only=True):
    """An API key that was just made: the only time its secret is known."""

    key: ApiKey
    secret: str


class AuditLine(Struct, frozen=True, kw_only=True):
    """Who saw or did what."""

    number: int
    at: datetime
    actor: str
    who: str
    """The actor as people know it: a user's e-mail address, a key's name."""
    verb: str
    subject: str
    """The customer, user or key that was seen or changed; empty where it was none in particular."""
    permission: str
    outcome: str
    """``done``, ``refused`` or ``failed``."""
    detail: str
