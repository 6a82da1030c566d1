"""Commands about one customer: customer, export, erase."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from shopkeeper.cli import profile as pages
from shopkeeper.cli.handing import done
from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, Who, asked, opened, write_json
from shopkeeper.cli.screen import count, day, fill, heading, money, screen, table, text
from shopkeeper.domain.errors import InvalidInput, NotFound, UnknownName
from shopkeeper.domain.identifier import IDENTIFIER_KINDS

if TYPE_CHECKING:
    from shopkeeper.domain.profile import CustomerPage
    from shopkeeper.shop import Shop

_KIND = re.compile(r"([a-z]+(?:_[a-z]+)*):.+")
"""What looks like 'kind:value'."""
_MOST_MATCHES = 20


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(customer)
    app.command()(export)
    app.command()(erase)


def customer(
    who: Who,
    *,
    timeline: Annotated[
        int, typer.Option(min=0, max=1000, help="How many of the latest events to show.")
    ] = 12,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """One customer in full: identifiers, traits, predictions, taste, consents and the latest events.

    Where nobody has such an identifier, it is searched for as words of a name.
    """
    with opened(folder) as shop:
        try:
            with _kind_named(who):
                found = shop.customer(who)
        except NotFound:
            matches = shop.find(who, limit=_MOST_MATCHES) if "@" not in who else None
            if matches is None or not matches.rows:
                raise
            _matches(matches, shop)
            return
        latest = shop.timeline(found.id, limit=max(timeline, 1))
        if timeline == 0:
            latest = type(latest)(())
        pages.show(screen(), found, latest, shop.traits(), shop.settings.time_zone)


@contextmanager
def _kind_named(who: str) -> Iterator[None]:
    """Turns NotFound into UnknownName where ``kind:value`` was given with a kind that is none."""
    try:
        yield
    except NotFound:
        named = _KIND.fullmatch(who.strip())
        if named and named[1] not in IDENTIFIER_KINDS:
            raise UnknownName("kind of identifier", named[1], IDENTIFIER_KINDS) from None
        raise


def _matches(page: CustomerPage, shop: Shop) -> None:
    """Who a search for words found, to choose from."""
    console, zone = screen(), ZoneInfo(shop.settings.time_zone)
    whom = "1 customer matches" if page.total == 1 else f"{page.total:,} customers match"
    heading(console, f"Nobody has that identifier; {whom} by name")
    made = table("customer", "id", ("orders", "right"), ("last order", "right"), ("margin so far", "right"))
    rows = (
        (
            row.name,
            row.id,
            f"{row.orders:,}",
            day(row.last_order, zone),
            money(row.margin, shop.settings.currency),
        )
        for row in page.rows
    )
    console.print(fill(made, rows))
    if page.total > len(page.rows):
        console.print(text(f"and {page.total - len(page.rows):,} more; another word of the name narrows it"))
    console.print(text("Look at one: shopkeeper customer ID"))


def export(
    who: Who,
    *,
    to: Annotated[Path, typer.Option("--to", help="The file to write; - for standard output.")],
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Write all that is known of one person as JSON, to be handed to that person."""
    with opened(folder) as shop, _kind_named(who):
        write_json(shop.export(who), to)
    if str(to) != "-":
        screen().print(
            text(f"Written to {to}. It holds personal data in clear: hand it over, then delete it.")
        )


def erase(
    who: Who,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Forget one person: shows what would go, asks, erases for good, prints the receipt."""
    from shopkeeper.shop.forgetting import ErasureReceipt

    console = screen()
    with opened(folder) as shop:
        with _kind_named(who):
            found = shop.customer(who)
        heading(console, f"{found.name or found.id} would be forgotten")
        kinds = ", ".join(one.kind.replace("_", " ") for one in found.identifiers)
        console.print(text(f"customer: {found.id}"))
        console.print(text(f"identifiers: {kinds or 'none'}"))
        console.print(
            text(f"orders, which stay as figures without the person: {found.traits.get('orders') or 0:,}")
        )
        console.print(text(f"open cases: {len(found.open_cases)}"))
        console.print(text("This cannot be undone. Backups within reach are cleaned too."))
        if not yes:
            if not asked():
                raise InvalidInput("erasing needs a confirmation", hint="say --yes where nobody can be asked")
            typer.confirm("Erase?", default=False, abort=True)
        receipt = msgspec.convert(
            done(shop, "erase", lambda: shop.erase(found.id), who=found.id),
            ErasureReceipt,
            from_attributes=True,
        )
    heading(console, "Receipt")
    console.print(text(f"customer {receipt.customer}: {count(receipt.identifiers, 'identifier')} erased"))
    kept = f"{count(receipt.orders_kept, 'order')} kept without the person"
    console.print(text(f"{count(receipt.events_removed, 'event')} removed, {kept}"))
    for place in receipt.places:
        console.print(text(f"cleaned: {place}"))
    for place in receipt.unreachable:
        console.print(text(f"not reached, it holds the person still: {place}", "bold"))
