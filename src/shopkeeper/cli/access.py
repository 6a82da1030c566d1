"""Commands about who may: user, key, audit. Whoever runs them on the shop's folder owns it already."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from shopkeeper.cli.options import DEFAULT_SHOP, HOST, PORT, ShopOption, asked, opened
from shopkeeper.cli.screen import fill, minute, screen, table, text
from shopkeeper.domain.actor import ROLES, SCOPES
from shopkeeper.domain.errors import InvalidInput

if TYPE_CHECKING:
    from shopkeeper.domain.access import Link
    from shopkeeper.shop import Shop

User = Annotated[str, typer.Argument(help="An e-mail address, or an id such as u3.")]
Email = Annotated[str, typer.Argument(help="The e-mail address to sign in with.")]
Role = Annotated[str, typer.Option("--role", help=f"One of {', '.join(ROLES)}.")]
RoleWord = Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    users = typer.Typer(no_args_is_help=True, help="Users: who may sign in, and with which role.")
    users.command("add")(add)
    users.command("list")(list_users)
    users.command("role")(role)
    users.command("disable")(disable)
    users.command("enable")(enable)
    users.command("password")(password)
    users.command("link")(link)
    app.add_typer(users, name="user")
    keys = typer.Typer(no_args_is_help=True, help="API keys: which programs may ask, and for what.")
    keys.command("add")(add_key)
    keys.command("list")(list_keys)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="key")
    app.command()(audit)


def add(
    email: Email,
    *,
    role: Role = "marketer",
    name: Annotated[str, typer.Option(help="What the user is called.")] = "",
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Add a user, and print the link by which they choose a password."""
    with opened(folder) as shop:
        _say(shop, shop.add_user(email, role, name))


def list_users(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Everybody who may sign in."""
    console = screen()
    with opened(folder) as shop:
        users, zone = shop.users(), ZoneInfo(shop.settings.time_zone)
    if not users:
        console.print(text("There is no user yet: 'shopkeeper serve' prints a link to set the shop up."))
        return
    rows = (
        (
            u.id,
            u.email,
            u.name,
            u.role,
            _when(u.signed_in_at, zone, "never"),
            "shut out" if u.disabled else "" if u.password or u.provider else "no password yet",
        )
        for u in users
    )
    console.print(fill(table("id", "e-mail", "name", "role", "last sign-in", ""), rows))


def role(user: User, to: RoleWord, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Give a user another role, from their next request on."""
    with opened(folder) as shop:
        shop.change_role(user, to)
    screen().print(text(f"{user} is {to} now."))


def disable(user: User, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Shut a user out, at once."""
    with opened(folder) as shop:
        shop.disable_user(user)
    screen().print(text(f"{user} is shut out."))


def enable(user: User, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Let a user in again."""
    with opened(folder) as shop:
        shop.disable_user(user, disabled=False)
    screen().print(text(f"{user} may sign in again."))


def password(user: User, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Set a user's password, typed here; wherever they are signed in, they must sign in again."""
    if not asked():
        raise InvalidInput(
            "a password is typed, not given", hint="'shopkeeper user link' makes a link instead"
        )
    typed = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    with opened(folder) as shop:
        shop.set_password(user, typed)
    screen().print(text(f"The password of {user} is set."))


def link(
    user: Annotated[str, typer.Argument(help="An e-mail address, or an id such as u3.")] = "",
    *,
    sign_in: Annotated[bool, typer.Option("--sign-in", help="A link that signs in by itself.")] = False,
    set_up: Annotated[
        bool, typer.Option("--set-up", help="The link that makes the first administrator.")
    ] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Print a link that works once: to choose a new password, to sign in, or to set the shop up."""
    with opened(folder) as shop:
        if set_up:
            _say(shop, shop.set_up_link())
        elif user:
            _say(shop, shop.user_link(user, "sign_in" if sign_in else "password"))
        else:
            raise InvalidInput("whose link?", hint="name a user, or give --set-up")


def add_key(
    name: Annotated[str, typer.Argument(help="Which program it is for.")],
    *,
    scope: Annotated[list[str], typer.Option("--scope", help=f"What it may, repeated: {', '.join(SCOPES)}.")],
    days: Annotated[int, typer.Option(min=0, help="Days until it ends; 0 for no end.")] = 365,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Make an API key and print it, this once."""
    with opened(folder) as shop:
        made = shop.add_api_key(name, scope, days)
    console = screen()
    console.print(text(f"{made.key.id} {made.key.name}: {' '.join(made.key.scopes)}"))
    console.print(text("Shown this once; send it as 'Authorization: Bearer KEY':"))
    typer.echo(made.secret)


def list_keys(*, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Every API key, without the keys."""
    console = screen()
    with opened(folder) as shop:
        keys, zone = shop.api_keys(), ZoneInfo(shop.settings.time_zone)
    if not keys:
        console.print(text("There is no API key yet."))
        return
    rows = (
        (
            k.id,
            k.name,
            f"...{k.hint}",
            " ".join(k.scopes),
            _when(k.used_at, zone, "never"),
            "revoked" if k.revoked_at else _when(k.ends_at, zone, "no end"),
        )
        for k in keys
    )
    console.print(fill(table("id", "name", "ends in", "scopes", "last used", "until"), rows))


def revoke(
    key: Annotated[str, typer.Argument(help="An id such as k5.")], *, folder: ShopOption = DEFAULT_SHOP
) -> None:
    """End an API key at once."""
    with opened(folder) as shop:
        shop.revoke_api_key(key)
    screen().print(text(f"{key} is revoked."))


def audit(
    *,
    about: Annotated[str, typer.Option(help="A customer (c42), user (u3) or key (k5).")] = "",
    by: Annotated[str, typer.Option(help="A user (u3), a key (k5), or owner.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the latest lines.")] = 50,
    check: Annotated[
        bool, typer.Option("--check", help="Only see whether a line was changed, added or left out.")
    ] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Who saw and did what, latest first."""
    console = screen()
    with opened(folder) as shop:
        if check:
            wrong = shop.check_audit()
            console.print(text("\n".join(wrong) or "Every line of the audit log is as it was written."))
            if wrong:
                raise typer.Exit(1)
            return
        lines, zone = shop.audit(subject=about, actor=by, limit=limit), ZoneInfo(shop.settings.time_zone)
    rows = (
        (
            _when(line.at, zone, ""),
            line.who,
            line.verb + ("" if line.outcome != "refused" else ": refused"),
            line.subject,
            line.detail,
        )
        for line in lines
    )
    console.print(fill(table("when", "who", "what", "about", "detail"), rows))


def _say(shop: Shop, made: Link) -> None:
    zone = ZoneInfo(shop.settings.time_zone)
    base = shop.settings.address.rstrip("/") or f"http://{HOST}:{PORT}"
    whom = f" for {made.email}" if made.email else ""
    screen().print(text(f"A link{whom} that works once, until {_when(made.ends_at, zone, '')}:"))
    typer.echo(f"{base}{made.path}")  # one piece, however narrow the terminal


def _when(at: datetime | None, zone: ZoneInfo, otherwise: str) -> str:
    return minute(at, zone) if at is not None else otherwise
