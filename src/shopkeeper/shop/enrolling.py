"""Users: the first administrator, invitations by a link that works once, roles, and passwords."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from shopkeeper.domain.access import Link, User
from shopkeeper.domain.actor import ROLES
from shopkeeper.domain.clock import MICROSECOND, instant
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound, NotSignedIn, UnknownName
from shopkeeper.shop import passwords
from shopkeeper.shop.auditing import present
from shopkeeper.stores.contract.access import AccessReader, AccessWriter, AccountRow, LinkRow

if TYPE_CHECKING:
    from shopkeeper.shop.places import Places

_LASTS = {
    "set_up": timedelta(hours=1),
    "sign_in": timedelta(hours=1),
    "password": timedelta(days=1),
    "invite": timedelta(days=7),
}
_STALE_LINK = "this link was used already, or is too old"


def address(email: str) -> str:
    """An e-mail address as accounts are found by it. Raises InvalidInput.

    >>> address(" Anna@Example.com ")
    'anna@example.com'
    """
    text = email.strip().casefold()
    local, _, domain = text.rpartition("@")
    if not local or not domain or len(text) > 254 or not text.isprintable() or " " in text or "@" in local:
        raise InvalidInput("that is no e-mail address", hint="for example anna@example.com")
    return text


def pseudonym(places: Places, email: str) -> bytes:
    """What an account's e-mail address is found by."""
    return places.vault.pseudonym("account", email)


def token_hash(places: Places, token: str) -> bytes:
    """What is kept of a session's or a link's token."""
    return places.vault.pseudonym("token", token)


def user_of(places: Places, row: AccountRow) -> User:
    """An account as it is shown."""
    told = places.vault.unseal(row.salt, row.sealed)
    return User(
        id=f"u{row.id}", email=told["email"], name=told["name"], role=row.role, disabled=bool(row.disabled),
        created_at=instant(row.created_at), signed_in_at=instant(row.signed_in_at) if row.signed_in_at else None,
        password=row.password is not None, provider=row.subject is not None,
    )  # fmt: skip


def find(places: Places, reader: AccessReader, who: str) -> AccountRow:
    """An account by ``u3`` or by e-mail address. Raises NotFound."""
    text = who.strip()
    row = None
    if text[:1] == "u" and text[1:].isascii() and text[1:].isdigit() and len(text) < 19:
        row = reader.account(int(text[1:]))
    elif "@" in text:
        row = reader.account_by(pseudonym(places, address(text)))
    if row is None:
        raise NotFound("there is no such user", hint="give an e-mail address or an id such as u3")
    return row


def id_of(places: Places, email: str) -> str:
    """The id of the user with an e-mail address, as the audit log names them; empty where there is none."""
    try:
        mark = pseudonym(places, address(email))
    except InvalidInput:
        return ""
    with places.gate.read() as reader:
        row = reader.account_by(mark)
    return f"u{row.id}" if row is not None else ""


def known_as(places: Places, reader: AccessReader, actors: Iterable[str]) -> dict[str, str]:
    """What actors of the audit log are called: users by e-mail address, keys by name."""
    called = {}
    keys = {f"k{row.id}": row.name for row in reader.api_keys()}
    for actor in actors:
        if actor in keys:
            called[actor] = keys[actor]
        elif actor[:1] == "u" and actor[1:].isdigit() and (row := reader.account(int(actor[1:]))) is not None:
            called[actor] = user_of(places, row).email
    return called


def users(places: Places) -> tuple[User, ...]:
    """Everybody, in the order they came."""
    with places.gate.read() as reader:
        return tuple(user_of(places, row) for row in reader.accounts())


def first_run(places: Places) -> bool:
    """Whether there is no user yet."""
    with places.gate.read() as reader:
        return not reader.accounts()


def set_up_link(places: Places) -> Link:
    """The link behind which the first administrator is made; earlier ones no longer work."""

    def work(tx: AccessWriter) -> Link:
        if tx.accounts():
            raise Conflict("this shop has users already", hint="an administrator can add more")
        return link(places, tx, "set_up", None)

    return places.gate.write(work)


def set_up(places: Places, token: str, email: str, password: str, name: str) -> AccountRow:
    """Make the first administrator with the set-up's token."""
    email = address(email)
    passwords.refuse_weak(password, email)
    kept = passwords.hashed(password)

    def work(tx: AccessWriter) -> AccountRow:
        if tx.accounts():
            raise Conflict("this shop has users already", hint="sign in, or ask an administrator")
        take(places, tx, token, ("set_up",))
        return _new(places, tx, email, "administrator", name, kept)

    return places.gate.write(work)


def add(places: Places, email: str, role: str, name: str) -> tuple[AccountRow, Link]:
    """Add a user, and the link by which they choose a password."""
    email = address(email)
    _known_role(role)

    def work(tx: AccessWriter) -> tuple[AccountRow, Link]:
        if tx.account_by(pseudonym(places, email)) is not None:
            raise Conflict("there is a user of that e-mail address already", hint="change the role instead")
        row = _new(places, tx, email, role, name, None)
        return row, link(places, tx, "invite", row)

    return places.gate.write(work)


def new_link(places: Places, who: str, purpose: str) -> tuple[AccountRow, Link]:
    """A link for a user that works once; earlier ones of that purpose no longer do."""
    if purpose not in _LASTS or purpose == "set_up":
        raise UnknownName("purpose of a link", purpose, _LASTS.keys() - {"set_up"})

    def work(tx: AccessWriter) -> tuple[AccountRow, Link]:
        row = find(places, tx, who)
        if row.disabled:
            raise Conflict("that user is disabled", hint="enable the user first")
        return row, link(places, tx, purpose, row)

    return places.gate.write(work)


def change_role(places: Places, who: str, role: str) -> AccountRow:
    """Give a user another role; it counts from the next request on."""
    _known_role(role)

    def work(tx: AccessWriter) -> AccountRow:
        row = find(places, tx, who)
        if role != "administrator":
            _spare_the_last(tx, row)
        changed = row._replace(role=role)
        tx.put_account(changed)
        return changed

    return places.gate.write(work)


def disable(places: Places, who: str, *, disabled: bool) -> AccountRow:
    """Shut a user out, at once and from every session and link, or let them in again."""

    def work(tx: AccessWriter) -> AccountRow:
        row = find(places, tx, who)
        if disabled:
            _spare_the_last(tx, row)
            tx.drop_sessions(row.id)
            for purpose in _LASTS:
                tx.drop_links(purpose, row.id)
        changed = row._replace(disabled=int(disabled))
        tx.put_account(changed)
        return changed

    return places.gate.write(work)


def link_of(places: Places, token: str) -> Link:
    """What a link is for, without using it up. Raises NotSignedIn where it does not work."""
    with places.gate.read() as reader:
        row = reader.link(token_hash(places, token))
        account = reader.account(row.account) if row is not None and row.account else None
    if row is None or row.ends_at <= present(places) or (account is not None and account.disabled):
        raise NotSignedIn(_STALE_LINK, hint="ask an administrator for a new one")
    return Link(
        token=token, purpose=row.purpose, ends_at=instant(row.ends_at),
        email=user_of(places, account).email if account is not None else "",
    )  # fmt: skip


def accept(places: Places, token: str, password: str) -> AccountRow:
    """Choose a password by the link of an invitation or of a forgotten password; every session of before ends."""
    known = link_of(places, token)
    passwords.refuse_weak(password, known.email)
    kept = passwords.hashed(password)

    def work(tx: AccessWriter) -> AccountRow:
        taken = take(places, tx, token, ("invite", "password"))
        row = tx.account(taken.account)
        if row is None or row.disabled:
            raise NotSignedIn(_STALE_LINK, hint="ask an administrator for a new one")
        changed = row._replace(password=kept)
        tx.put_account(changed)
        tx.drop_sessions(row.id)
        tx.note_try(row.pseudonym, 0, 0)
        return changed

    return places.gate.write(work)


def set_password(places: Places, who: str, password: str) -> AccountRow:
    """Set a user's password for them; every session of before ends."""
    with places.gate.read() as reader:
        email = user_of(places, find(places, reader, who)).email
    passwords.refuse_weak(password, email)
    kept = passwords.hashed(password)

    def work(tx: AccessWriter) -> AccountRow:
        row = find(places, tx, who)._replace(password=kept)
        tx.put_account(row)
        tx.drop_sessions(row.id)
        tx.note_try(row.pseudonym, 0, 0)
        return row

    return places.gate.write(work)


def link(places: Places, tx: AccessWriter, purpose: str, row: AccountRow | None) -> Link:
    """Make a link inside a transaction."""
    token, account = secrets.token_urlsafe(32), row.id if row is not None else 0
    ends_at = present(places) + _LASTS[purpose] // MICROSECOND
    tx.drop_links(purpose, account)
    tx.put_link(LinkRow(token_hash(places, token), purpose, account, ends_at))
    email = user_of(places, row).email if row is not None else ""
    return Link(token=token, purpose=purpose, ends_at=instant(ends_at), email=email)


def take(places: Places, tx: AccessWriter, token: str, purposes: tuple[str, ...]) -> LinkRow:
    """Use a link up inside a transaction. Raises NotSignedIn where it does not work for any of the purposes."""
    row = tx.link(token_hash(places, token))
    if row is None or row.purpose not in purposes or row.ends_at <= present(places):
        raise NotSignedIn(_STALE_LINK, hint="ask an administrator for a new one")
    taken = tx.take_link(row.token)
    if taken is None:
        raise NotSignedIn(_STALE_LINK, hint="ask an administrator for a new one")
    return taken


def _new(
    places: Places, tx: AccessWriter, email: str, role: str, name: str, password: str | None
) -> AccountRow:
    salt = places.vault.salt()
    row = AccountRow(
        id=tx.next_number("account"), pseudonym=pseudonym(places, email), salt=salt,
        sealed=places.vault.seal(salt, {"email": email, "name": name.strip()[:100]}), role=role, password=password,
        subject=None, disabled=0, created_at=present(places), signed_in_at=0,
    )  # fmt: skip
    tx.put_account(row)
    return row


def _known_role(role: str) -> None:
    if role not in ROLES:
        raise UnknownName("role", role[:40], ROLES)


def _spare_the_last(tx: AccessWriter, row: AccountRow) -> None:
    others = [a for a in tx.accounts() if a.role == "administrator" and not a.disabled and a.id != row.id]
    if row.role == "administrator" and not row.disabled and not others:
        raise Conflict("that is the last administrator", hint="make somebody else an administrator first")
