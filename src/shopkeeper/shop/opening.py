"""Opens a shop, in a folder or in a database, and makes one where there is none."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from shopkeeper import settings as table
from shopkeeper.domain import events as _declared  # noqa: F401 - fills the table of events
from shopkeeper.domain.actor import OWNER, Actor
from shopkeeper.domain.clock import Clock, FixedClock, SystemClock
from shopkeeper.domain.errors import Conflict, InvalidInput, StoreFailure
from shopkeeper.settings import Settings
from shopkeeper.shop import backups, databases, erasing, ruling
from shopkeeper.shop.databases import Address
from shopkeeper.shop.facade import Shop
from shopkeeper.shop.places import Places
from shopkeeper.stores.vault.aes import open_vault


def open_shop(
    place: str | Path,
    *,
    folder: str | Path | None = None,
    clock: Clock | None = None,
    actor: Actor = OWNER,
) -> Shop:
    """Open the shop in a folder; where there is no folder, or an empty one, a new shop is made.

    ``place`` may be the address of a PostgreSQL database, as postgresql://user@host/database. ``folder`` is then where
    settings, secret, lake and models are; $XDG_DATA_HOME/shopkeeper/<database> where it is left out.

    >>> import tempfile
    >>> with open_shop(tempfile.mkdtemp()) as shop:
    ...     shop.health()["events"]
    0
    """
    where = databases.address(str(place)) if databases.is_address(place) else None
    if where is None and folder is not None:
        raise InvalidInput("a folder was given beside a folder", hint="give the address of a database first")
    path = Path(folder) if folder is not None else databases.folder_of(where) if where else Path(place)
    if path.is_file():
        raise InvalidInput(f"{path.name} is a file", hint="a shop is a folder")
    if not path.exists() or not any(path.iterdir()):
        return create(path, clock=clock, actor=actor, ledger=str(place) if where else None)
    return open_folder(path, where, clock=clock, actor=actor)


def open_folder(
    path: Path, where: Address | None = None, *, clock: Clock | None = None, actor: Actor = OWNER
) -> Shop:
    """Open the shop that is in a folder, and finish what a killed process left."""
    settings = table.load(path)
    shop = _enter(path, settings, databases.told(settings, where), clock, actor, new=False)
    # What a killed process left is not worth refusing the shop for: the next who opens it tries again.
    with suppress(StoreFailure, OSError):
        erasing.finish(shop.places)
    with suppress(StoreFailure, OSError):
        backups.sweep(shop.places)
    return shop


def open_copy(folder: Path) -> Shop:
    """Open an unpacked backup as it lies: finishes nothing, and touches nothing that it names elsewhere."""
    return _enter(folder, table.load(folder), None, None, OWNER, new=False)


def create(
    folder: str | Path,
    *,
    clock: Clock | None = None,
    actor: Actor = OWNER,
    settings: Settings | None = None,
    **values: object,
) -> Shop:
    """Make a new shop in a folder that is missing or empty; ``values`` are settings by name.

    A password in the address ``ledger`` is used and not kept.
    """
    path = Path(folder)
    if (path / table.FILE).exists():
        raise Conflict(f"there is a shop in {path.name!r} already", hint="open it, or choose another folder")
    if path.exists() and any(path.iterdir()):
        raise Conflict(f"the folder {path.name!r} is not empty", hint="choose a new or an empty one")
    unknown = values.keys() - table.DESCRIBED.keys()
    if unknown:
        raise InvalidInput(f"unknown setting {min(unknown)!r}", hint=f"known: {', '.join(table.DESCRIBED)}")
    where = None
    if values.get("ledger"):
        where = databases.address(str(values["ledger"]))
        values["ledger"] = where.shown
    chosen = table.checked(settings or Settings(**{k: v for k, v in values.items() if v is not None}))  # type: ignore[arg-type]
    if where is not None:
        databases.expect_empty(where)  # before anything is made in the folder
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for room in ("lake", "models", "backups"):
        (path / room).mkdir(mode=0o700, exist_ok=True)
    shop = _enter(path, chosen, databases.told(chosen, where), clock, actor, new=True)
    ruling.begin(shop.places)
    table.save(path, chosen)  # last, so that a folder with settings is a whole shop
    return shop


def _enter(
    path: Path,
    settings: Settings,
    where: Address | None,
    clock: Clock | None,
    actor: Actor,
    *,
    new: bool,
) -> Shop:
    stands = settings.stands_at()
    vault = open_vault(path / "secret.key", create=new)
    ledger, gate = databases.open_stores(path, settings, vault, where, new=new)
    what_time = clock or (FixedClock(stands) if stands else SystemClock())
    return Shop(Places(path, settings, what_time, ledger, gate, vault), actor)
