"""Brings files in: one import is one transaction, so that nothing is ever half imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from time import perf_counter

import msgspec

from shopkeeper.collect.files.door import Guess, guess, load
from shopkeeper.collect.intake import Outcome, Taking
from shopkeeper.domain.batch import Batch
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.event import Event as Tracked
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.money import exponent
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.reading import Reading
from shopkeeper.domain.report import ImportSummary
from shopkeeper.shop.cataloguing import Cataloguing, names_sold
from shopkeeper.shop.pace import without_collecting
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerWriter

_PERSONAL = re.compile(r"@|\d{9,}")


def preview(
    places: Places,
    path: str | Path,
    kind: str | None,
    mapping: Mapping[str, str] | None,
    reading: Reading | None = None,
) -> Guess:
    """What a file seems to be and how its columns would be read; nothing is brought in."""
    how = reading or Reading()
    if not how.region:
        how = msgspec.structs.replace(how, region=places.settings.region)
    return guess(Path(path), kind=kind, mapping=mapping, reading=how)


def bring(
    places: Places,
    path: str | Path,
    kind: str | None,
    *,
    source: str | None,
    mapping: Mapping[str, str] | None,
    reading: Reading | None,
    numbering: str | None,
    progress: Progress | None,
) -> ImportSummary:
    """Bring a file in, whole or not at all; an interrupt undoes it."""
    seen = preview(places, path, kind, mapping, reading)
    origin = source or seen.kind

    def batches(tx: LedgerWriter, heard: Progress, notes: list[str]) -> Iterator[Batch]:
        return load(
            Path(path),
            guess=seen,
            source=origin,
            now=places.now(),
            zone=places.settings.time_zone,
            currency=places.settings.currency,
            lines=tx,
            progress=heard,
            notes=notes,
        )

    name = _shown_name(Path(path), seen.kind)
    return carry(places, seen, batches, source=origin, numbering=numbering, name=name, progress=progress)


def named_well(source: str, numbering: str | None) -> None:
    """Raise InvalidInput unless source and numbering have names that can be kept."""
    for what, name in (("source", source), ("numbering", numbering or "shop")):
        if not name.strip() or len(name) > 80:
            raise InvalidInput(
                f"a {what} needs a name of at most 80 letters", hint=f"for example {what}='till'"
            )


def carry(
    places: Places,
    seen: Guess,
    batches: Callable[[LedgerWriter, Progress, list[str]], Iterator[Batch]],
    *,
    source: str,
    numbering: str | None,
    name: str,
    progress: Progress | None,
    beside: Callable[[LedgerWriter], None] | None = None,
) -> ImportSummary:
    """Take batches in, in one transaction with what is done ``beside``; an interrupt undoes both.

    An interrupt that comes after the last row undoes nothing; the KeyboardInterrupt that is raised says what is true.
    """
    began = perf_counter()
    named_well(source, numbering)
    stop = Event()
    taken: list[Taking] = []
    notes: list[str] = []
    told: list[bytes] = []

    def heard(step: str, done: float) -> None:
        if stop.is_set():
            raise _Stopped
        if progress:
            progress(step, done)

    def work(tx: LedgerWriter) -> ImportSummary:
        taking = places.intake.begin(tx)
        taken.append(taking)
        run = _Run(places, taking, seen, source, numbering or "")
        for batch in batches(tx, heard, notes):
            run.take(batch)
            if stop.is_set():
                raise _Stopped
        summary = run.summary(name, perf_counter() - began, tuple(dict.fromkeys(notes)))
        told.append(msgspec.json.encode(summary))
        tx.note_import(told[-1])
        if beside is not None:
            beside(tx)
        return summary

    try:
        with without_collecting():
            summary = places.ledger.write(work)
    except KeyboardInterrupt:
        stop.set()
        # Returns when the import is undone, or whole and on disk.
        if not places.ledger.write(lambda tx: bool(told) and told[-1] in tx.imports()):
            raise KeyboardInterrupt(f"nothing of {name} was brought in") from None
        for taking in taken:
            taking.keep()
        rows = msgspec.json.decode(told[-1], type=ImportSummary).kept
        raise KeyboardInterrupt(f"{name} was in by then (rows kept: {rows:,})") from None
    for taking in taken:
        taking.keep()
    return summary


class _Stopped(Exception):
    """The import was interrupted; what it wrote is undone."""


def _shown_name(path: Path, kind: str) -> str:
    """A file's name without what might name a person: addresses and long numbers do not belong in a summary.

    >>> _shown_name(Path("orders.csv"), "orders"), _shown_name(Path("anna@example.com.csv"), "orders")
    ('orders.csv', 'orders.csv')
    """
    return path.name if not _PERSONAL.search(path.name) else kind + "".join(path.suffixes[-1:])


class _Run:
    """The counts of one import."""

    def __init__(self, places: Places, taking: Taking, seen: Guess, source: str, numbering: str) -> None:
        self.places = places
        self.taking = taking
        self.tx = taking.tx
        self.seen = seen
        self.kind = seen.kind
        self.source = source
        self.numbering = numbering
        self.outcome = Outcome()
        self.total = Batch()
        self.records = Cataloguing(self.tx, lambda _: seen.mapping)
        self.sold: set[str] = set()
        """Products whose names need not be learned from what was sold."""
        self.currencies: set[str] = set()

    def take(self, batch: Batch) -> None:
        """Append one batch."""
        before = (self.outcome.kept, self.outcome.refused)
        events = batch.events
        if self.numbering:
            events = [_numbered(event, self.numbering) for event in events]
        if events:
            self.taking.append(events, self.outcome, kind=self.kind)
            if self.kind in ("orders", "events", "poslog", "shopify"):
                self.sold |= self.records.learn(names_sold(batch.events), self.sold)
        changed = self.records.keep(batch.records)
        if batch.refused:
            now = self.places.now()
            self.taking.refuse(
                batch.refused, source=self.source, kind=self.kind, at=now, outcome=self.outcome
            )
        total = self.total
        total.read += batch.read
        total.orders += batch.orders
        total.returns += batch.returns
        total.exact_micros += batch.exact_micros
        total.rounded_minor += batch.rounded_minor
        if batch.currency:
            self.currencies.add(batch.currency)
        good = batch.read - min(batch.read, self.outcome.refused - before[1])
        if batch.kept or batch.repeated:
            kept = min(batch.kept, good)
        else:
            kept = min(good, self.outcome.kept - before[0] + changed)
        total.kept += kept
        total.repeated += good - kept

    def summary(self, file: str, seconds: float, notes: tuple[str, ...]) -> ImportSummary:
        """The counts as they are shown and kept."""
        total, outcome = self.total, self.outcome
        money = {}
        if len(self.currencies) > 1:  # sums of different currencies mean nothing
            notes = (*notes, f"amounts in {len(self.currencies)} currencies are not summed")
        elif total.exact_micros or total.rounded_minor:
            code = min(self.currencies, default=self.places.settings.currency)
            rounded = total.rounded_minor * 10 ** (6 - exponent(code))
            money = {
                "exact": _decimal(total.exact_micros, 6),
                "rounded": _decimal(rounded, 6),
                "difference": _decimal(rounded - total.exact_micros, 6),
                "currency": code,
            }
        return ImportSummary(
            file=file,
            kind=self.kind,
            read=total.read,
            kept=total.kept,
            repeated=total.repeated,
            quarantined=total.read - total.kept - total.repeated,
            events=outcome.kept,
            orders=total.orders,
            returns=total.returns,
            seconds=round(seconds, 3),
            reasons=outcome.reasons,
            mapping=dict(self.seen.mapping),
            notes=notes,
            **money,
        )


def _numbered(event: Tracked, numbering: str) -> Tracked:
    """The event with its customer numbers as one system's own: equal numbers elsewhere are other people's."""
    return msgspec.structs.replace(
        event,
        identifiers=tuple(
            Identifier(i.kind, f"{numbering}:{i.value}") if i.kind in ("user_id", "loyalty_card") else i
            for i in event.identifiers
        ),
    )


def _decimal(value: int, digits: int) -> str:
    """A whole number of 10**-digits as an exact decimal without needless zeros (two stay)."""
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**digits)
    text = f"{part:0{digits}d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{text}"
