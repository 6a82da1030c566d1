"""Saved segments: definitions and members in the ledger. To be replaced by the verbs of live segments."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.condition import check
from shopkeeper.domain.errors import NotFound
from shopkeeper.domain.segment import (
    AudienceDay,
    Member,
    Members,
    Segment,
    SegmentHistory,
    Version,
    named,
    worded,
)
from shopkeeper.shop import asking, insights
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.segments import Entry, Membership, SegmentRow, VersionRow


class SavedVerbs:
    places: Places
    actor: Actor

    if TYPE_CHECKING:
        def _may(self, permission: Permission, verb: str) -> None: ...
        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...
        def _note_change(self, verb: str, subject: str = "", detail: str = "") -> None: ...

    def save_segment(self, name: str, condition: str, *, title: str = "", sentence: str = "") -> Segment:
        self._may(Permission.REFRESH, "save a segment")
        named(name)
        title, sentence = worded(title, sentence)
        traits = {t.name: t for t in self.traits()}

        def write(tx):
            known = insights.saved_conditions(tx, traits)
            made = check(condition, traits, set(known))
            row = next((r for r in tx.segments() if r.name == name), None)
            if row is None:
                row = SegmentRow(max((r.id for r in tx.segments()), default=0) + 1, name, "draft", 0, 0, 0, "", 0)
                tx.put_segment(row)
            version = len(tx.segment_versions(row.id)) + 1
            tx.put_version(VersionRow(row.id, version, title or name, sentence, made.text, self.places.now(), self.actor.name))

        self.places.ledger.write(write)
        return self.segment(name).segment

    def segments(self):
        self._may(Permission.REPORT, "see segments")
        with self.places.ledger.read() as reader:
            by = {}
            for v in reader.segment_versions():
                by.setdefault(v.segment, []).append(v)
            return tuple(self._one(r, by[r.id]) for r in reader.segments())

    def _one(self, r, versions):
        v = versions[-1]
        traits = {t.name: t for t in self.traits()}
        return Segment(name=r.name, title=v.title, sentence=v.sentence, condition=v.condition, state=r.state, version=v.version, live=r.live, size=r.size, uses=tuple(sorted(check(v.condition, traits).segments)), saved_at=instant(v.at), saved_by=v.actor)

    def segment(self, name: str) -> SegmentHistory:
        self._may(Permission.REPORT, "see segments")
        with self.places.ledger.read() as reader:
            r = next((r for r in reader.segments() if r.name == name), None)
            if r is None:
                raise NotFound(f"there is no segment {name!r}")
            vs = reader.segment_versions(r.id)
            days, size = [], r.size
            for day, i, o in reversed(reader.audience_days(r.id, self.places.now() - 365 * DAY)):
                days.append(AudienceDay(day=instant(day * DAY).date(), entered=i, exited=o, size=size))
                size -= i - o
            return SegmentHistory(segment=self._one(r, vs), versions=tuple(Version(version=v.version, title=v.title, sentence=v.sentence, condition=v.condition, at=instant(v.at), by=v.actor) for v in vs), days=tuple(reversed(days)))

    def _turn(self, name, state):
        r = next(r for r in self._rows() if r.name == name)
        self.places.ledger.write(lambda tx: tx.put_segment(r._replace(state=state)))
        return self.segment(name).segment

    def _rows(self):
        with self.places.ledger.read() as reader:
            return reader.segments()

    def pause(self, name):
        self._may(Permission.REFRESH, "pause a segment")
        return self._turn(name, "paused")

    def archive(self, name):
        self._may(Permission.REFRESH, "archive a segment")
        return self._turn(name, "archived")

    def activate(self, name):
        self._may(Permission.REFRESH, "activate a segment")
        s = self.segment(name).segment
        ids = asking.customers(self.places, s.condition, self.traits(), columns=[])["id"].to_pylist()
        r = next(r for r in self._rows() if r.name == name)
        now = self.places.now()

        def write(tx):
            old = {m.customer for m in tx.members_in(r.id, -1, 10**9)}
            new = set(ids)
            tx.put_segment(r._replace(state="live", live=s.version, size=len(new)))
            tx.enter([Membership(r.id, c, now, s.version) for c in sorted(new - old)])
            tx.leave([(r.id, c) for c in sorted(old - new)])
            tx.note_audience([Entry(0, now, r.id, s.version, c, c in new, "backfill") for c in sorted(new ^ old)])
        self.places.ledger.write(write)
        return self.segment(name).segment

    def members(self, name, *, cursor=None, limit=50):
        self._may(Permission.LOOK_UP, "see who is in a segment")
        r = next(r for r in self._rows() if r.name == name)
        with self.places.ledger.read() as reader:
            rows = reader.members_in(r.id, cursor or -1, limit + 1)
            called = names(self.places, reader, [m.customer for m in rows[:limit]], sees=self.actor.sees)
        return Members(rows=tuple(Member(customer=f"c{m.customer}", name=called[m.customer], since=instant(m.since), version=m.version) for m in rows[:limit]), total=r.size, next=rows[limit - 1].customer if len(rows) > limit else None)
