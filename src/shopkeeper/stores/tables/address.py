"""The address of a database: checked, its password taken from the environment and never shown."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from shopkeeper.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from sqlalchemy import URL

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME: Final = re.compile(
    r'(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\])(?:\.(?:[\w$]+|"[^"]+"|`[^`]+`|\[[^\]]+\])){0,3}'
)
_NO_CODE: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def alchemy() -> Any:
    """SQLAlchemy, or an error that says how to get it."""
    try:
        import sqlalchemy
    except ImportError:
        raise InvalidInput(
            "reading tables of a database needs SQLAlchemy", hint="pip install 'shopkeeper[tables]'"
        ) from None
    return sqlalchemy


def parsed(url: str) -> URL:
    """The address with ``${NAME}`` taken from the environment. Errors never repeat it: it may hold a password."""
    alchemy()
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    whole = with_environment(url)
    try:
        told: URL = make_url(whole)
    except (ArgumentError, ValueError):
        raise InvalidInput(
            "this is no address of a database",
            hint="such as postgresql://reader:${DB_PASSWORD}@host/database",
        ) from None
    told = told.set(drivername=_DRIVERS.get(told.drivername, told.drivername))
    if told.get_backend_name() == "sqlite" and told.database and told.database != ":memory:":
        from pathlib import Path

        if not told.database.startswith("file:") and not Path(told.database).is_file():
            raise NotFound(f"there is no SQLite file {Path(told.database).name!r}", hint="check the path")
    return told


def with_environment(url: str) -> str:
    """The address with each ``${NAME}`` replaced by what the environment says. Raises InvalidInput."""
    return _VARIABLE.sub(_of_environment, url.strip())


def _of_environment(match: re.Match[str]) -> str:
    value = os.environ.get(match.group(1))
    if value is None:
        raise InvalidInput(
            f"the environment has no variable {match.group(1)}",
            hint="export it, or leave it out of the address",
        )
    return quote(value, safe="")


def shown(url: URL) -> str:
    """The address without its password and without parameters, which may hold secrets too.

    >>> shown(parsed("postgresql://reader:s3cret@db.example/shop?sslmode=require"))
    'postgresql://reader@db.example/shop'
    """
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    who = f"{url.username}@" if url.username else ""
    return f"{url.get_backend_name()}://{who}{place}/{url.database or ''}"


def without_secrets(message: str, url: URL) -> str:
    """The first line of a driver's message, without the password."""
    line = message.strip().splitlines()[0] if message.strip() else "no reason given"
    secret = str(url.password) if url.password else ""
    for text in (secret, quote(secret, safe="")):
        if text:
            line = line.replace(text, "***")
    return line[:300]


def checked_query(query: str) -> str:
    """A query that only reads: one SELECT, or the name of a table.

    >>> checked_query("sales.orders"), checked_query(" select 1 ; ")
    ('SELECT * FROM sales.orders', 'select 1')
    """
    text = query.strip().rstrip(";").strip()
    if _NAME.fullmatch(text):
        return f"SELECT * FROM {text}"
    code = _NO_CODE.sub(" ", text)
    if ";" in code:
        raise InvalidInput("a query may be one statement only", hint="leave out what follows the ';'")
    if not re.match(r"[\s(]*(select|with)\b", code, re.IGNORECASE):
        raise InvalidInput("a query must begin with SELECT or WITH", hint="or be the name of a table")
    return text


def table_of(query: str) -> str:
    """A name for what is read: that of the table, or ``query``.

    >>> table_of('shop."Orders"'), table_of("select * from a join b using (id)")
    ('Orders', 'query')
    """
    text = query.strip().rstrip(";").strip()
    if _NAME.fullmatch(text):
        return text.split(".")[-1].strip('"`[]')
    simple = re.fullmatch(
        r"select\s+.+?\s+from\s+([\w.\"]+)(?:\s+where\s.+)?", text, re.IGNORECASE | re.DOTALL
    )
    return simple.group(1).split(".")[-1].strip('"') if simple else "query"
