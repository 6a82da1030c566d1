"""DuckDB inside this process: how it is opened, what it may touch, and what its errors mean."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
from msgspec import Struct

from shopkeeper.domain.errors import (
    InvalidInput,
    ShopkeeperError,
    StoreDamaged,
    StoreFailure,
    StoreFull,
    TookTooLong,
)
from shopkeeper.stores.contract.lake import Manifest
from shopkeeper.stores.lake.manifest import REBUILD, changed, missing

SPILL = ".spill-"
_ABOUT_THE_QUESTION = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.SyntaxException,
    duckdb.NotImplementedException,
)
_ABOUT_A_VALUE = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.TypeMismatchException)
_FULL = ("no space left", "file too large", "disk quota", "max_temp_directory_size")


class Power(Struct, frozen=True):
    """What one engine may use."""

    memory_limit: str = "2GB"
    threads: int = 2


def connect(folder: Path, power: Power, *, reads: Sequence[Path] | None) -> duckdb.DuckDBPyConnection:
    """An engine in memory that can touch the lake and nothing else.

    With ``reads`` it can open exactly these files and its settings are locked: safe to hand questions to. With None
    it can write into the lake's folder.
    """
    try:
        engine = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": power.memory_limit,
                "threads": power.threads,
                "temp_directory": str(folder / f"{SPILL}{os.getpid()}-{secrets.token_hex(4)}"),
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            },
        )
    except duckdb.Error as error:
        raise InvalidInput(f"the engine refuses its settings: {_first_line(error)}") from None
    # Globally: a cursor of its own for each question would go back to the machine's zone.
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    if reads is None:
        engine.execute(f"SET allowed_directories = [{quoted(folder)}]")
        engine.execute("SET preserve_insertion_order = true")
    else:
        # Files never change under their name, so that what was learned of them stays true.
        engine.execute("SET parquet_metadata_cache = true")
        engine.execute(f"SET allowed_paths = [{', '.join(map(quoted, reads))}]")
    engine.execute("SET enable_external_access = false")
    engine.execute("SET lock_configuration = true")
    return engine


def quoted(path: Path) -> str:
    """A path as an SQL text. Paths are bound where the engine allows it; file lists and COPY do not."""
    return "'" + str(path).replace("'", "''") + "'"


def over(files: Sequence[Path], select: str) -> str:
    """A SELECT that speaks of ``files``, over these."""
    listed = ", ".join(map(quoted, files))
    return f"WITH files AS (SELECT * FROM read_parquet([{listed}], union_by_name = true)) {select}"


@contextmanager
def translated(folder: Path, listed: Manifest) -> Iterator[None]:
    """Turn the engine's errors into the domain's; where they may come of the files, the files are looked at.

    Messages of the engine about names and syntax are passed on, those about values are not: a value may be somebody's.
    """
    try:
        yield
    except duckdb.Error as error:
        raise _meaning(error, folder, listed) from None


@contextmanager
def asking(engine: duckdb.DuckDBPyConnection, patience: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor for one question, which is stopped after so many seconds. Raises TookTooLong then."""
    duck = engine.cursor()
    answered, over = threading.Event(), threading.Event()

    def stop() -> None:
        while not answered.wait(0.05):  # an interrupt before the engine has begun is lost
            over.set()
            duck.interrupt()

    timer = threading.Timer(patience, stop) if patience <= threading.TIMEOUT_MAX else None
    try:
        if timer is not None:
            timer.daemon = True
            timer.start()
        yield duck
    except duckdb.InterruptException:
        if not over.is_set():
            raise
        raise TookTooLong(
            f"what was asked of the lake took longer than {patience:,.4g} seconds and was stopped",
            hint="ask of fewer customers or of a shorter time; Python and the command line wait as long as it takes",
        ) from None
    finally:
        answered.set()
        if timer is not None:
            timer.cancel()
            timer.join()  # a cursor that is closed is not to be stopped
        duck.close()


def _meaning(error: duckdb.Error, folder: Path, listed: Manifest) -> ShopkeeperError:
    if isinstance(error, _ABOUT_THE_QUESTION):
        return _asked(error)
    if isinstance(error, _ABOUT_A_VALUE):
        return InvalidInput(
            "a value has the wrong type or is out of range", hint="try_cast gives NULL for those"
        )
    message = str(error).lower()
    if any(words in message for words in _FULL):
        return StoreFull("no space left for the lake; nothing of the change was kept", hint="free some space")
    if isinstance(error, duckdb.OutOfMemoryException):
        return StoreFailure(
            "the lake's engine is out of memory", hint="open the lake with a higher memory_limit"
        )
    # What is left may come of a broken file or of the question: the files tell. One that is gone is forbidden as well.
    forbidden = isinstance(error, duckdb.PermissionException)
    wrong = missing(folder, listed) if forbidden else changed(folder, listed)
    if wrong:
        return StoreDamaged(f"the lake: {wrong[0]}", hint=REBUILD)
    if forbidden:
        return InvalidInput(
            "a question may only read the lake's tables", hint="collect a file to ask about it"
        )
    if isinstance(error, duckdb.InvalidInputException):
        return _given(error, message)
    return StoreFailure(f"the lake's engine failed ({type(error).__name__})")


def _asked(error: duckdb.Error) -> InvalidInput:
    return InvalidInput(
        f"the question to the lake: {_first_line(error)}", hint="see the lake's tables in the docs"
    )


def _given(error: duckdb.Error, message: str) -> InvalidInput:
    if "json" in message:
        return InvalidInput("a payload is not JSON", hint="give logged rows as the ledger keeps them")
    if "values were not provided" in message:
        return _asked(error)
    return InvalidInput("the lake cannot answer this question with these values")


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0].strip()[:300]
