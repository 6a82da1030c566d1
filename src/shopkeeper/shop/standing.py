"""Where customers stand, kept up live: an order changes its customer's state at once, and silence on its day.

What is predicted of a customer carries the instant at which time alone will change it. The rhythm by which everybody
is judged is the one that the last refresh put in force (the ledger's setting ``rhythm``); before the first refresh
nobody is. Everything is worked out from the record's days, so that it does not matter in which order anything came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shopkeeper.domain.condition import orderbook
from shopkeeper.domain.condition.zone import LAST_DAY, Zone
from shopkeeper.domain.customer import Customer, objects
from shopkeeper.know.fold import unpack
from shopkeeper.know.live.watch import Watch
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader, LedgerWriter
from shopkeeper.stores.contract.rows import Prediction

if TYPE_CHECKING:
    from shopkeeper.predict.fading import Purchases, Rhythm

SETTING: Final = "rhythm"
NEVER: Final = 1 << 62
_CONCERN: Final = frozenset({*orderbook.NAMES, "Consent Given", "Consent Withdrawn"})
_HEARD_AT_ONCE: Final = 50_000
_STOOD_AT_ONCE: Final = 1_000
_YEAR: Final = 365
_FEWEST: Final = 30
"""Purchases from which on some are usual."""

Said = dict[str, Any]
Columns = dict[str, Any]
"""Arrays by name of a trait."""


class Standings(msgspec.Struct):
    """Where customers stand on a day: arrays with an entry for each of ``customer``."""

    rhythm: Any
    """``predict.fading.Rhythm``: the one to be in force."""
    cursor: str
    """Up to which event of the log customers are known here."""
    customer: Any
    columns: Columns
    """By trait: texts, and days as ``datetime64[D]`` with NaT for what there is not."""
    turns: Any
    """When time alone changes that: microseconds."""
    turn: int = NEVER
    """Up to which merge or split customers are known here."""


def refreshed(places: Places, cursor: str, customers: Any, days: Any, *, turn: int = NEVER) -> Standings:
    """Learn the rhythm from everybody's order days as of a place in the log, and judge everybody by it.

    ``customers`` and ``days`` (numbers since 1970) are arrays with one entry per customer and day with an order.
    """
    import numpy as np

    from shopkeeper.predict.fading import kept, learn, purchases

    now = today(places)
    when = np.asarray(days, dtype="datetime64[D]")
    bought = purchases(customer=customers, occurred_at=when)
    with places.ledger.read() as reader:
        before = in_force(places, reader)
    first = begins(np.asarray(days, dtype=np.int64), now)
    known = _learned_from(bought, customers, np.asarray(days, dtype=np.int64), now, first)
    learned = learn(known, alarms_per_year=places.settings.alarms_per_year)
    rhythm = kept(before, msgspec.structs.replace(learned, begins=first))
    columns, turns = judged(bought, rhythm, now, places.settings.time_zone)
    return Standings(rhythm, cursor, bought.customer, columns, turns, turn)


def today(places: Places) -> int:
    """The present day in the shop's zone."""
    return _zone(places.settings.time_zone).day(places.now())


def begins(days: Any, last_day: int) -> int | None:
    """The first day of which purchases count: one dated so long before all others that it cannot be right does not.

    It stays in the log and in the sums, since something was bought; but who stands where, and who is regular, is
    judged without it, also where it comes after this was learned. ``days`` has one entry per customer and day with an
    order; of few nothing is usual, and all count (None).
    """
    from shopkeeper.predict.value.stray import believed

    known = days[days <= last_day]
    if known.size < _FEWEST:
        return None
    first, last = believed(known)
    early = known[known < first]
    # What is brought in before the next refresh counts as far back as it will then.
    far = first - max(last - first, _YEAR)
    return max(int(early.max()) + 1, far) if early.size else far


def _learned_from(
    bought: Purchases, customers: Any, days: Any, last_day: int, first: int | None
) -> Purchases:
    """Purchases up to that day but for those whose date cannot be right: a rhythm is not learned from these."""
    import numpy as np

    from shopkeeper.predict.fading import purchases

    learned = days <= last_day
    if first is not None:
        learned &= days >= first
    if learned.all():
        return bought
    return purchases(
        customer=np.asarray(customers)[learned], occurred_at=days[learned].astype("datetime64[D]")
    )


def put_in_force(places: Places, tx: LedgerWriter, found: Standings) -> None:
    """Judge by this rhythm from now on, in the transaction that makes a run current; who was heard of since it was
    worked out is judged anew.
    """
    tx.keep(SETTING, msgspec.json.encode(found.rhythm).decode())
    stands = judging(places, tx)
    if stands is None:
        return
    heard = _reassigned(tx, found.turn)
    at, end = int(found.cursor or 0), int(tx.setting("cursor") or 0)
    while at < end and (rows := tx.observed_after(at, min(_HEARD_AT_ONCE, end - at))):
        at = rows[-1].seq
        heard |= {member.customer for member in tx.members(sorted({row.node for row in rows} - {0}))}
        _judge(tx, stands, sorted(heard))
        heard.clear()
    _judge(tx, stands, sorted(heard))


def _judge(tx: LedgerWriter, stands: Judging, customers: list[int]) -> None:
    for start in range(0, len(customers), _STOOD_AT_ONCE):
        some = customers[start : start + _STOOD_AT_ONCE]
        known = {row.customer: row.body for row in tx.records(some)}
        if gone := [customer for customer in some if customer not in known]:
            tx.unpredict(gone)
        for customer, body in known.items():
            stands.told(customer, unpack(body))
        stands.write()


def _reassigned(tx: LedgerWriter, since: int) -> set[int]:
    """Who was merged or parted since; what was foretold of somebody parted was foretold of somebody else."""
    found: set[int] = set()
    before: int | None = None
    while int(tx.setting("last_turn") or 0) > since:
        turns = tx.turns([], before, _STOOD_AT_ONCE)
        later = [one for one in turns if one.id > since]
        found |= {customer for one in later for customer in (one.customer, one.other)}
        if parted := {c for one in later if one.kind == "split" for c in (one.customer, one.other)}:
            tx.unpredict(sorted(parted))
        if len(later) < _STOOD_AT_ONCE:
            break
        before = later[-1].id
    return found


def in_force(places: Places, reader: LedgerReader) -> Rhythm | None:
    """The rhythm in force (``predict.fading.Rhythm``); None before the first refresh."""
    text = reader.setting(SETTING)
    if not text:
        return None
    if places.rhythm is None or places.rhythm[0] != text:
        from shopkeeper.predict.fading import Rhythm

        places.rhythm = (text, msgspec.json.decode(text, type=Rhythm))
    found: Rhythm = places.rhythm[1]
    return found


def judging(places: Places, tx: LedgerWriter) -> Judging | None:
    """What memory is to tell of the customers it folds; None before the first refresh."""
    rhythm = in_force(places, tx)
    return None if rhythm is None else Judging(places, tx, rhythm)


def turn(places: Places, tx: LedgerWriter, watch: Watch | None, most: int) -> int:
    """Judge some customers anew of whom time alone changed something; returns how many."""
    customers = tx.turning(places.now(), most)
    stands = judging(places, tx)
    if not customers or stands is None:
        return 0
    known = {row.customer: unpack(row.body) for row in tx.records(customers)}
    if gone := [customer for customer in customers if customer not in known]:
        tx.unpredict(gone)
    for customer, record in known.items():
        stands.told(customer, record)
    before = stands.write()
    if watch is not None:
        watch.turned(before)
    return len(customers)


class Judging:
    """Customers of one transaction (``domain.protocols.Stands``)."""

    def __init__(self, places: Places, tx: LedgerWriter, rhythm: Rhythm) -> None:
        self.tx = tx
        self.rhythm = rhythm
        self.now = places.now()
        self.zone = places.settings.time_zone
        self._days: dict[int, list[int]] = {}
        self._against: set[int] = set()

    def told(self, customer: int, record: Customer, names: Iterable[str] | None = None) -> None:
        """A customer's record; nobody is judged who objects to it."""
        if names is None or not _CONCERN.isdisjoint(names):
            against = objects(record)
            self._days[customer] = [] if against else list(record.days)
            (self._against.add if against else self._against.discard)(customer)

    def write(self) -> dict[int, Said]:
        """Write where those who were told of stand now."""
        if not self._days:
            return {}
        told, self._days = dict(sorted(self._days.items())), {}
        kept = self.tx.predictions(list(told))
        before: dict[int, Said] = {customer: _read(row.body) for customer, row in kept.items()}
        silent = [customer for customer, days in told.items() if not days and customer in kept]
        if gone := [customer for customer in silent if customer in self._against or _ordered(kept[customer])]:
            self.tx.unpredict(gone)
        judged_ = {customer: days for customer, days in told.items() if days}
        traits, turns = self._judged(judged_) if judged_ else ({}, {})
        changed = []
        for customer, said in traits.items():
            row, was = kept.get(customer), before.get(customer, {})
            body = _write(was | said)
            state, turns_at = said["state"] or "", turns[customer]
            if row is None:
                changed.append(Prediction(customer, None, None, state, body, turns_at, self.now))
            elif (row.body, row.turns_at) != (body, turns_at):
                stood = row.stood if row.body == body else self.now
                changed.append(row._replace(state=state, body=body, turns_at=turns_at, stood=stood))
        self.tx.restand(changed)
        return {customer: before.get(customer, {}) for customer in told}

    def _judged(self, days: Mapping[int, list[int]]) -> tuple[dict[int, Said], dict[int, int]]:
        import numpy as np

        from shopkeeper.predict.fading import of_days

        size = np.fromiter(map(len, days.values()), dtype=np.int64, count=len(days))
        flat = np.fromiter(
            (day for one in days.values() for day in one), dtype=np.int64, count=int(size.sum())
        )
        starts = np.concatenate(([0], np.cumsum(size)[:-1])).astype(np.int64)
        bought = of_days(np.fromiter(days, dtype=np.int64, count=len(days)), starts, flat)
        columns, turns = judged(bought, self.rhythm, _zone(self.zone).day(self.now), self.zone)
        return dict(zip(days, rows(columns), strict=True)), dict(zip(days, turns.tolist(), strict=True))


def _ordered(row: Prediction) -> bool:
    """Whether something was foretold of orders; of who only speaks for the shop there is not, and their score stays."""
    return bool(row.state) or row.clv is not None


def judged(bought: Purchases, rhythm: Rhythm, today: int, zone: str) -> tuple[Columns, Any]:
    """The traits of customers on a day, and the instants at which time alone changes them."""
    import numpy as np

    from shopkeeper.predict.fading import NEVER as NO_DAY
    from shopkeeper.predict.fading import stand

    def dates(days: Any, known: Any) -> Any:
        never = np.datetime64("NaT", "D")
        return np.where(known & (days < NO_DAY), np.minimum(days, LAST_DAY).astype("datetime64[D]"), never)

    found = stand(bought, rhythm, today)
    known = found.state != ""
    columns = {
        "state": found.state,
        "state_since": dates(found.since, known),
        "fading_since": dates(found.unusual, known & (found.unusual <= today)),
        "unusual_from": dates(found.unusual, known),
        "next_order": dates(found.next_order, known),
        "rhythm_basis": found.basis,
    }
    start = _zone(zone).start
    days, which = np.unique(found.turns, return_inverse=True)
    instants = [start(day) if day < LAST_DAY else NEVER for day in days.tolist()]
    return columns, np.asarray(instants, dtype=np.int64)[which]


def rows(columns: Columns) -> list[Said]:
    """The same, a row for each customer: texts and instants, None for what there is not."""
    lists = [
        [value or None if isinstance(value, str) else _midnight(value) for value in column.tolist()]
        for column in columns.values()
    ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


@lru_cache(maxsize=10_000)
def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


_zone = lru_cache(maxsize=16)(Zone)
_read = msgspec.json.Decoder(Said).decode
_write = msgspec.json.Encoder().encode
