"""Where a PostgreSQL database is, told as an address; what it says that is secret is kept apart at once."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from msgspec import Struct

from shopkeeper.domain.errors import InvalidInput

SCHEMA: Final = "shopkeeper"
_SCHEMES = ("postgresql", "postgres")
_SECRET = ("password", "sslpassword")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_LIKE = "postgresql://user@host/database"


class Address(Struct, frozen=True):
    """A database, and the schema in it that is one shop's."""

    url: str
    """As PostgreSQL's own library reads it, without anything secret."""
    database: str
    schema: str = SCHEMA
    secrets: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"<Address {self.shown}>"

    __str__ = __repr__

    @property
    def shown(self) -> str:
        """As it may be written down: with the schema, without anything secret."""
        if self.schema == SCHEMA:
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}schema={self.schema}"

    @property
    def folder(self) -> str:
        """A name for a folder of this shop."""
        name = re.sub(r"[^\w.-]", "-", self.database).strip(".") or "shop"
        return name if self.schema == SCHEMA else f"{name}-{self.schema}"


def is_address(text: object) -> bool:
    """Whether this means a database rather than a folder.

    >>> is_address("postgresql://db/shop"), is_address("my-shop")
    (True, False)
    """
    return isinstance(text, str) and text.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES))


def address(text: str) -> Address:
    """An address taken apart. ``?schema=`` names a schema other than ``shopkeeper``. Raises InvalidInput.

    >>> one = address("postgresql://anna:secret@db.example/shop?schema=outlet&sslmode=require")
    >>> one.shown, one.database, one.folder
    ('postgresql://anna@db.example/shop?sslmode=require&schema=outlet', 'shop', 'shop-outlet')
    >>> one
    <Address postgresql://anna@db.example/shop?sslmode=require&schema=outlet>
    """
    if not is_address(text):
        raise InvalidInput("that is no address of a PostgreSQL database", hint=f"give one like {_LIKE}")
    try:
        parts = urlsplit(text)
        asked = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise InvalidInput("the database's address cannot be read", hint=f"give one like {_LIKE}") from None
    user, at, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    options = dict(asked)
    secrets = {key: options.pop(key) for key in _SECRET if options.get(key)}
    if password:
        secrets["password"] = unquote(password)
    schema = options.pop("schema", SCHEMA)
    if not _NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise InvalidInput(
            "the schema in the database's address is no plain name",
            hint="use up to 40 lower-case letters, digits and underscores",
        )
    database = unquote(parts.path.strip("/")) or options.get("dbname", "") or unquote(name)
    if not database:
        raise InvalidInput("the address names no database", hint=f"give one like {_LIKE}")
    query = urlencode(options, quote_via=quote, safe="/,")
    # An address without a host (a local socket) keeps its three slashes.
    bare = urlunsplit(("postgresql", f"{name}{at}{host}", parts.path or "/", query, ""))
    if not f"{name}{at}{host}":
        bare = f"postgresql://{parts.path or '/'}{'?' if query else ''}{query}"
    return Address(bare, database, schema, tuple(secrets.items()))
