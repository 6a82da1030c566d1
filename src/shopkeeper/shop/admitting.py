"""Lets users in and out: sign-in by password, link or identity provider, sessions, and who stands behind a request."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from shopkeeper.domain.access import Caller, SignedIn, Sitting
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.clock import MICROSECOND, SECOND, instant
from shopkeeper.domain.errors import InvalidInput, NotFound, NotSignedIn, StoreDamaged
from shopkeeper.shop import enrolling, passwords, throttling
from shopkeeper.shop.auditing import present
from shopkeeper.stores.contract.access import AccessWriter, AccountRow, SessionRow

if TYPE_CHECKING:
    from shopkeeper.shop.places import Places

N = TypeVar("N", bound=Struct)
_TOUCH = 60 * SECOND
"""A session's last use is kept to the minute: a look must not cost a write."""
_WRONG = "the e-mail address or the password is wrong"


def sign_in(places: Places, email: str, password: str, *, address: str, device: str) -> SignedIn:
    """Begin a session by password. Raises NotSignedIn (which does not say what was wrong) or TooManyTries."""
    try:
        mark = enrolling.pseudonym(places, enrolling.address(email))
    except InvalidInput:
        mark = places.vault.pseudonym("no account", email[:300])
    source = places.vault.pseudonym("address", address) if address else None
    now = present(places)
    places.gate.write(lambda tx: throttling.begin_try(tx, mark, source, now))
    with places.gate.read() as reader:
        row = reader.account_by(mark)
    matches = passwords.right(password, row.password if row is not None and not row.disabled else None)
    if row is None or not matches:
        raise NotSignedIn(_WRONG, hint="try again, or ask an administrator for a link")
    fresh = passwords.hashed(password) if row.password and passwords.outdated(row.password) else None

    def work(tx: AccessWriter) -> SignedIn:
        throttling.succeeded(tx, mark, source, now)
        known = tx.account(row.id)
        if known is None or known.disabled or known.password != row.password:
            raise NotSignedIn(_WRONG, hint="try again, or ask an administrator for a link")
        return begin(places, tx, known._replace(password=fresh or known.password), device)

    return places.gate.write(work)


def enter(places: Places, token: str, *, device: str) -> SignedIn:
    """Begin a session by a link that works once."""

    def work(tx: AccessWriter) -> SignedIn:
        taken = enrolling.take(places, tx, token, ("sign_in",))
        row = tx.account(taken.account)
        if row is None or row.disabled:
            raise NotSignedIn("this link is for nobody who may sign in")
        return begin(places, tx, row, device)

    return places.gate.write(work)


def vouched(places: Places, issuer: str, subject: str, email: str | None, *, device: str) -> SignedIn:
    """Begin a session for somebody an identity provider vouches for.

    The first time the account is found by the address that the provider has verified; from then on by its subject.
    Nobody gets an account that way who was not added as a user.
    """
    mark = places.vault.pseudonym("subject", f"{issuer}\0{subject}")

    def work(tx: AccessWriter) -> SignedIn:
        row = tx.account_of_subject(mark)
        if row is None and email:
            row = tx.account_by(enrolling.pseudonym(places, enrolling.address(email)))
            if row is not None and row.subject is not None:
                row = None  # the address belongs to another subject already
        if row is None or row.disabled:
            raise NotSignedIn(
                "the identity provider knows you, this shop does not", hint="ask an administrator to add you"
            )
        return begin(places, tx, row._replace(subject=mark), device)

    return places.gate.write(work)


def begin(places: Places, tx: AccessWriter, row: AccountRow, device: str) -> SignedIn:
    """Begin a session inside a transaction, with a token that nobody has seen before."""
    now, token = present(places), secrets.token_urlsafe(32)
    lasts = timedelta(days=places.settings.session_days)
    ends_at = now + lasts // MICROSECOND
    tx.sweep_access(now, now - throttling.FORGOTTEN)
    tx.put_session(SessionRow(enrolling.token_hash(places, token), row.id, now, now, ends_at, device[:60]))
    known = row._replace(signed_in_at=now)
    tx.put_account(known)
    return SignedIn(token=token, user=enrolling.user_of(places, known), seconds=int(lasts.total_seconds()))


def begin_for(places: Places, account: int, device: str) -> SignedIn:
    """Begin a session for an account that has just shown who it is."""

    def work(tx: AccessWriter) -> SignedIn:
        row = tx.account(account)
        if row is None or row.disabled:
            raise NotSignedIn("that user is disabled")
        return begin(places, tx, row, device)

    return places.gate.write(work)


def who(places: Places, token: str) -> Caller | None:
    """Who holds a session's token; None where it is nobody's or has ended."""
    if not token or len(token) > 200:
        return None
    now, hash_ = present(places), enrolling.token_hash(places, token)
    with places.gate.read() as reader:
        session = reader.session_of(hash_)
        row = reader.account(session.account) if session is not None else None
    if session is None or row is None or row.disabled or not _lives(places, session, now):
        return None
    if now - session.seen_at >= _TOUCH:
        places.gate.write(lambda tx: _touch(tx, hash_, now))
    user = enrolling.user_of(places, row)
    return Caller(actor=Actor(user.id, user.role), user=user)


def sign_out(places: Places, token: str) -> bool:
    """End a session; False where there was none."""
    hash_ = enrolling.token_hash(places, token)
    return places.gate.write(lambda tx: tx.drop_session(hash_))


def sittings(places: Places, user: str, token: str) -> tuple[Sitting, ...]:
    """The living sessions of a user, the one with that token marked."""
    now, current = present(places), enrolling.token_hash(places, token)
    with places.gate.read() as reader:
        rows = reader.sessions(int(user[1:]))
    return tuple(
        Sitting(
            id=row.token.hex(), device=row.device, created_at=instant(row.created_at), seen_at=instant(row.seen_at),
            ends_at=instant(row.ends_at), current=row.token == current,
        )
        for row in rows
        if _lives(places, row, now)
    )  # fmt: skip


def end_sitting(places: Places, user: str, sitting: str) -> None:
    """End one of a user's own sessions."""
    try:
        token = bytes.fromhex(sitting)
    except ValueError:
        token = b""

    def work(tx: AccessWriter) -> None:
        row = tx.session_of(token)
        if row is None or row.account != int(user[1:]):
            raise NotFound("there is no such session", hint="it may have ended already")
        tx.drop_session(token)

    places.gate.write(work)


def change_password(places: Places, user: str, token: str, old: str, new: str) -> SignedIn:
    """Choose another password: every session ends, and the one that asked begins anew."""
    with places.gate.read() as reader:
        row = enrolling.find(places, reader, user)
        session = reader.session_of(enrolling.token_hash(places, token))
    mark, now = row.pseudonym, present(places)
    if row.password is not None:
        places.gate.write(lambda tx: throttling.begin_try(tx, mark, None, now))
        if not passwords.right(old, row.password):
            raise InvalidInput("the present password is wrong", hint="type the one you signed in with")
    passwords.refuse_weak(new, enrolling.user_of(places, row).email)
    kept, device = passwords.hashed(new), session.device if session is not None else ""

    def work(tx: AccessWriter) -> SignedIn:
        known = tx.account(row.id)
        if known is None or known.disabled or known.password != row.password:
            raise NotSignedIn("the password was changed in between", hint="sign in again")
        throttling.succeeded(tx, mark, None, now)
        tx.drop_sessions(row.id)
        return begin(places, tx, known._replace(password=kept), device)

    return places.gate.write(work)


def seal_note(places: Places, note: Struct) -> str:
    """A note sealed with its time and kind."""
    salt = places.vault.salt()
    body = [type(note).__name__, present(places), msgspec.to_builtins(note)]
    return base64.urlsafe_b64encode(salt + places.vault.seal(salt, body)).decode()


def open_note(places: Places, sealed: str, kind: type[N], lasts: int) -> N | None:
    """A sealed note; None where it is none of ours, of another kind, or too old."""
    try:
        octets = base64.urlsafe_b64decode(sealed[:8000])
        name, at, body = places.vault.unseal(octets[:16], octets[16:])
        note = msgspec.convert(body, kind)
    except (ValueError, TypeError, StoreDamaged, msgspec.MsgspecError):
        return None
    fresh = 0 <= present(places) - at < lasts * SECOND
    return note if fresh and name == kind.__name__ else None


def _touch(tx: AccessWriter, token: bytes, now: int) -> None:
    row = tx.session_of(token)
    if row is not None:  # it may have ended a moment ago, and must stay ended
        tx.put_session(row._replace(seen_at=now))


def _lives(places: Places, row: SessionRow, now: int) -> bool:
    idle = timedelta(hours=places.settings.session_idle_hours) // MICROSECOND
    return now < row.ends_at and now - row.seen_at < idle
