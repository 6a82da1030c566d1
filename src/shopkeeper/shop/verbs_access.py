"""Verbs of the shop about who may: users, sessions, API keys, and the audit log that all verbs write to."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from shopkeeper.domain.access import ApiKey, AuditLine, Caller, Link, NewKey, SignedIn, Sitting, User
from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.errors import NotPermitted, NotSignedIn
from shopkeeper.domain.personal import EVERY_CLASS
from shopkeeper.shop import admitting, auditing, enrolling, keyring
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.access import NewAudit

N = TypeVar("N", bound=Struct)
_KEPT = frozenset({Permission.COLLECT, Permission.ADMINISTER})
"""Verbs that need these are kept in the audit log as they are allowed; verbs on one person or user say whom, too."""
_ONLY_LOOKS = "see "
_CHANGES_NOTHING = ("examine ", "preview ", "try ")
"""These are kept too, a moment later: a shop on a full disk can still be examined."""


class AccessVerbs:
    """Who may, and who did."""

    places: Places
    actor: Actor

    @property
    def mark(self) -> str:
        """Eight letters that tell this shop from others on the same machine, for names of cookies."""
        return self.places.vault.pseudonym("shop", "mark").hex()[:8]

    def first_run(self) -> bool:
        """Whether nobody can sign in yet: the shop waits to be set up."""
        return enrolling.first_run(self.places)

    def set_up_link(self) -> Link:
        """The link, for one use within an hour, behind which the first administrator is made."""
        self._may(Permission.ACCOUNTS, "set up the shop")
        made = enrolling.set_up_link(self.places)
        self._note_change("make a set-up link")
        return made

    def set_up(self, token: str, email: str, password: str, name: str = "", *, device: str = "") -> SignedIn:
        """Make the first administrator, with the token of the set-up link, and sign them in."""
        row = enrolling.set_up(self.places, token, email, password, name)
        self._note_change("set up the shop", f"u{row.id}", row.role)
        return self._begun(row.id, device, "set-up")

    def sign_in(self, email: str, password: str, *, address: str = "", device: str = "") -> SignedIn:
        """Begin a session. ``address`` is where the request comes from; tries from there are counted.

        Raises NotSignedIn, which does not say what was wrong, and TooManyTries.
        """
        try:
            signed = admitting.sign_in(self.places, email, password, address=address, device=device)
        except NotSignedIn:  # who must wait is not noted each time: the log is not to be filled from outside
            self._note("sign in", enrolling.id_of(self.places, email), outcome="refused")
            raise
        self._note("sign in", signed.user.id, "password", actor=signed.user.id)
        return signed

    def link(self, token: str) -> Link:
        """What a link is for; it stays unused. Raises NotSignedIn where it does not work."""
        return enrolling.link_of(self.places, token)

    def enter(self, token: str, *, device: str = "") -> SignedIn:
        """Begin a session by a sign-in link."""
        signed = admitting.enter(self.places, token, device=device)
        self._note("sign in", signed.user.id, "link", actor=signed.user.id)
        return signed

    def accept(self, token: str, password: str, *, device: str = "") -> SignedIn:
        """Choose a password by the link of an invitation or of a forgotten password, and begin a session."""
        row = enrolling.accept(self.places, token, password)
        self._note_change("choose a password", f"u{row.id}", "link")
        return self._begun(row.id, device, "link")

    def sign_in_vouched(self, issuer: str, subject: str, email: str | None, *, device: str = "") -> SignedIn:
        """Begin a session for whom an identity provider vouches; ``email`` only where the provider verified it."""
        try:
            signed = admitting.vouched(self.places, issuer, subject, email, device=device)
        except NotSignedIn as error:
            self._note("sign in", outcome="refused", detail=error.code)
            raise
        self._note("sign in", signed.user.id, "identity provider", actor=signed.user.id)
        return signed

    def seal_note(self, note: Struct) -> str:
        """A note of a door's own to itself, sealed with its time, for a browser to keep."""
        return admitting.seal_note(self.places, note)

    def open_note(self, sealed: str, kind: type[N], lasts: int) -> N | None:
        """The note again; None where it is none of ours, or older than some seconds."""
        return admitting.open_note(self.places, sealed, kind, lasts)

    def provider_name(self) -> str:
        """The identity provider that may vouch for users, as its host is called; empty where there is none."""
        return urlsplit(self.places.settings.oidc_issuer).hostname or ""

    def who(self, token: str) -> Caller | None:
        """Who holds a session's token; None where it is nobody's, or has ended."""
        return admitting.who(self.places, token)

    def bearer(self, secret: str) -> Caller | None:
        """Who holds an API key; None where it is none, has expired or was revoked."""
        return keyring.bearer(self.places, secret)

    def sign_out(self, token: str) -> None:
        """End a session."""
        if admitting.sign_out(self.places, token):
            self._note("sign out", self.actor.name)

    def sittings(self, token: str = "") -> tuple[Sitting, ...]:
        """One's own sessions, the one with that token marked."""
        return admitting.sittings(self.places, self._self("see sessions"), token)

    def end_sitting(self, sitting: str) -> None:
        """End one of one's own sessions."""
        user = self._self("end a session")
        admitting.end_sitting(self.places, user, sitting)
        self._note_change("end a session", user)

    def change_password(self, token: str, old: str, new: str) -> SignedIn:
        """Choose another password for oneself. All sessions end; the one with that token goes on under a new one."""
        user = self._self("change a password")
        signed = admitting.change_password(self.places, user, token, old, new)
        self._note_change("change a password", user)
        return signed

    def users(self) -> tuple[User, ...]:
        """Everybody who may sign in, or might."""
        self._may(Permission.ACCOUNTS, "see users")
        return enrolling.users(self.places)

    def add_user(self, email: str, role: str, name: str = "") -> Link:
        """Add a user; returns the link by which they choose a password, which works once, for a week."""
        self._may(Permission.ACCOUNTS, "add a user")
        row, link = enrolling.add(self.places, email, role, name)
        self._note_change("add a user", f"u{row.id}", role)
        return link

    def user_link(self, user: str, purpose: str = "password") -> Link:
        """A link that works once for a user, given by id or e-mail address: ``invite``, ``password`` or ``sign_in``."""
        self._may(Permission.ACCOUNTS, "make a link for a user")
        row, link = enrolling.new_link(self.places, user, purpose)
        self._note_change("make a link for a user", f"u{row.id}", purpose)
        return link

    def set_password(self, user: str, password: str) -> None:
        """Set a user's password for them; wherever they are signed in, they must sign in again."""
        self._may(Permission.ACCOUNTS, "set a password")
        row = enrolling.set_password(self.places, user, password)
        self._note_change("set a password", f"u{row.id}")

    def change_role(self, user: str, role: str) -> None:
        """Give a user another role, from the next request on."""
        self._may(Permission.ACCOUNTS, "change a role")
        row = enrolling.change_role(self.places, user, role)
        self._note_change("change a role", f"u{row.id}", role)

    def disable_user(self, user: str, *, disabled: bool = True) -> None:
        """Shut a user out at once, or let them in again."""
        verb = "disable a user" if disabled else "enable a user"
        self._may(Permission.ACCOUNTS, verb)
        self._note_change(verb, f"u{enrolling.disable(self.places, user, disabled=disabled).id}")

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Every API key, without the keys."""
        self._may(Permission.ACCOUNTS, "see API keys")
        return keyring.keys(self.places)

    def add_api_key(self, name: str, scopes: Collection[str], days: int = 365) -> NewKey:
        """Make a key for a program (``domain.actor.SCOPES``), shown this once; 0 days is without an end."""
        self._may(Permission.ACCOUNTS, "add an API key")
        made = keyring.add(self.places, name, scopes, days, self.actor)
        self._note_change("add an API key", made.key.id, " ".join(made.key.scopes))
        return made

    def revoke_api_key(self, key: str) -> None:
        """End a key, given as ``k5``, at once and for ever."""
        self._may(Permission.ACCOUNTS, "revoke an API key")
        self._note_change("revoke an API key", keyring.revoke(self.places, key).id)

    def audit(
        self, *, subject: str = "", actor: str = "", verb: str = "", before: int = 0, limit: int = 100
    ) -> tuple[AuditLine, ...]:
        """Who saw and did what, latest first: about a customer, user or key, by an actor, of a verb."""
        self._may(Permission.AUDIT, "see the audit log")
        return auditing.audit(
            self.places, subject=subject, actor=actor, verb=verb, before=before, limit=limit
        )

    def check_audit(self) -> list[str]:
        """What is wrong with the audit log, in sentences: a line changed, added or left out."""
        self._may(Permission.AUDIT, "check the audit log")
        return auditing.check(self.places)

    def require(self, permission: Permission, verb: str) -> None:
        """Raise NotPermitted unless the actor has a permission; for doors, whose rooms need one before any verb."""
        self._may(permission, verb)

    def _may(self, permission: Permission, verb: str, detail: str = "") -> None:
        """Raise NotPermitted unless the actor may; what was refused is kept, and so is what changes the shop."""
        try:
            self.actor.needs(permission, verb)
        except NotPermitted:
            self._note(verb, detail=detail, outcome="refused", permission=permission)
            raise
        if permission in _KEPT and not verb.startswith(_ONLY_LOOKS):
            self._note(verb, detail=detail, outcome="allowed", permission=permission)
            if not verb.startswith(_CHANGES_NOTHING):
                self.places.trail.flush()  # before the change itself

    def _sees_everything(self) -> None:
        """Raise NotPermitted unless every class of personal data is seen in clear: an export is never masked."""
        if self.actor.sees != EVERY_CLASS:
            raise NotPermitted("an export holds everything in clear", hint="that needs every see_ scope")

    def _note(
        self,
        verb: str,
        subject: str = "",
        detail: str = "",
        *,
        outcome: str = "done",
        permission: Permission | str = "",
        actor: str = "",
    ) -> None:
        """Keep in the audit log who did what."""
        line = NewAudit(
            auditing.present(self.places),
            actor or self.actor.name,
            verb,
            subject,
            str(permission),
            outcome,
            detail,
        )
        self.places.trail.note(line)

    def _note_change(self, verb: str, subject: str = "", detail: str = "") -> None:
        """Keep what was changed, on disk before it is answered: a killed process loses looks, never a change."""
        self._note(verb, subject, detail)
        self.places.trail.flush()

    def _begun(self, account: int, device: str, way: str) -> SignedIn:
        signed = admitting.begin_for(self.places, account, device)
        self._note("sign in", signed.user.id, way, actor=signed.user.id)
        return signed

    def _self(self, verb: str) -> str:
        """The user behind the actor. Raises NotPermitted for a key, and for whoever uses the shop as a library."""
        if self.actor.name[:1] != "u" or not self.actor.name[1:].isdigit():
            raise NotPermitted(f"only a user who has signed in can {verb}")
        return self.actor.name
