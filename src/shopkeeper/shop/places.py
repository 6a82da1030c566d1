"""The places of one shop, opened together: what every verb is given."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from shopkeeper.collect.intake import Intake
from shopkeeper.domain.catalogue import Catalogue, Goods, Product, Rate
from shopkeeper.domain.clock import Clock, day_number, micros
from shopkeeper.domain.money import Rates, exponent
from shopkeeper.resolve.keys import Keys
from shopkeeper.settings import Settings
from shopkeeper.shop.auditing import AuditTrail
from shopkeeper.shop.hearing import Hearing
from shopkeeper.stores.contract.gate import Gate
from shopkeeper.stores.contract.lake import Lake
from shopkeeper.stores.contract.ledger import Ledger, LedgerReader
from shopkeeper.stores.contract.vault import Vault

if TYPE_CHECKING:
    from shopkeeper.shop.reporting import Figures


class Places:
    """Folder, settings, clock, ledger, gate, vault and lake of one shop."""

    def __init__(
        self, folder: Path, settings: Settings, clock: Clock, ledger: Ledger, gate: Gate, vault: Vault
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.clock = clock
        self.ledger = ledger
        self.gate = gate
        self.vault = vault
        self.trail = AuditTrail(gate, vault)
        self.hearing = Hearing(gate, vault, self.now)
        self.keys = keys_of(settings)
        self.intake = Intake(vault, self.keys, currency=settings.currency)
        self.scale = 10.0 ** exponent(settings.currency)
        # A record folded under another assumption is as stale as one folded with other costs.
        self._assumptions = crc32(
            f"{settings.currency} {settings.assumed_margin} {settings.time_zone}".encode()
        )
        self._lake: Lake | None = None
        self._catalogue: Catalogue | None = None
        self.compiled: object | None = None
        """Conditions of segments, compiled together (``shop.watching``)."""
        self.rhythm: tuple[str, Any] | None = None
        """The rhythm by which customers are judged, with the text it is kept as (``shop.standing``)."""
        self.sold: set[str] = set()
        """Products whose names need not be learned from what is sold live."""
        self.figures: tuple[int, Figures] | None = None
        """The lake's part of the report with the generation of the lake that it was asked of."""
        self.told: tuple[str, int, dict[str, int]] | None = None
        """Events of the log by name, after so many erasures and up to a place (``shop.reporting``)."""
        self.insight: tuple[tuple[int, date] | None, dict[tuple[str, ...], Any]] = (None, {})
        """What was told of groups of customers, with the lake's generation and the day on which it was."""
        self.weighed_by: Any = None
        """The model by which two records are weighed, as ``shop.weighing`` read it."""
        self.live_records: Any = None
        """Everybody's records in memory, where ``shop.matching`` was asked for likely matches."""
        self.rehearsed: Any = None
        """What a change of the rules of identity would do, as ``shop.ruling`` found."""
        self.refusals: Any = None
        """Unions that guards refused, as ``shop.refusals`` found them."""
        self._meet()

    def _meet(self) -> None:
        """Let the gate give no number that the ledger has seen, whichever of the two was brought from elsewhere."""
        if self.gate.inbox.ordered:
            with self.ledger.read() as reader:
                seen = int(reader.setting("inbox") or 0)
            self.gate.inbox.begin_after(seen)

    @property
    def lake(self) -> Lake:
        """The lake, opened when it is first asked for: its engine is heavy."""
        if self._lake is None:
            from shopkeeper.stores.lake import open_lake

            self._lake = open_lake(self.folder / "lake")
        return self._lake

    def now(self) -> int:
        """The present in microseconds."""
        return micros(self.clock.now())

    def money(self, minor: float) -> float:
        """Minor units as units of the reporting currency."""
        return round(minor) / self.scale

    def catalogue(self, reader: LedgerReader) -> Catalogue:
        """The reference data a fold needs; read again only when its version changed."""
        version = int(reader.setting("catalogue") or 0) << 32 | self._assumptions
        if self._catalogue is None or self._catalogue.version != version:
            self._catalogue = self._read_catalogue(reader, version)
        return self._catalogue

    def discard(self) -> None:
        """Forget what was learned of a transaction that was undone."""
        self._catalogue = None

    def _read_catalogue(self, reader: LedgerReader, version: int) -> Catalogue:
        read = msgspec.json.Decoder(Product).decode
        goods = {
            p.product_id: Goods(
                p.category,
                p.brand,
                None if p.unit_cost is None else float(p.unit_cost) * self.scale,
                p.kind in ("", "product"),
            )
            for p in map(read, reader.reference("product"))
        }
        rates = [msgspec.json.decode(body, type=Rate) for body in reader.reference("rate")]
        table = [(r.currency, day_of_date(r.date), r.rate) for r in rates]
        margin = self.settings.assumed_margin
        return Catalogue(
            goods, Rates(self.settings.currency, table), margin, version, self.settings.time_zone
        )

    def close(self) -> None:
        """Let go of everything; what the audit log was told is written first."""
        try:
            if self._lake is not None:
                self._lake.close()
            self.hearing.close()
            self.trail.close()
        finally:
            self.gate.close()
            self.ledger.close()


def keys_of(settings: Settings) -> Keys:
    """How identifiers are spelled in a shop."""
    return Keys(settings.region, mailboxes=settings.mailbox_aliases)


def day_of_date(date: str) -> int:
    """Days since 1970 of an ISO date.

    >>> day_of_date("1970-01-03")
    2
    """
    return day_number(micros(datetime.fromisoformat(date[:10]).replace(tzinfo=UTC)))
