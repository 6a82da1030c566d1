"""Options that many commands share, and opening the shop they speak of."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer
from msgspec import Struct

from shopkeeper.domain.errors import BadFile, InvalidInput, NotFound, UnknownName
from shopkeeper.domain.reading import Reading

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_ADDRESS = ("postgresql://", "postgres://")
_given: dict[Path, str] = {}
"""The address that was given for a folder: a path would lose its slashes, and a folder does not know the password."""


def _place(text: str | Path) -> Path:
    """The folder of what was given: itself, or that of a shop in a database."""
    if not str(text).startswith(_ADDRESS):
        return Path(text)
    from shopkeeper.shop.databases import address, folder_of

    folder = folder_of(address(str(text)))
    _given[folder] = str(text)
    return folder


ShopOption = Annotated[
    Path,
    typer.Option(
        "--shop",
        envvar="SHOPKEEPER_SHOP",
        help="The shop's folder, or its database as postgresql://user@host/database.",
        show_default=True,
        parser=_place,
        metavar="PLACE",
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        help="Keep the ledger in this empty database rather than in the folder.",
        metavar="postgresql://USER@HOST/DATABASE",
    ),
]
Who = Annotated[
    str,
    typer.Argument(
        help="A customer id, an e-mail address, telephone, card or account number, or kind:value."
    ),
]
DATES = ("day-first", "month-first")
DECIMALS = ("comma", "point")
DEFAULT_SHOP = Path("my-shop")
HOST = "127.0.0.1"
PORT = 8765


def opened(folder: Path) -> Shop:
    """The shop in a folder. Unlike the library's ``open``, a command never makes a new shop by a mistyped path."""
    if not (folder / "shop.toml").is_file():
        raise NotFound(
            f"there is no shop in {folder}",
            hint=f"make one with 'shopkeeper init {folder}', or name another with --shop or SHOPKEEPER_SHOP",
        )
    import shopkeeper

    if folder not in _given:
        return shopkeeper.open(folder)
    _tell_children(_given[folder])
    return shopkeeper.open(_given[folder], folder=folder)


def _tell_children(address: str) -> None:
    """Leave a password where processes that this one starts find it; they are given the folder only."""
    from shopkeeper.shop.databases import address as taken_apart

    for name, value in taken_apart(address).secrets:
        if name == "password":
            os.environ.setdefault("PGPASSWORD", value)


def asked() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty()


Json = Annotated[Path | None, typer.Option("--json", help="Write it as data instead; - for standard output.")]
"""Data rather than a table to look at."""


def write_json(value: Any, to: Path) -> None:
    """Write plain data as indented JSON to a file, or to standard output for '-'."""
    body = msgspec.json.format(msgspec.json.encode(value), indent=2)
    if str(to) == "-":
        typer.echo(body.decode())
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(body + b"\n")


class SavedMapping(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How a kind of file was read, kept for the next file of the same system: its columns, and what was told of it."""

    kind: str
    columns: dict[str, str]
    dates: Literal["day-first", "month-first"] | None = None
    decimal: Literal["comma", "point"] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    def reading(self, region: str) -> Reading:
        """What was told of the file; the shop's region decides where nothing was."""
        return Reading(
            encoding=self.encoding,
            delimiter={"tab": "\t"}.get(self.delimiter, self.delimiter) if self.delimiter else None,
            sheet=self.sheet,
            region=region,
            day_first=None if self.dates is None else self.dates == "day-first",
            decimal_comma=None if self.decimal is None else self.decimal == "comma",
        )


def told_of(
    saved: SavedMapping | None, kind: str | None, columns: dict[str, str], **told: str | None
) -> SavedMapping:
    """What is told of a file, by options and, where those are silent, by a saved mapping."""
    for name, words in (("dates", DATES), ("decimal", DECIMALS)):
        if (given := told.get(name)) is not None and given not in words:
            raise UnknownName(f"value of --{name}", given, words)
    before = saved or SavedMapping("", {})
    merged = {name: given if given is not None else getattr(before, name) for name, given in told.items()}
    return msgspec.convert(
        {"kind": kind or before.kind, "columns": before.columns | columns, **merged}, SavedMapping
    )


def saved_mapping(file: Path) -> SavedMapping:
    """The mapping that ``--save-map`` wrote."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=SavedMapping)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadFile(f"{file} is no saved mapping", hint="give a file written by --save-map") from None


def mapping_of(pairs: Sequence[str]) -> dict[str, str]:
    """Which column to take for which field, from ``field=column`` pairs; an empty column leaves the field out.

    >>> mapping_of(["order_id=Invoice", "unit_price=Unit = net", "phone="])
    {'order_id': 'Invoice', 'unit_price': 'Unit = net', 'phone': ''}
    """
    mapping: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field.strip():
            raise InvalidInput(
                f"--map {pair!r} is not field=column", hint="for example --map order_id='Invoice No'"
            )
        mapping[field.strip()] = column.strip()
    return mapping
