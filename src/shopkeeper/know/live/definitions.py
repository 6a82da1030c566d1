"""Definitions of segments: saved as versions, brought into use, paused and put away, each in one transaction.

A condition that is in use already goes on holding, customer by customer, until a sweep (``sweeping``) has brought the
new one to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from shopkeeper.domain.condition import Condition, check
from shopkeeper.domain.condition.profiling import OBJECTS, of_those_who_do_not_object
from shopkeeper.domain.errors import Conflict, UnknownName
from shopkeeper.domain.segment import named, worded
from shopkeeper.domain.traits import Trait
from shopkeeper.know.live.network import InForce, in_order
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.segments import SegmentRow, VersionRow

IN_USE: Final = "segments"
"""The ledger's setting that changes with every definition; empty where none is in use."""
CLOCK: Final = "segments_clock"
"""Up to when it is accounted for what the clock alone changes for everybody."""
_COUNTER: Final = "last_segment"
_ACTIVE: Final = frozenset({"backfilling", "live"})
_MOST_KEPT: Final = 10_000
_UNDERSTOOD: Final[dict[tuple[int, str], Condition]] = {}
"""Conditions by the traits they were read against and their text: reading one again costs a hundred times as much as
all the rest.
"""


class Versions(dict[int, dict[int, VersionRow]]):
    """Versions of segments, by number; those of one are read when they are asked for."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader

    def __missing__(self, segment: int) -> dict[int, VersionRow]:
        found = self[segment] = {one.version: one for one in self._reader.segment_versions(segment)}
        return found

    def read(self) -> None:
        """Read those of all."""
        self.clear()
        for one in self._reader.segment_versions():
            self.setdefault(one.segment, {})[one.version] = one


class Known(Struct):
    """All segments and their versions, understood as far as they are asked for."""

    rows: dict[str, SegmentRow]
    """By name."""
    versions: Versions
    traits: Mapping[str, Trait]
    mark: int
    """Tells these traits from others."""

    def row(self, name: str) -> SegmentRow:
        """A segment by name. Raises UnknownName."""
        if name not in self.rows:
            raise UnknownName("segment", name, self.usable())
        return self.rows[name]

    def usable(self) -> list[str]:
        """Names of those that a condition may ask about."""
        return [name for name, row in self.rows.items() if row.state != "archived"]

    def latest(self, row: SegmentRow) -> VersionRow:
        """The version saved last."""
        of = self.versions[row.id]
        return of[max(of)]

    def understood(self, version: VersionRow) -> Condition:
        """A version's condition, of those who do not object to profiling."""
        key = (self.mark, version.condition)
        found = _UNDERSTOOD.get(key)
        if found is None:
            found = check(version.condition, self.traits)
            if OBJECTS in self.traits:
                found = of_those_who_do_not_object(found)
            if len(_UNDERSTOOD) >= _MOST_KEPT:
                _UNDERSTOOD.clear()
            _UNDERSTOOD[key] = found
        return found

    def asks(self, row: SegmentRow) -> set[str]:
        """Segments that the conditions of one ask about: the latest one and those in force."""
        wanted = {self.latest(row).version, row.live, row.coming} - {0}
        return {name for v in wanted for name in self.understood(self.versions[row.id][v]).segments}

    def used_by(self, name: str) -> list[str]:
        """Segments that ask about one."""
        self.versions.read()
        others = (row for row in self.rows.values() if row.state != "archived" and row.name != name)
        return [row.name for row in others if name in self.asks(row)]


def known(reader: LedgerReader, traits: Iterable[Trait], *, whole: bool = True) -> Known:
    """Every segment there is; ``whole`` for whoever asks about all of them and not about a few."""
    versions = Versions(reader)
    if whole:
        versions.read()
    rows = {row.name: row for row in reader.segments()}
    of = {trait.name: trait for trait in traits}
    return Known(
        rows,
        versions,
        of,
        hash(tuple((one.name, one.kind, one.day, one.values, one.formula) for one in of.values())),
    )


def in_force(all_: Known) -> list[InForce]:
    """Conditions that are to be kept up."""
    found: list[InForce] = []
    for row in all_.rows.values():
        if row.state not in _ACTIVE:
            continue
        for version in sorted({row.live, row.coming} - {0}):
            condition = all_.understood(all_.versions[row.id][version])
            coming = version == row.coming and row.coming != row.live
            found.append(InForce(row.id, row.name, version, condition, coming))
    return found


def save(
    tx: LedgerWriter,
    traits: Iterable[Trait],
    name: str,
    condition: str,
    title: str | None,
    sentence: str | None,
    *,
    now: int,
    actor: str,
) -> SegmentRow:
    """Keep a definition. One that is in use is brought to everybody anew where its condition changed.

    Raises BadCondition; InvalidInput for a name that cannot be, or a circle of segments that ask about each other.
    """
    all_ = known(tx, traits, whole=False)
    before = all_.rows.get(named(name))
    if before is not None and before.state == "archived":
        tx.put_segment(before._replace(name=f"{name}.{before.id}"))
        del all_.rows[name]
        before = None
    understood = check(condition, all_.traits, [one for one in all_.usable() if one != name])
    _without_circle(all_, name, understood)
    last = None if before is None else all_.latest(before)
    title, sentence = worded(
        (last.title if last else "") if title is None else title,
        (last.sentence if last else "") if sentence is None else sentence,
    )
    title = title or name.replace("-", " ").replace("_", " ").capitalize()
    if last is not None and (last.title, last.sentence, last.condition) == (title, sentence, understood.text):
        return all_.rows[name]
    row = before or SegmentRow(tx.numbers(_COUNTER, 1), name, "draft", 0, 0, 0, "", 0)
    version = VersionRow(
        row.id, last.version + 1 if last else 1, title, sentence, understood.text, now, actor
    )
    tx.put_version(version)
    if row.state in _ACTIVE:
        same = last is not None and last.condition == understood.text
        if same and not row.coming:
            row = row._replace(live=version.version)
        else:
            row = row._replace(state="backfilling", coming=version.version, swept=0, cause="backfill")
    tx.put_segment(row)
    _changed(tx, now)
    return row


def _without_circle(all_: Known, name: str, condition: Condition) -> None:
    """Raise InvalidInput where a segment would come to ask about itself, through those that it asks about."""
    asks = {name: set(condition.segments)}
    waiting = list(condition.segments)
    while waiting:
        other = waiting.pop()
        if other not in asks:
            asks[other] = all_.asks(all_.row(other))
            waiting += asks[other]
    in_order(asks)


def activate(tx: LedgerWriter, traits: Iterable[Trait], name: str, now: int) -> SegmentRow:
    """Bring a segment into use. Raises Conflict where it is put away, or asks about one that is not in use."""
    all_ = known(tx, traits, whole=False)
    row = all_.row(name)
    if row.state in _ACTIVE:
        return row
    if row.state == "archived":
        raise Conflict(f"the segment {name!r} is archived", hint="save it again, under this name or another")
    idle = [one for one in sorted(all_.asks(row)) if all_.row(one).state not in _ACTIVE]
    if idle:
        raise Conflict(f"it asks about {idle[0]!r}, which is not in use", hint=f"activate {idle[0]!r} first")
    row = row._replace(
        state="backfilling", live=0, coming=all_.latest(row).version, swept=0, cause="backfill"
    )  # nobody kept up what a paused one counted
    tx.put_segment(row)
    _changed(tx, now)
    return row


def pause(tx: LedgerWriter, traits: Iterable[Trait], name: str, now: int) -> SegmentRow:
    """Let a segment stand still. Raises Conflict where another one asks about it, or it is not in use."""
    all_ = known(tx, traits, whole=False)
    row = all_.row(name)
    if row.state == "paused":
        return row
    if row.state not in _ACTIVE:
        raise Conflict(f"the segment {name!r} is not in use: it is {row.state}")
    _unused(name, [one for one in all_.used_by(name) if all_.row(one).state in _ACTIVE])
    row = row._replace(state="paused", coming=0, swept=0, cause="")
    tx.put_segment(row)
    _changed(tx, now)
    return row


def archive(tx: LedgerWriter, traits: Iterable[Trait], name: str, now: int) -> SegmentRow:
    """Put a segment away: nobody is in it any more. Raises Conflict where another one asks about it."""
    all_ = known(tx, traits, whole=False)
    row = all_.row(name)
    if row.state == "archived":
        return row
    _unused(name, all_.used_by(name))
    tx.dissolve(row.id)
    row = row._replace(state="archived", live=0, coming=0, swept=0, cause="", size=0)
    tx.put_segment(row)
    _changed(tx, now)
    return row


def again(tx: LedgerWriter, segments: Iterable[int], cause: str) -> None:
    """Have some segments in use looked at for everybody: something changed that no event tells of."""
    wanted = set(segments)
    changed = False
    for row in tx.segments():
        if row.id in wanted and row.state in _ACTIVE:
            coming = row.coming or row.live
            tx.put_segment(row._replace(coming=coming, swept=0, cause=row.cause or cause))
            changed = True
    if changed:
        _changed(tx, None)


def ended(tx: LedgerWriter, rows: Iterable[SegmentRow]) -> None:
    """A sweep has come to the end: the coming versions are in force."""
    for row in rows:
        tx.put_segment(row._replace(state="live", live=row.coming, coming=0, swept=0, cause=""))
    _changed(tx, None)


def _unused(name: str, users: list[str]) -> None:
    if users:
        raise Conflict(
            f"the segment {users[0]!r} asks about {name!r}", hint=f"change or archive {users[0]!r} first"
        )


def _changed(tx: LedgerWriter, now: int | None) -> None:
    """Let every process know that definitions are not what they were."""
    used = any(row.state in (*_ACTIVE, "paused") for row in tx.segments())
    count = tx.numbers("segment_changes", 1)
    tx.keep(IN_USE, str(count) if used else "")
    if now is not None and tx.setting(CLOCK) is None:
        tx.keep(CLOCK, str(now))
