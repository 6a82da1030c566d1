"""What the gate keeps of who may: accounts, sessions, one-time links, API keys, tries to sign in and the audit log.

Secrets never stand here: tokens and keys are kept as hashes, passwords as argon2id, e-mail addresses and names sealed
under the account's salt with a pseudonym beside to find them by. Instants are microseconds since 1970; 0 is never.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class AccountRow(NamedTuple):
    """A user."""

    id: int
    pseudonym: bytes
    salt: bytes
    sealed: bytes
    role: str
    password: str | None
    subject: bytes | None
    disabled: int
    created_at: int
    signed_in_at: int


class SessionRow(NamedTuple):
    """A browser that is signed in. ``token`` is the hash of what its cookie holds."""

    token: bytes
    account: int
    created_at: int
    seen_at: int
    ends_at: int
    device: str


class LinkRow(NamedTuple):
    """A link that works once. ``purpose`` is set_up, invite, sign_in or password."""

    token: bytes
    purpose: str
    account: int
    ends_at: int


class KeyRow(NamedTuple):
    """An API key. ``hint`` is its last four characters, ``scopes`` are joined by spaces."""

    id: int
    hash: bytes
    hint: str
    name: str
    scopes: str
    created_at: int
    created_by: str
    ends_at: int
    used_at: int
    revoked_at: int


class NewAudit(NamedTuple):
    """A line about to enter the audit log; no field holds a personal value."""

    at: int
    actor: str
    verb: str
    subject: str
    permission: str
    outcome: str
    detail: str


class AuditRow(NamedTuple):
    """A line of the audit log; ``chain`` binds it to all lines before."""

    id: int
    at: int
    actor: str
    verb: str
    subject: str
    permission: str
    outcome: str
    detail: str
    chain: bytes


Chain = Callable[[bytes, NewAudit], bytes]
"""From the chain before and a line to the chain behind it."""


class AccessReader(Protocol):
    """Reads who may."""

    def accounts(self) -> list[AccountRow]:
        """Everybody, in the order they came."""
        ...

    def account(self, account: int) -> AccountRow | None:
        """One account by its number."""
        ...

    def account_by(self, pseudonym: bytes) -> AccountRow | None:
        """The account of an e-mail address."""
        ...

    def account_of_subject(self, subject: bytes) -> AccountRow | None:
        """The account of somebody at an identity provider."""
        ...

    def session_of(self, token: bytes) -> SessionRow | None:
        """A session by the hash of its token, ended or not."""
        ...

    def sessions(self, account: int) -> list[SessionRow]:
        """An account's sessions, seen last first."""
        ...

    def link(self, token: bytes) -> LinkRow | None:
        """A link by the hash of its token."""
        ...

    def api_keys(self) -> list[KeyRow]:
        """Every API key, the newest first."""
        ...

    def api_key(self, hash_: bytes) -> KeyRow | None:
        """An API key by its hash."""
        ...

    def tries(self, subjects: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Failed tries to sign in and the instant of the last, by account or address."""
        ...

    def audit(
        self, *, subject: str = "", actor: str = "", verb: str = "", before: int = 0, limit: int = 100
    ) -> list[AuditRow]:
        """Lines of the audit log, latest first, before a number; only those that match what is given."""
        ...

    def audit_after(self, number: int, limit: int) -> list[AuditRow]:
        """Lines of the audit log in their order, after a number."""
        ...


class AccessWriter(AccessReader, Protocol):
    """Changes who may, inside one transaction."""

    def next_number(self, name: str, by: int = 1) -> int:
        """Count a number (account, api_key, audit) up and return it; whoever counts too waits for this transaction."""
        ...

    def put_account(self, row: AccountRow) -> None:
        """Add an account or replace it."""
        ...

    def put_session(self, row: SessionRow) -> None:
        """Add a session or replace it."""
        ...

    def drop_session(self, token: bytes) -> bool:
        """End a session; False where there was none."""
        ...

    def drop_sessions(self, account: int, but: bytes = b"") -> int:
        """End an account's sessions, all but one; returns how many."""
        ...

    def put_link(self, row: LinkRow) -> None:
        """Add a link."""
        ...

    def take_link(self, token: bytes) -> LinkRow | None:
        """Take a link away and return it: it works once."""
        ...

    def drop_links(self, purpose: str, account: int) -> None:
        """Take away all links of a purpose and an account."""
        ...

    def put_key(self, row: KeyRow) -> None:
        """Add an API key or replace it."""
        ...

    def note_try(self, subject: bytes, failed: int, at: int) -> None:
        """Keep how often a try to sign in failed; 0 forgets."""
        ...

    def sweep_access(self, now: int, tries_before: int) -> None:
        """Delete ended sessions, expired links and tries that are long ago."""
        ...

    def append_audit(self, lines: Sequence[NewAudit], chain: Chain) -> None:
        """Append to the audit log; numbers and chain follow one another whoever else appends."""
        ...
