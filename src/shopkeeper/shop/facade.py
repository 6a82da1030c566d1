"""The Shop: one thin method per verb, each checking the actor and handing on to the file that does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

import msgspec

from shopkeeper.domain.actor import OWNER, Actor, Permission
from shopkeeper.domain.clock import Clock, instant
from shopkeeper.domain.profile import CustomerPage, Profile, Timeline
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.reading import Reading
from shopkeeper.domain.report import ImportSummary, Report
from shopkeeper.domain.traits import Trait
from shopkeeper.know.traits import TRAITS as KNOWN
from shopkeeper.predict.traits import TRAITS as FORETOLD
from shopkeeper.settings import Settings
from shopkeeper.shop import (
    audiences,
    bringing,
    doctoring,
    feeding,
    forgetting,
    keeping,
    listing,
    living,
    predicting,
    refusals,
    reporting,
    showing,
    timelines,
)
from shopkeeper.shop.places import Places
from shopkeeper.shop.verbs_access import AccessVerbs
from shopkeeper.shop.verbs_advocacy import AdvocacyVerbs
from shopkeeper.shop.verbs_connect import ConnectVerbs
from shopkeeper.shop.verbs_features import FeatureVerbs
from shopkeeper.shop.verbs_identity import IdentityVerbs
from shopkeeper.shop.verbs_insight import InsightVerbs
from shopkeeper.shop.verbs_segments import SegmentVerbs
from shopkeeper.shop.verbs_segments_live import LiveSegmentVerbs
from shopkeeper.shop.verbs_sources import SourceVerbs
from shopkeeper.shop.verbs_totals import TotalVerbs
from shopkeeper.shop.verbs_value import ValueVerbs
from shopkeeper.shop.verbs_work import WorkVerbs
from shopkeeper.shop.watching import keep_up
from shopkeeper.shop.working_ahead import work_ahead

if TYPE_CHECKING:
    import pyarrow as pa

    from shopkeeper.collect.files.door import Guess

_TRAITS = (*KNOWN, *FORETOLD)


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was refused, and why."""

    id: int
    received_at: Any
    source: str
    kind: str
    line: int
    reason: str
    detail: str


class Shop(
    SourceVerbs,
    WorkVerbs,
    AccessVerbs,
    ConnectVerbs,
    TotalVerbs,
    IdentityVerbs,
    SegmentVerbs,
    LiveSegmentVerbs,
    InsightVerbs,
    ValueVerbs,
    AdvocacyVerbs,
    FeatureVerbs,
):
    """A shop, seen by one actor. Open one with ``shopkeeper.open(folder)``."""

    def __init__(self, places: Places, actor: Actor = OWNER) -> None:
        self.places = places
        self.actor = actor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Shop {self.settings.name!r} for {self.actor.role}>"

    @property
    def settings(self) -> Settings:
        """Name, currency, time zone and the rest."""
        return self.places.settings

    @property
    def clock(self) -> Clock:
        """What time it is in this shop."""
        return self.places.clock

    def as_actor(self, actor: Actor) -> Shop:
        """The same shop, seen by somebody else."""
        return Shop(self.places, actor)

    def close(self) -> None:
        """Finish what was begun and let go of the files."""
        self.places.close()

    def preview(
        self,
        path: str | Path,
        kind: str | None = None,
        mapping: Mapping[str, str] | None = None,
        *,
        reading: Reading | None = None,
    ) -> Guess:
        """What a file seems to be and how its columns would be read; nothing is brought in."""
        self._may(Permission.COLLECT, "preview files")
        return bringing.preview(self.places, path, kind, mapping, reading)

    def collect(
        self,
        path: str | Path,
        kind: str | None = None,
        *,
        source: str | None = None,
        mapping: Mapping[str, str] | None = None,
        reading: Reading | None = None,
        numbering: str | None = None,
        progress: Progress | None = None,
    ) -> ImportSummary:
        """Bring a file in, whole or not at all; the same file twice adds nothing.

        ``source`` names the system the file comes from. ``numbering`` says that its customer and card numbers are that
        system's own: equal numbers elsewhere are other people's. ``reading`` settles what a file leaves open: encoding,
        delimiter, sheet, whether days or months come first, decimal commas.
        """
        self._may(Permission.COLLECT, "bring in files")
        return bringing.bring(
            self.places,
            path,
            kind,
            source=source,
            mapping=mapping,
            reading=reading,
            numbering=numbering,
            progress=progress,
        )

    def advance(self, progress: Progress | None = None) -> int:
        """Take what was appended into identities and records; returns how many events."""
        self._may(Permission.REFRESH, "advance the shop")
        taken = living.advance(self.places, progress)
        keep_up(self.places, progress)
        return taken

    def rebuild(self, progress: Progress | None = None) -> int:
        """Fold everybody anew from the log; returns how many events."""
        self._may(Permission.REFRESH, "rebuild the shop")
        return living.rebuild(self.places, progress)

    def refresh(self, *, full: bool = False, progress: Progress | None = None) -> dict[str, float]:
        """Advance, fit and score, keep segments up, and feed the lake; returns seconds by step. ``full`` also holds a
        new tournament of models, however lately there was one, and compacts the lake.
        """
        self._may(Permission.REFRESH, "refresh the shop")
        seconds: dict[str, float] = {}
        began = perf_counter()

        def lap(step: str) -> None:
            nonlocal began
            seconds[step] = round(perf_counter() - began, 3)
            began = perf_counter()

        living.rebuild(self.places, progress) if full else living.advance(self.places, progress)
        refusals.sweep(self.places)
        lap("resolve and fold")
        predicted = predicting.predict(self.places, progress, anew=full)
        lap("predict")
        keep_up(self.places, progress)
        audiences.prune(self.places)
        lap("segments")
        feeding.feed(self.places, _TRAITS, predicted, progress)
        if full:
            self.places.lake.compact()
        lap("lake")
        if work_ahead(self.places, _TRAITS, progress):
            lap("answers")
        return seconds

    def report(self) -> Report:
        """The report as of the last refresh."""
        self._may(Permission.REPORT, "see the report")
        made = reporting.report(self.places, sees=self.actor.sees)
        self._note("see the report", detail=f"{len(made.most_valuable) + len(made.fading)} customers named")
        return made

    def customer(self, who: str | int) -> Profile:
        """One customer, by id, 'kind:value' or any identifier."""
        self._may(Permission.LOOK_UP, "look up a customer")
        found = showing.profile(self.places, who, _TRAITS, sees=self.actor.sees)
        self._note("look up a customer", found.id)
        return found

    def timeline(
        self, who: str | int, *, cursor: str | None = None, limit: int = 50, names: tuple[str, ...] = ()
    ) -> Timeline:
        """What happened with a customer, latest first, entering and leaving segments among it (``Audience Entered``,
        ``Audience Exited``); ``names`` keeps only those events.
        """
        self._may(Permission.LOOK_UP, "see a timeline")
        customer, found = timelines.timeline(self.places, who, cursor, limit, names, sees=self.actor.sees)
        self._note("see a timeline", customer, f"{len(found.entries)} events")
        return found

    def find(
        self,
        search: str = "",
        *,
        sort: str = "value",
        state: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> CustomerPage:
        """Customers, searched by words, of one ``state`` or all, sorted by value, margin, orders, recent or fading."""
        self._may(Permission.LOOK_UP, "look up customers")
        found = listing.find(self.places, search, sort, cursor, limit, state=state, sees=self.actor.sees)
        self._note(
            "look up customers", detail=f"{len(found.rows)} customers {'found' if search else 'listed'}"
        )
        return found

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Ask the lake in SQL (see ``stores.contract.lake`` for its tables); it holds nothing personal."""
        self._may(Permission.REPORT, "ask the lake")
        return self.places.lake.query(sql, parameters)

    def traits(self) -> tuple[Trait, ...]:
        """Every declared trait."""
        return _TRAITS

    def quarantine(self, *, limit: int = 100) -> list[Quarantined]:
        """What was refused, latest first."""
        self._may(Permission.REPORT, "see the quarantine")
        with self.places.ledger.read() as reader:
            rows = reader.quarantine(None, limit)
        return [
            Quarantined(
                id=r.id, received_at=instant(r.received_at), source=r.source, kind=r.kind, line=r.line,
                reason=r.reason, detail=r.detail,
            )
            for r in rows
        ]  # fmt: skip

    def export(self, who: str | int) -> dict[str, Any]:
        """Everything known of a person, as plain data."""
        self._may(Permission.EXPORT, "export a person")
        self._sees_everything()
        copy = forgetting.export(self.places, who)
        self._note("export a person", copy["customer"])
        self.places.trail.flush()
        return copy

    def erase(self, who: str | int) -> forgetting.ErasureReceipt:
        """Forget a person everywhere; orders stay without the person."""
        self._may(Permission.FORGET, "erase a person")
        receipt = forgetting.erase(self.places, who)
        self._note("erase a person", receipt.customer, f"{receipt.events_removed} events removed")
        self.places.trail.flush()
        return receipt

    def backup(self, to: str | Path | None = None) -> Path:
        """Write the whole shop into one file; returns where it lies."""
        self._may(Permission.ADMINISTER, "back up the shop")
        return keeping.backup(self.places, to)

    def doctor(self) -> list[doctoring.Finding]:
        """Look at the installation and the shop's files."""
        self._may(Permission.ADMINISTER, "examine the shop")
        return doctoring.doctor(self.places)

    def health(self) -> dict[str, Any]:
        """Whether the shop answers, and how far behind the log its records are."""
        with self.places.ledger.read() as reader:
            counts = reader.counts()
        return {
            "status": "ok",
            "events": counts["events"],
            "customers": counts["customers"],
            "lag": counts["last_seq"] - counts["cursor"],
            "quarantined": counts["quarantined"],
            "as_of": self.clock.now().isoformat(),
        }
