"""Commands about who is who: why two identifiers belong together, what needs a look, settling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from shopkeeper.cli.handing import done
from shopkeeper.cli.options import DEFAULT_SHOP, ShopOption, opened
from shopkeeper.cli.screen import bar, count, fill, heading, minute, percent, screen, table, text
from shopkeeper.cli.steps import Steps
from shopkeeper.domain.identity import SETTLEMENTS, JunkFound, Particulars, Ruling, Settlement

if TYPE_CHECKING:
    from rich.console import Console

    from shopkeeper.domain.identity import Explanation, Step, Waterfall
    from shopkeeper.domain.profile import IdentifierShown

_WHAT = ", ".join(f"{name} ({sentence})" for name, sentence in SETTLEMENTS.items())


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(
        help="Who is who: why, why not, what needs a look, and settling it.", no_args_is_help=True
    )
    group.command()(why)
    group.command()(match)
    group.command()(review)
    group.command()(turns)
    group.command()(settle)
    group.command()(link)
    group.command()(rules)
    group.command()(junk)
    app.add_typer(group, name="identity")


def why(one: str, other: str, *, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Why two identifiers are one customer's, or what stands between them."""
    with opened(folder) as shop:
        found, zone = shop.explain(one, other), ZoneInfo(shop.settings.time_zone)
    console = screen()
    if found.one:
        heading(console, f"One customer: {found.customers[0]}")
        made = table("identifier", "and", "seen together on", "first", "source")
        console.print(
            fill(
                made,
                ((_id(s.one), _id(s.other), _because(s), minute(s.at, zone), s.source) for s in found.steps),
            )
        )
        for step in found.steps:
            if step.waterfall is not None:
                heading(console, f"Why a model takes {_id(step.one)} and {_id(step.other)} for one person's")
                waterfall(console, step.waterfall)
        return
    heading(console, f"Two customers: {found.customers[0]} and {found.customers[1]}")
    for line in _reasons(found):
        console.print(text(line))
    if found.likeness is not None:
        heading(console, f"The model gives them odds {found.likeness.odds} of being one person")
        waterfall(console, found.likeness)


def match(
    who: Annotated[str, typer.Argument(help="A customer; left out where particulars are given.")] = "",
    *,
    first_name: Annotated[str, typer.Option(help="As it was told; a short form will do.")] = "",
    last_name: Annotated[str, typer.Option()] = "",
    birthday: Annotated[str, typer.Option(help="Year first, or day-month-year.")] = "",
    street: Annotated[str, typer.Option(help="Street and house number.")] = "",
    city: Annotated[str, typer.Option()] = "",
    postcode: Annotated[str, typer.Option()] = "",
    email: Annotated[str, typer.Option()] = "",
    phone: Annotated[str, typer.Option()] = "",
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many to list.")] = 5,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Who somebody may be, by likeness: of a customer, or of somebody who tells a name, a birthday, an address."""
    told = Particulars(
        first_name=first_name,
        last_name=last_name,
        birthday=birthday,
        street=street,
        city=city,
        postcode=postcode,
        email=email,
        phone=phone,
    )
    with opened(folder) as shop:
        found = shop.match(who or None, limit=limit, **told.given())
    console = screen()
    if not found.rows:
        console.print(text(f"Nobody of {count(found.records, 'record')} is likely to be the same person."))
        return
    heading(console, f"Likely matches of {count(found.records, 'record')}")
    made = table("customer", "name", ("chance", "right"), ("bits", "right"), ("orders", "right"), "by")
    rows = (
        (r.id, r.name, percent(r.probability), _bits(r.waterfall.weight), r.orders, _id(r.waterfall.other))
        for r in found.rows
    )
    console.print(fill(made, rows))
    heading(console, f"Why {found.rows[0].id} comes first")
    waterfall(console, found.rows[0].waterfall)


def waterfall(console: Console, found: Waterfall) -> None:
    """The bars of a waterfall, aligned, with what they add up to."""
    widest = max(1.0, *(abs(bar.weight + bar.adjustment) for bar in found.bars))
    made = table("compared", "how alike", ("bits", "right"), ("rarity", "right"), ("against", "right"), "for")
    rows: list[tuple[Any, ...]] = []
    for one in found.bars:
        share = (one.weight + one.adjustment) / widest
        rarity = _bits(one.adjustment) if one.adjustment else ""
        rows.append((one.name, one.level, _bits(one.weight), rarity, bar(-share), bar(share)))
    rows.append(("all together", f"odds {found.odds}", _bits(found.weight), "", "", ""))
    console.print(fill(made, rows))
    if found.rule:
        console.print(text(f"It counts as sure all the same: {found.rule}."))
    if found.against:
        console.print(text(f"Linkage would not join them: {found.against}."))


def _bits(weight: float) -> str:
    return f"{weight:+.2f}"


def _reasons(found: Explanation) -> list[str]:
    lines = []
    for reason in found.reasons:
        about = ", ".join(_id(one) for one in reason.about)
        of_what = f" ({reason.count} x {reason.of_kind.replace('_', ' ')})" if reason.count else ""
        lines.append(f"{reason.sentence}{of_what}{': ' + about if about else ''}")
    return lines


def review(
    *,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to list.")] = 25,
    cursor: Annotated[int | None, typer.Option(help="Where the list went on.")] = None,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Identities that a person should look at."""
    with opened(folder) as shop:
        page = shop.review(cursor=cursor, limit=limit)
    console = screen()
    if not page.rows:
        console.print(text("Nothing needs a look."))
        return
    heading(console, "Worth a look")
    for row in page.rows:
        console.print(text(row.sentence))
        who = ", ".join(
            f"{one.name or one.id} ({one.id}, {count(one.orders, 'order')})" for one in row.beside
        )
        about = _id(row.identifier) if row.identifier else row.customer
        if row.tie:
            about = f"{about}, tied by {' and '.join(_id(one) for one in row.tie)}"
        console.print(text(f"  {about}{': ' + who if who else ''}"))
        console.print(text(f"  to settle it, name it as {f'{row.reference} {row.other}'.strip()}"))
    if page.next:
        console.print(text(f"and more: --cursor {page.next}"))


def turns(
    who: Annotated[str, typer.Argument(help="A customer; everybody where left out.")] = "",
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many of the latest to list.")] = 25,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """What merged and what split, and by what, latest first."""
    with opened(folder) as shop:
        rows, zone = shop.turns(who or None, limit=limit), ZoneInfo(shop.settings.time_zone)
    console = screen()
    if not rows:
        console.print(text("No two customers have become one yet, and none two."))
        return
    made = table("when", "customer", "what", "other", "by", "evidence")
    told = (
        (
            minute(t.at, zone),
            t.customer,
            "took in" if t.kind == "merge" else "lost",
            t.other,
            t.by,
            " ".join([t.why, *(_id(i) for i in t.about)]),
        )
        for t in rows
    )
    console.print(fill(made, told))


def settle(
    what: Annotated[str, typer.Argument(help=_WHAT)],
    identifiers: Annotated[
        list[str],
        typer.Argument(help="Two; one or two for leave and undecide; some for split; else one."),
    ],
    *,
    customer: Annotated[str, typer.Option(help="For split: whose identifiers leave.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Settle who is who. Nothing that was heard is lost: orders and events follow their identifiers."""
    with opened(folder) as shop:
        made = msgspec.convert(
            done(
                shop,
                "settle",
                lambda: shop.settle(what, *identifiers, customer=customer, dry_run=dry_run),
                what=what,
                identifiers=identifiers,
                customer=customer,
                dry_run=dry_run,
            ),
            Settlement,
            from_attributes=True,
        )
    console = screen()
    heading(console, f"{'Would settle' if made.dry_run else 'Settled'}: {SETTLEMENTS[made.what]}")
    for turn in made.turned:
        told = "becomes part of" if turn.kind == "merge" else "leaves"
        console.print(text(f"{turn.other} {told} {turn.customer}"))
    console.print(text(f"{count(made.events, 'event')} folded anew"))
    if made.carried:
        console.print(text(f"{count(made.carried, 'withdrawn consent')} kept on both sides"))


def link(
    *,
    full: Annotated[bool, typer.Option("--full", help="Train the model anew and link everybody.")] = False,
    folder: ShopOption = DEFAULT_SHOP,
) -> None:
    """Link people by names, birth dates and addresses, by a model that learns from the shop's own records."""
    from shopkeeper.shop.linking import LinkedUp

    console = screen()
    with opened(folder) as shop, Steps() as steps:
        made = msgspec.convert(
            done(shop, "link", lambda: shop.link_people(full=full, progress=steps), steps, full=full),
            LinkedUp,
            from_attributes=True,
        )
    how = "model trained anew" if made.trained else "with the kept model"
    heading(console, f"Linked {count(made.records, 'record')}, {how}")
    console.print(text(f"{count(made.compared, 'record')} compared with all others"))
    console.print(text(f"{count(made.likenesses, 'pair')} believed to be one person's"))
    console.print(
        text(
            f"{count(made.merged, 'customer')} became part of another, {count(made.split, 'customer')} came apart"
        )
    )


_Apply = Annotated[bool, typer.Option("--apply", help="Do it; without this only say what it would do.")]


def rules(*, apply: _Apply = False, folder: ShopOption = DEFAULT_SHOP) -> None:
    """The rules of identity in force, and what those of shop.toml would change."""
    with opened(folder) as shop:
        made = msgspec.convert(
            done(shop, "identity rules", lambda: shop.identity_rules(apply=apply), apply=apply),
            Ruling,
            from_attributes=True,
        )
    console = screen()
    heading(console, "Rules of identity")
    lines = table("rule", "in force", "shop.toml")
    rows = ((name, str(made.in_force[name]), str(made.wanted[name])) for name in made.in_force)
    console.print(fill(lines, rows))
    if made.in_force == made.wanted and not (made.shared or made.freed or made.merged or made.split):
        console.print(text("What shop.toml asks for is in force."))
        return
    for line in _changes(made.shared, made.freed, made.merged, made.split, applied=made.applied):
        console.print(text(line))
    console.print(text("In force from now on." if made.applied else "Nothing was changed: --apply does it."))


def _changes(shared: int, freed: int, merged: int, split: int, *, applied: bool) -> list[str]:
    would = "" if applied else "would "
    return [
        f"{count(shared, 'identifier')} {would}name nobody from now on, {count(freed, 'identifier')} somebody again",
        f"{count(merged, 'customer')} {would}become part of another, {count(split, 'customer')} {would}come apart",
    ]


def junk(*, apply: _Apply = False, folder: ShopOption = DEFAULT_SHOP) -> None:
    """Values that people of very many family names share, and that should name nobody."""
    console = screen()
    with opened(folder) as shop, Steps() as steps:
        made = msgspec.convert(
            done(
                shop,
                "identity junk",
                lambda: shop.junk_identifiers(apply=apply, progress=steps),
                steps,
                apply=apply,
            ),
            JunkFound,
            from_attributes=True,
        )
    heading(console, "Values that name nobody")
    if made.known:
        console.print(text(f"{count(made.known, 'value')} set aside already"))
    if not made.rows:
        console.print(text("No further value is shared by so many family names."))
        return
    lines = table("value", "family names", "", "to settle it")
    told = ((_id(r.identifier), str(r.names), "comes back" if r.back else "", r.reference) for r in made.rows)
    console.print(fill(lines, told))
    would = "" if made.applied else "would "
    console.print(
        text(
            f"{count(made.merged, 'customer')} {would}become part of another, {made.split:,} {would}come apart"
        )
    )
    if not made.applied:
        console.print(text("Nothing was changed: --apply does it."))


def _id(identifier: IdentifierShown) -> str:
    return f"{identifier.kind}:{identifier.value}"


def _because(step: Step) -> str:
    if step.why == "decided":
        return f"decided by {step.by}"
    return step.why if step.weight is None else f"a model ({step.weight:+.1f})"
