"""Runs of the models as they are kept, and for how long.

``models/<run>/`` holds ``manifest.json`` (models, score card, drift), ``predictions.parquet`` (a row per customer) and
a checksum of each. Every file is written aside and moved into its place. A folder is no run that anybody sees until the
ledger says that it is in force, in the transaction that makes its predictions those of the customers: the settings
``run`` (the present one) and ``runs`` (all that were in force and are kept).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shopkeeper.domain.errors import BadFile
from shopkeeper.domain.report import Score
from shopkeeper.domain.value import Run
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTIONS = "predictions.parquet"
MANIFEST = "manifest.json"
_ROWS = 65_536
"""Customers in a row group: one customer is found without reading the others."""
_DAILY = timedelta(days=31)
_UNFINISHED = timedelta(days=1)
"""For how long a run may be unfinished before it counts as killed."""
_IN_FORCE, _WERE_IN_FORCE = "run", "runs"
"""The ledger's settings."""
_LAST = 253_402_300_799_999
"""The last millisecond of the year 9999: no run has a higher number."""


def current_scores(places: Places) -> list[Score]:
    """The score card of the models in use, the simple rules beside them; as a report of the lake tells it."""
    run = in_lake(places, places.lake.manifest().run)
    return [] if run is None else list(run.scores)


def current(places: Places) -> Run | None:
    """The run in force; None before the first one."""
    with places.ledger.read() as reader:
        run = number_in_force(reader)
    return manifest(places, run) if run else None


def in_lake(places: Places, run: int) -> Run | None:
    """The run whose predictions the lake holds, by the number in its manifest: what is added up there is that one's.

    It is the one before the run in force from the moment that one is in force until the refresh has fed the lake. Where
    the lake does not say, or that run is gone, the run in force.
    """
    return (manifest(places, run) if run else None) or current(places)


def number_in_force(reader: LedgerReader) -> int:
    """The run in force; 0 before the first one."""
    return int(reader.setting(_IN_FORCE) or 0)


def note_in_force(places: Places, tx: LedgerWriter, run: int) -> None:
    """Let a run count among those that were in force, in the transaction that puts it there."""
    tx.keep(_WERE_IN_FORCE, msgspec.json.encode([*_were_in_force(places, tx), run]).decode())


def _were_in_force(places: Places, reader: LedgerReader) -> list[int]:
    """Those that are kept, oldest first."""
    here, last = folders(places), number_in_force(reader)
    if (said := reader.setting(_WERE_IN_FORCE)) is None:  # before that was noted, every run was
        return [run for run in here if run <= last]
    were = frozenset(msgspec.json.decode(said, type=list[int]))
    return [run for run in here if run in were]


def _number(name: str) -> int | None:
    """The number of a run by the name of its folder; None where it is no name of one.

    >>> _number("1777636800000"), _number("../7"), _number("9" * 18)
    (1777636800000, None, None)
    """
    if not (name.isascii() and name.isdecimal() and len(name) <= len(str(_LAST))):
        return None
    return run if (run := int(name)) <= _LAST else None


def manifest(places: Places, run: int) -> Run | None:
    """What is kept of a run; None where it is not there, or cannot be read."""
    try:
        body = (places.folder / "models" / str(run) / MANIFEST).read_bytes()
        return msgspec.json.decode(body, type=Run)
    except (OSError, msgspec.MsgspecError):
        return None


def runs(places: Places) -> list[int]:
    """Every run that was in force and whose predictions are kept, oldest first.

    Numbers are milliseconds since 1970, or the next above.
    """
    with places.ledger.read() as reader:
        return _were_in_force(places, reader)


def folders(places: Places) -> list[int]:
    """Every run whose predictions lie here, also one that is being written, or whose writer was killed."""
    folder = places.folder / "models"
    found = (_number(one.name) for one in folder.glob("[0-9]*"))
    return sorted(run for run in found if run is not None and (folder / str(run) / PREDICTIONS).is_file())


def keep(places: Places, run: Run, predictions: pa.Table) -> None:
    """Keep a run, whole or not at all. Nobody sees it before it is in force."""
    place = places.folder / "models" / str(run.run)
    place.mkdir(parents=True, exist_ok=True)
    _write_table(place / PREDICTIONS, predictions)
    aside = place / f".{MANIFEST}"
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1))
    _put(aside, place / MANIFEST)


def discard(places: Places, run: int) -> None:
    """Remove a run that was overtaken before it was in force."""
    shutil.rmtree(places.folder / "models" / str(run), ignore_errors=True)


def table(
    places: Places, run: int, columns: Sequence[str] | None = None, customers: Sequence[int] | None = None
) -> pa.Table:
    """A run's predictions, of everybody or of some customers, with some columns or all there are.

    Raises BadFile where the file is damaged, is no table of predictions, or is gone.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = places.folder / "models" / str(run) / PREDICTIONS
    asked = None if customers is None else [("customer", "in", list(customers))]
    try:
        with pq.ParquetFile(place) as file:
            known = file.schema_arrow
        for name, kind in (("customer", pa.int64()), ("clv_12m", pa.float64())):
            if name not in known.names or known.field(name).type != kind:
                raise _damaged(run)
        wanted = None if columns is None else [name for name in columns if name in known.names]
        return pq.read_table(place, columns=wanted, filters=asked)
    except FileNotFoundError as error:  # nobody's, or removed a moment ago by a refresh in another process
        raise _damaged(run) from error
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the system: the disk, or somebody's rights
        raise _damaged(run) from error


def _damaged(run: int) -> BadFile:
    return BadFile(
        f"the predictions of run {run} cannot be read",
        hint="run 'shopkeeper refresh' for new ones, or bring that run's folder back from a backup",
    )


def forget(places: Places, customers: Iterable[int]) -> int:
    """Take customers out of every run, physically; returns how many rows went.

    Predictions that cannot be read go altogether: nobody could tell whom they still hold.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    gone = pa.array(sorted(set(customers)), pa.int64())
    removed = 0
    if len(gone):
        _sweep(places)
    for run in folders(places) if len(gone) else ():
        file = places.folder / "models" / str(run) / PREDICTIONS
        try:
            inside = pc.is_in(table(places, run, ["customer"]).column("customer"), gone)
            if count := pc.sum(inside).as_py():
                _write_table(file, table(places, run).filter(pc.invert(inside)))
                removed += count
        except BadFile:
            file.unlink(missing_ok=True)
            file.with_suffix(".sha256").unlink(missing_ok=True)
    return removed


def prune(places: Places) -> list[int]:
    """Remove runs that are not to be kept any longer, and what killed ones left; returns which.

    The run in force stays, and the one that the lake still tells of.
    """
    folder = places.folder / "models"
    now = places.clock.now()
    with places.ledger.read() as reader:
        here, last = _were_in_force(places, reader), number_in_force(reader)
    settings = places.settings
    stay = kept(
        {run: moment(run) for run in here}, now,
        weeks=settings.predictions_weeks, years=settings.predictions_years,
    )  # fmt: skip
    stay |= {last, places.lake.manifest().run}
    gone = [run for run in here if run not in stay]
    left = set(folders(places)) - set(here)
    gone += sorted(run for run in left if moment(run) < now - _UNFINISHED)
    for run in gone:
        discard(places, run)
    (folder / "current").unlink(missing_ok=True)  # earlier versions named the run in force in it
    _sweep(places)
    return gone


def _sweep(places: Places) -> None:
    """Remove tables that a killed process left half written: nobody would ever take anybody out of them."""
    for left in (places.folder / "models").glob(f"[0-9]*/.{PREDICTIONS}"):
        left.unlink(missing_ok=True)


def kept(at: dict[int, datetime], now: datetime, *, weeks: int, years: int) -> set[int]:
    """Which runs stay: the last of each day for 31 days, of each week for some weeks, of each month for some years.

    >>> from datetime import UTC
    >>> day = lambda n: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=n)
    >>> sorted(kept({1: day(0), 2: day(1), 3: day(40), 4: day(100)}, day(100), weeks=0, years=1))
    [2, 3, 4]
    """
    last: dict[tuple[object, ...], int] = {}
    for run, moment_ in sorted(at.items(), key=lambda one: one[1]):
        age = now - moment_
        if age <= _DAILY:
            last["day", moment_.date()] = run
        if age <= timedelta(weeks=weeks):
            last["week", *moment_.isocalendar()[:2]] = run
        if age <= timedelta(days=366 * years):
            last["month", moment_.year, moment_.month] = run
    return set(last.values())


def moment(run: int) -> datetime:
    """When a run was, by its number."""
    from datetime import UTC

    return datetime.fromtimestamp(run / 1000, UTC)


def unsound(places: Places) -> list[str]:
    """What is wrong with the current run's files, in sentences."""
    run = current(places)
    if run is None:
        return []
    folder = places.folder / "models" / str(run.run)
    wrong = []
    for name in (MANIFEST, PREDICTIONS):
        file = folder / name
        said = file.with_suffix(".sha256")
        if file.is_file() and said.is_file() and said.read_text("ascii").strip() != _digest(file):
            wrong.append(f"{name} of the current run is not what was written")
    return wrong


def _write_table(file: Path, rows: pa.Table) -> None:
    import pyarrow.parquet as pq

    aside = file.with_name(f".{file.name}")
    for last in (False, True):
        pq.write_table(rows, aside, compression="zstd", row_group_size=_ROWS)
        try:
            _put(aside, file)
        except FileNotFoundError:  # an erasure meanwhile took it for one that was left behind
            if last:
                raise
        else:
            return


def _put(aside: Path, file: Path) -> None:
    """Move a file into its place, on disk whatever happens to the power; then the checksum, which only tells of it."""
    with aside.open("rb+") as written:
        os.fsync(written.fileno())
    digest = _digest(aside)
    aside.replace(file)
    if os.name != "nt":
        handle = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    file.with_suffix(".sha256").write_text(digest + "\n", "ascii")


def _digest(file: Path) -> str:
    with file.open("rb") as read:
        return file_digest(read, "sha256").hexdigest()
