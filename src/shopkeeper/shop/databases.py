"""Where a shop's ledger and gate are: in files of its folder, or in a PostgreSQL database that its settings name.

The database holds rows; the folder still holds settings, secret, lake and models. A fingerprint of the secret lies in
the database, so that a folder never meets a database that is not its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from shopkeeper import settings as table
from shopkeeper.domain.errors import Conflict, InvalidInput, StoreDamaged
from shopkeeper.settings import Settings
from shopkeeper.stores.contract.gate import Gate
from shopkeeper.stores.contract.ledger import Ledger, LedgerWriter
from shopkeeper.stores.contract.vault import Vault
from shopkeeper.stores.sql.address import Address, address, is_address
from shopkeeper.stores.vault.aes import open_vault

__all__ = ["Address", "address", "folder_of", "is_address", "move_in", "open_stores", "told"]

_MARK: Final = "secret"
_MEGABYTE: Final = 1024 * 1024


def folder_of(where: Address) -> Path:
    """The folder of a shop that is opened by its database alone: $XDG_DATA_HOME/shopkeeper/<database>.

    Where that is not set, ``~/.local/share``.
    """
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "shopkeeper" / where.folder


def told(settings: Settings, given: Address | None) -> Address | None:
    """The database of a shop, with what was given beside it that is secret; None where it has files."""
    if not settings.ledger:
        if given is not None:
            raise Conflict(
                "this folder's shop keeps its ledger in a file",
                hint="back it up and restore it with --ledger to move it into a database",
            )
        return None
    kept = address(settings.ledger)
    if given is None:
        return kept
    if given.shown != kept.shown:
        raise Conflict(f"this folder's shop is in another database: {kept.shown}", hint="give another folder")
    return msgspec.structs.replace(kept, secrets=given.secrets)


def open_stores(
    folder: Path, settings: Settings, vault: Vault, where: Address | None, *, new: bool
) -> tuple[Ledger, Gate]:
    """Ledger and gate of a shop. Raises Conflict and StoreDamaged where database and folder are not of one shop."""
    limit = settings.inbox_limit_mb * _MEGABYTE
    if where is None:
        from shopkeeper.stores.gate.sqlite import SqliteGate
        from shopkeeper.stores.ledger.sqlite import SqliteLedger

        files = SqliteLedger(folder / "ledger.db")
        try:
            return files, SqliteGate(folder / "gate.db", limit=limit)
        except BaseException:
            files.close()
            raise
    _installed()
    from shopkeeper.stores.gate.postgres import PostgresGate
    from shopkeeper.stores.ledger.postgres import PostgresLedger

    ledger = PostgresLedger(where)
    try:
        _recognise(ledger, vault, new=new)
        return ledger, PostgresGate(where, limit=limit)
    except BaseException:
        ledger.close()
        raise


def expect_empty(where: Address) -> None:
    """See that a database answers and holds no shop. Raises Conflict where it does."""
    _installed()
    from shopkeeper.stores.ledger.postgres import PostgresLedger

    ledger = PostgresLedger(where)
    try:
        _empty(ledger)
    finally:
        ledger.close()


def move_in(folder: Path, where: Address) -> None:
    """Bring ledger and gate of a closed shop, a folder with SQLite files, into an empty database, and note that."""
    _installed()
    from shopkeeper.stores.gate.postgres import PostgresGate
    from shopkeeper.stores.ledger.postgres import PostgresLedger

    vault = open_vault(folder / "secret.key", create=False)
    ledger = PostgresLedger(where)
    try:
        ledger.load(folder / "ledger.db")
        try:
            ledger.write(lambda tx: tx.keep(_MARK, _fingerprint(vault)))
            if (folder / "gate.db").exists():
                gate = PostgresGate(where)
                try:
                    gate.load(folder / "gate.db")
                finally:
                    gate.close()
        except BaseException:
            ledger.drop()  # it was empty before
            raise
    finally:
        ledger.close()
    table.save(folder, msgspec.structs.replace(table.load(folder), ledger=where.shown))
    for name in ("ledger.db", "gate.db"):
        for end in ("", "-wal", "-shm"):
            (folder / f"{name}{end}").unlink(missing_ok=True)


def _recognise(ledger: Ledger, vault: Vault, *, new: bool) -> None:
    """See that the database is that of this secret; a new shop takes an empty one for its own."""
    mark = _fingerprint(vault)
    with ledger.read() as reader:
        kept = reader.setting(_MARK)
    if kept == mark:
        return
    if kept is not None and not new:
        raise StoreDamaged(
            "secret.key is not that of the shop in this database",
            hint="put the right secret.key into the folder",
        )
    if new:
        _empty(ledger)
    else:
        raise Conflict(
            "the database is empty, but this folder is of a shop that has one",
            hint="look at 'ledger' in shop.toml, or restore a backup with --ledger",
        )

    def claim(tx: LedgerWriter) -> None:
        if tx.setting(_MARK) is not None:
            raise Conflict("the database holds a shop already", hint="it was made just now, by somebody else")
        tx.keep(_MARK, mark)

    ledger.write(claim)


def _empty(ledger: Ledger) -> None:
    with ledger.read() as reader:
        if reader.setting(_MARK) is not None or reader.setting("last_seq"):
            raise Conflict(
                "the database holds a shop already",
                hint="copy that shop's shop.toml and secret.key into the folder, or name another schema: ?schema=...",
            )


def _fingerprint(vault: Vault) -> str:
    return vault.pseudonym("secret", "fingerprint").hex()


def _installed() -> None:
    try:
        import psycopg  # noqa: F401
        import psycopg_pool  # noqa: F401
    except ImportError:
        raise InvalidInput(
            "a database needs the package psycopg", hint="pip install 'shopkeeper[postgres]'"
        ) from None
