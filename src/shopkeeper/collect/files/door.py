"""The file door: say what a file seems to be, then load it as batches of events, records and refused rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from shopkeeper.collect.files import feeds
from shopkeeper.collect.files.columns import Columns, override, recognise
from shopkeeper.collect.files.convert import Typed, convert, refuse_row
from shopkeeper.collect.files.documents import Documents
from shopkeeper.collect.files.guessing import guess_kind
from shopkeeper.collect.files.kinds import KINDS, Kind
from shopkeeper.collect.files.lineitems import NOTE as FOLLOWED
from shopkeeper.collect.files.lineitems import carried
from shopkeeper.collect.files.preview import TOO_LONG, follows, look, styles_of
from shopkeeper.collect.files.reader import open_table
from shopkeeper.collect.files.rows import Chunk, Table
from shopkeeper.collect.files.sniff import examine
from shopkeeper.domain.batch import Batch, LineMemory, Refused
from shopkeeper.domain.delivery import Settled
from shopkeeper.domain.errors import BadFile, UnknownName
from shopkeeper.domain.reading import Guess, Reading

__all__ = ["Guess", "Reading", "guess", "load"]

REFUSED_A_BATCH: Final = 20_000
_OPEN: Final = ("events", "attributes")
"""Kinds in which a column without a meaning of its own is kept as a property or an attribute."""
_NO_ATTRIBUTE: Final = frozenset(
    {"title", "first_name", "last_name", "name", "street", "postcode", "birthday", "company"}
)

Progress = Callable[[str, float], None]


def guess(
    path: str | Path,
    kind: str | None = None,
    mapping: Mapping[str, str] | None = None,
    *,
    reading: Reading | None = None,
    table: Table | None = None,
) -> Guess:
    """What a file, or rows that come as a ``table``, seem to be, from the columns and the first rows.

    ``kind`` and ``mapping`` (field -> column; an empty column leaves the field out) override what was found. Raises
    BadFile for a file that cannot be one of the kinds, UnknownName for a kind, field or column that does not exist,
    InvalidInput where two kinds fit alike.
    """
    path, how = Path(path), reading or Reading()
    if kind is not None and kind not in KINDS and kind not in feeds.FEEDS:
        raise UnknownName("kind of file", kind, [*KINDS, *feeds.FEEDS])
    if table is None and (feed := feeds.recognise(path, kind, how)) is not None:
        return feed
    table = table if table is not None else _open(path, how)
    if isinstance(table, Documents) and kind in (None, "events") and not mapping and (calls := _calls(table)):
        return Guess(
            file=path.name,
            kind="events",
            confidence=1.0,
            format="json",
            mapping={},
            notes=tuple(table.notes),
            rows=calls,
            reading=how,
        )
    confidence = 1.0
    if kind is None:
        kind, confidence = guess_kind(table, path, mapping or {})
    chosen = KINDS[kind]
    columns = override(recognise(table.columns, chosen), mapping or {}, table.columns, chosen)
    _check(columns, table, chosen, path)
    seen = look(table, columns, chosen, how, mapping or {})
    columns, notes = seen.columns, [*table.notes, *seen.notes]
    notes.extend(
        f"{field!r}: column {columns.fields[field]!r} was taken, not {', '.join(map(repr, spare))}"
        for field, spare in columns.ambiguous.items()
        if field in columns.fields
    )
    return Guess(
        file=path.name,
        kind=kind,
        confidence=confidence,
        format=table.format,
        mapping=columns.fields,
        unknown=columns.unmapped,
        ambiguous=columns.ambiguous,
        notes=tuple(notes),
        rows=seen.rows,
        refused=seen.refused,
        reasons=seen.reasons,
        reading=how,
    )


def load(
    path: str | Path,
    *,
    guess: Guess,
    source: str,
    now: int,
    zone: str,
    currency: str,
    lines: LineMemory,
    progress: Progress | None = None,
    notes: list[str] | None = None,
    table: Table | None = None,
    known: bool = False,
    whole: bool = False,
) -> Iterator[Batch]:
    """Everything in a file, or in a ``table`` that is open, batch by batch.

    ``now`` is microseconds since 1970, ``zone`` and ``currency`` are the shop's. What a batch brought is remembered
    in ``lines`` when the next batch is asked for. Sentences about decisions taken (day before month, a decimal
    comma) are appended to ``notes``. Raises BadFile before the first batch where no row of the beginning can be used,
    unless it is ``known`` to be what it is said to be: then such rows are refused like others. ``whole``: every order
    comes with all lines it has now.
    """
    path, told = Path(path), notes if notes is not None else []
    report = _steps(guess.kind, progress)
    if guess.kind in feeds.FEEDS:
        settled = Settled(now=now, zone=zone, currency=currency, region=guess.reading.region)
        nature = examine(path)
        yield from feeds.load(
            path, guess.kind, nature, settled, source=source, received_at=now, notes=told, report=report
        )
        return
    table = table if table is not None else _open(path, guess.reading)
    if isinstance(table, Documents) and not guess.mapping:
        from shopkeeper.collect.files.calls import call_batches

        batches = call_batches(table, source=source, now=now)
        yield from _reported(_checked(batches, path), table, report)
        return
    kind = KINDS[guess.kind]
    extra = _extra(kind, guess, told)
    wanted = list(dict.fromkeys([*guess.mapping.values(), *extra]))
    if guess.kind == "orders":
        yield from _orders(
            table, guess, path, source, now, zone, currency, lines, report, told, known=known, whole=whole
        )
        return
    styles = styles_of(table.chunks(wanted), kind, guess.mapping, guess.reading)
    told.extend(styles.notes)
    maker = _maker(guess.kind, source, now, zone, currency, lines)
    rounded: dict[str, int] = {}
    first = not known
    for chunk in table.chunks(wanted):
        typed = convert(chunk, kind, guess.mapping, styles, zone)
        first = _usable(first, chunk.read, typed.refused, path)
        _count(rounded, typed)
        cells = {column: _cells(chunk, typed, column) for column in extra}
        batch, remember = maker(typed, _refuser(chunk, typed), cells)
        report(chunk.fraction)
        if batch.read:
            yield batch
            remember()
    told.extend(_rounding(rounded))


def _open(path: Path, how: Reading) -> Table:
    return open_table(
        path, encoding=how.encoding, delimiter=how.delimiter, sheet=how.sheet, longest=how.longest
    )


def _calls(table: Documents) -> int:
    from shopkeeper.collect.files.calls import calls_at_start

    return calls_at_start(table)


def _check(columns: Columns, table: Table, kind: Kind, path: Path) -> None:
    """Whether all that the kind needs is there."""
    missing = columns.missing(kind)
    if not missing:
        return
    if len(table.columns) == 1:
        raise BadFile(
            f"{path.name!r} has one column only, {kind.name} need {', '.join(missing)}",
            hint="its delimiter may be another: , ; tab and | are recognised",
        )
    raise BadFile(
        f"{path.name!r} has no column for {', '.join(missing)}, which {kind.name} need",
        hint=f"name it in a mapping; its columns are {', '.join(table.columns[:20])}",
    )


def _orders(
    table: Table,
    guess: Guess,
    path: Path,
    source: str,
    now: int,
    zone: str,
    currency: str,
    lines: LineMemory,
    report: Callable[[float], None],
    told: list[str],
    *,
    known: bool,
    whole: bool,
) -> Iterator[Batch]:
    """Lines of one order may stand anywhere in the file, so all are read before the first event is made."""
    from shopkeeper.collect.files.orderbook import OrderBook
    from shopkeeper.collect.files.orders import order_batches

    kind, chunks, mapping = KINDS["orders"], [], guess.mapping
    if "unit_price" in mapping and "quantity" in mapping:  # then a line total says nothing more
        mapping = {field: column for field, column in mapping.items() if field != "amount"}
    for chunk in table.chunks(list(mapping.values())):
        chunks.append(chunk)
        report(0.3 * chunk.fraction)
    if follows(kind, mapping, table):
        chunks = carried(chunks, mapping)
        told.append(FOLLOWED)
    if not any(chunk.read for chunk in chunks):
        return
    styles = styles_of(chunks, kind, mapping, guess.reading)
    told.extend(styles.notes)
    rounded: dict[str, int] = {}
    typed: list[Typed] = []
    first = not known
    for number, chunk in enumerate(chunks, 1):
        part = convert(chunk, kind, mapping, styles, zone)
        first = _usable(first, chunk.read, part.refused, path)
        _count(rounded, part)
        typed.append(part)
        report(0.3 + 0.2 * number / len(chunks))
    told.extend(_rounding(rounded))
    book = OrderBook(typed, currency)
    refused = [row for part in typed for row in part.refused]
    keep = book.keepable(refused, [_refuser(c, t) for c, t in zip(chunks, typed, strict=True)], typed, now)
    if not known and not keep.any() and len({row.reason for row in refused}) == 1:
        raise _unusable(refused[0], path)
    del chunks, typed
    book.keep(keep)
    for start in range(0, len(refused), REFUSED_A_BATCH):
        part_ = refused[start : start + REFUSED_A_BATCH]
        yield Batch(refused=part_, read=len(part_))
    yield from order_batches(
        book,
        source=source,
        now=now,
        zone=zone,
        lines=lines,
        progress=lambda done: report(0.5 + 0.5 * done),
        whole=whole,
    )
    told.extend(book.notes)


_Maker = Callable[
    [Typed, Callable[[int, str, str], Refused], Mapping[str, list[str | None]]],
    tuple[Batch, Callable[[], None]],
]


def _maker(kind: str, source: str, now: int, zone: str, currency: str, lines: LineMemory) -> _Maker:
    """What makes batches of a kind's rows, and what is to be done once a batch is stored."""
    if kind == "events":
        from shopkeeper.collect.files.calls import row_batch

        return lambda typed, refuse, extra: (
            row_batch(typed, refuse, extra, source=source, now=now),
            _nothing,
        )
    from shopkeeper.collect.files.records import RECORDS, record_batch

    if kind in RECORDS:
        return lambda typed, refuse, _: (
            record_batch(kind, typed, refuse, zone=zone, currency=currency),
            _nothing,
        )
    from shopkeeper.collect.files.people import People

    people = People(kind, source=source, now=now, zone=zone, lines=lines)
    return lambda typed, refuse, extra: (people.batch(typed, refuse, extra), people.remember)


def _nothing() -> None:
    return None


def _extra(kind: Kind, guess: Guess, told: list[str]) -> list[str]:
    """Columns that are kept although they have no meaning of their own."""
    if kind.name not in _OPEN:
        return []
    if kind.name == "events":
        return list(guess.unknown)
    personal = recognise(guess.unknown, KINDS["customers"]).fields
    left = [column for field, column in personal.items() if field in _NO_ATTRIBUTE]
    if left:
        told.append(f"names and addresses are no attributes and were left out: {', '.join(left)}")
    return [column for column in guess.unknown if column not in left]


def _cells(chunk: Chunk, typed: Typed, column: str) -> list[str | None]:
    """A column's cells as texts, None where empty, of the rows that are kept."""
    values = chunk.columns[column].take(typed.kept).to_pylist()
    return [None if v is None or not (text := str(v).strip()) else text for v in values]


def _refuser(chunk: Chunk, typed: Typed) -> Callable[[int, str, str], Refused]:
    return lambda row, reason, detail: refuse_row(chunk, int(typed.kept[row]), reason, detail)


def _usable(first: bool, read: int, refused: Sequence[Refused], path: Path) -> bool:  # noqa: FBT001
    """Whether the beginning is still to come. Raises BadFile where all of it is refused for one reason."""
    read -= sum(row.reason == TOO_LONG for row in refused)  # they say nothing about the rows to come
    refused = [row for row in refused if row.reason != TOO_LONG]
    if not first or not read:
        return first
    if len(refused) == read and len({row.reason for row in refused}) == 1:
        raise _unusable(refused[0], path)
    return False


def _unusable(row: Refused, path: Path) -> BadFile:
    return BadFile(
        f"no row of {path.name!r} can be used: {row.detail} (line {row.line}, {row.reason})",
        hint="check the kind, the mapping of columns and the delimiter",
    )


def _checked(batches: Iterator[Batch], path: Path) -> Iterator[Batch]:
    head = next(batches, None)
    if head is None:
        raise BadFile(f"{path.name!r} holds no rows", hint="export it again")
    _usable(True, head.read, head.refused, path)
    return chain([head], batches)


def _reported(batches: Iterator[Batch], table: Documents, report: Callable[[float], None]) -> Iterator[Batch]:
    for batch in batches:
        report(table.fraction)
        yield batch


def _steps(kind: str, progress: Progress | None) -> Callable[[float], None]:
    return (lambda done: progress(kind, min(done, 1.0))) if progress is not None else (lambda _: None)


def _count(rounded: dict[str, int], typed: Typed) -> None:
    for column, count in typed.rounded.items():
        rounded[column] = rounded.get(column, 0) + count


def _rounding(rounded: Mapping[str, int]) -> list[str]:
    return [
        f"{column!r} has numbers with more than six decimals; they were rounded to millionths"
        for column in rounded
    ]
