"""The table of what was known of every customer at an instant, for models: ours and the team's own.

What counts as known is told in docs/why/0017: it occurred before the instant (with ``known``, it was received before
it, too), on an identifier that was known to be the customer's by then. The lake answers, as of the last refresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import index
from typing import TYPE_CHECKING, Any

from shopkeeper.domain.clock import DAY, day_or_instant, instant, micros
from shopkeeper.domain.condition.profiling import OBJECTS
from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.traits import Trait
from shopkeeper.know.fold import unpack
from shopkeeper.resolve.bythen import apart
from shopkeeper.shop.asking import changed, refreshed, setting_of
from shopkeeper.shop.leading import ahead
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from shopkeeper.know.features import Asked, Trade
    from shopkeeper.predict.value.features import FeatureTable
    from shopkeeper.predict.value.summary import PurchaseDays

_COLUMNS = 192
"""For which there is room at first: about 150 there are."""
_KEPT = 4
"""Tables kept, since several models ask for the same days one after the other."""
_TRADE_WORDS = {
    "orders": "orders so far",
    "share_store": "share of orders in stores",
    "share_web": "share of orders in the web shop",
    "share_app": "share of orders in the app",
    "channels_used": "channels ordered in",
    "first_channel": "channel of the first order",
    "returns": "returns so far",
    "returns_13w": "returns in the last 13 weeks",
    "returned_share": "amount returned as a share of what was bought",
}


def features(
    places: Places, as_of: date | datetime | str, horizon: int | None = None, *, known: bool = False
) -> pa.Table:
    """The table as Arrow, one row a customer by id; with ``horizon`` weeks also what was bought within them after."""
    _, told = refreshed(places)
    end, latest = _end(places, as_of), micros(told)
    if end > latest:
        raise InvalidInput(
            f"as_of reaches beyond the last refresh ({told.date().isoformat()})",
            hint="give an earlier day, or run 'shopkeeper refresh'",
        )
    if horizon is not None and not _whole(horizon):
        raise InvalidInput(f"a horizon of {horizon} weeks", hint="give a whole number of weeks from 1")
    if horizon is not None and horizon > (latest - end) // (7 * DAY):
        raise InvalidInput(
            f"{horizon} weeks after as_of are not over yet at the last refresh ({told.date().isoformat()})",
            hint="give an earlier as_of or a shorter horizon",
        )
    with places.ledger.read() as reader:
        without = _objecting(places, reader)
        asked = _asked(places, reader, end, without, known=known)
        table = table_of(places, asked)
        label = None
        if horizon is not None:
            whole = _asked(places, reader, latest, without, known=False, by_then=False)
            label = _label(places, whole, table, horizon)
    made = as_arrow(table, label)
    metadata = {"as_of": instant(end).isoformat(), "known": str(known).lower()}
    return made.replace_schema_metadata(metadata | ({"horizon": str(horizon)} if horizon else {}))


def features_for(
    places: Places, traits: Sequence[Trait] | None = None
) -> Callable[[np.datetime64], FeatureTable]:
    """What the choice among models asks for: the table as of the end of a day of the shop's, of any day in the past.

    With ``traits`` (all there are) the lake is first brought up to the ledger, as a refresh needs it; without, the
    tables tell what the last refresh knew.
    """
    if traits is not None:
        ahead(places, traits)
    with places.ledger.read() as reader:
        without = _objecting(places, reader)

    tables: dict[date, FeatureTable] = {}

    def known_by(day: np.datetime64) -> FeatureTable:
        as_of: date = day.astype("datetime64[D]").astype(object)
        if as_of not in tables:
            while len(tables) >= _KEPT:
                tables.pop(next(iter(tables)))
            with places.ledger.read() as reader:
                asked = _asked(places, reader, _end(places, as_of), without, known=False)
            tables[as_of] = table_of(places, asked)
        return tables[as_of]

    return known_by


def _whole(horizon: object) -> bool:
    try:
        return index(horizon) >= 1  # type: ignore[arg-type]
    except TypeError:
        return False


def _end(places: Places, as_of: date | datetime | str) -> int:
    from shopkeeper.know.features.days import end_of

    return end_of(day_or_instant(as_of), places.settings.time_zone)


def _asked(
    places: Places,
    reader: LedgerReader,
    end: int,
    without: tuple[int, ...],
    *,
    known: bool,
    by_then: bool = True,
) -> Asked:
    from shopkeeper.know.features import Asked

    setting = setting_of(places, reader, {})
    return Asked(
        end=end, known=known, without=without, currency=setting.currency, rates=setting.rates,
        apart=apart(reader, end, decided=known) if by_then else (), assumed=places.settings.assumed_margin,
    )  # fmt: skip


def _objecting(places: Places, reader: LedgerReader) -> tuple[int, ...]:
    """Who objects to profiling now: of them there is no row, whenever it was said."""
    manifest = places.lake.manifest()
    later = changed(reader, manifest.watermark, manifest.turn)
    names = places.lake.query("SELECT * FROM customers LIMIT 0").schema.names
    if later is None or OBJECTS not in names:
        rows = (row for chunk in reader.all_records() for row in chunk)
        return tuple(row.customer for row in rows if objects(unpack(row.body)))
    told = set(places.lake.query(f"SELECT id FROM customers WHERE {OBJECTS}")["id"].to_pylist())
    now = {row.customer for row in reader.records(sorted(later)) if objects(unpack(row.body))}
    return tuple(sorted((told - later) | now))


def table_of(places: Places, asked: Asked) -> FeatureTable:
    """Every group of columns beside each other, for all of whom anything was known."""
    import numpy as np

    from shopkeeper.know import features as known
    from shopkeeper.predict.value.features import FeatureTable, from_orders

    query, zone = places.lake.query, places.settings.time_zone
    traded = known.trade(query, asked)
    bought = known.goods(query, asked, traded.void)
    did = known.deeds(query, asked)
    said = known.consents(query, asked)
    customers = np.unique(np.concatenate([traded.customer, bought.customer, did.customer, did.seen_by]))
    day = np.datetime64(int(_days(np.array([asked.end - 1]), zone)[0]), "D")
    orders = from_orders(order_days(traded, zone, places.scale), day)
    filled = Filled(customers.size)
    filled.take(orders.columns_of(customers))
    filled.take(_trade_columns(traded, customers, asked.end).items())
    filled.names = [name.replace("amount", "margin") for name in filled.names]
    words = {
        name.replace("amount", "margin"): text.replace("amount", "margin")
        for name, text in orders.words.items()
    }
    words |= _TRADE_WORDS | known.words()
    del traded, orders
    goods_columns, texts = bought.columns(customers)
    filled.take(goods_columns.items())
    del bought, goods_columns
    filled.take(did.columns(customers))
    filled.take(known.consent_columns(said, customers).items())
    return FeatureTable(
        customer=customers,
        names=tuple(filled.names),
        values=filled.values,
        categories={**texts, "first_channel": (*known.CHANNELS, "other")},
        as_of=day,
        words=words,
    )


class Filled:
    """A table that columns are written into as they come, so that none is there twice. It lies column by column."""

    def __init__(self, size: int) -> None:
        import numpy as np

        self.names: list[str] = []
        # What is not written takes no memory, but is promised: systems refuse a promise beyond what they have.
        self._whole = np.empty((size, _COLUMNS), order="F")

    def take(self, columns: Iterable[tuple[str, NDArray[np.float64]]]) -> None:
        """Write columns."""
        for name, column in columns:
            if len(self.names) == self._whole.shape[1]:
                self._widen()
            self._whole[:, len(self.names)] = column
            self.names.append(name)

    def _widen(self) -> None:
        import numpy as np

        size, room = self._whole.shape
        wider = np.empty((size, 2 * room), order="F")
        wider[:, :room] = self._whole
        self._whole = wider

    @property
    def values(self) -> NDArray[np.float64]:
        """What was written."""
        return self._whole[:, : len(self.names)]


def _days(at: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    from shopkeeper.know.features.days import local_days

    return local_days(at, zone)


def order_days(traded: Trade, zone: str, scale: float) -> PurchaseDays:
    """The log of orders as models take it: margin by customer and day of the order, returns taken off that day."""
    from shopkeeper.predict.value.summary import purchase_days

    placed = traded.ordered_at >= 0
    return purchase_days(
        customer=traded.customer[placed],
        occurred_at=_days(traded.ordered_at[placed], zone).astype("datetime64[D]"),
        amount=traded.margin[placed] / scale,
    )


def _trade_columns(traded: Trade, customers: NDArray[np.int64], end: int) -> dict[str, NDArray[np.float64]]:
    import numpy as np

    from shopkeeper.domain.clock import DAY
    from shopkeeper.know.features import BACK, CHANNELS, ORDER, places

    size = customers.size
    row = places(customers, traded.customer)

    def count(where: NDArray[np.bool_], of: Any = None) -> NDArray[np.float64]:
        weights = None if of is None else of[where]
        return np.bincount(row[where], weights=weights, minlength=size).astype(np.float64)

    order, back = traded.kind == ORDER, traded.kind == BACK
    orders, some = count(order), count(order) > 0
    by_channel = [count(order & (traded.channel == place)) for place in range(len(CHANNELS) + 1)]
    shares = [np.where(some, one / np.where(some, orders, 1.0), np.nan) for one in by_channel]
    first = np.full(size, np.nan)
    rows = np.flatnonzero(order)
    opening = rows[np.flatnonzero(np.diff(row[rows], prepend=-1))]
    first[row[opening]] = traded.channel[opening]
    bought, returned = count(~back, traded.amount), -count(back, traded.amount)
    return {
        "orders": orders,
        **{f"share_{channel}": shares[place] for place, channel in enumerate(CHANNELS)},
        "channels_used": np.sum([one > 0 for one in by_channel], axis=0, dtype=np.float64),
        "first_channel": first,
        "returns": count(back),
        "returns_13w": count(back & (traded.at >= end - 13 * 7 * DAY)),
        "returned_share": np.where(bought > 0, returned / np.where(bought > 0, bought, 1.0), np.nan),
    }


def _label(
    places: Places, asked: Asked, table: FeatureTable, horizon: int
) -> Mapping[str, NDArray[np.float64]]:
    """What was bought in the weeks after, as it stands now: order days and margin."""
    import numpy as np

    from shopkeeper.know.features import trade

    days = order_days(trade(places.lake.query, asked), places.settings.time_zone, places.scale)
    first = int(table.as_of.astype("datetime64[D]").astype(np.int64))
    later = (days.day > first) & (days.day <= first + 7 * horizon)
    who = days.customers[days.code[later]] if days.code.size else np.empty(0, np.int64)
    there = np.isin(who, table.customer)
    row = np.searchsorted(table.customer, who[there])
    size = table.customer.size
    return {
        "label_orders": np.bincount(row, minlength=size).astype(np.float64),
        "label_margin": np.bincount(row, weights=days.amount[later][there], minlength=size).astype(
            np.float64
        ),
    }


def as_arrow(table: FeatureTable, label: Mapping[str, NDArray[np.float64]] | None = None) -> pa.Table:
    """Numbers as they are (unknown is null), codes as the texts they stand for; each column with its sentence."""
    import numpy as np
    import pyarrow as pa

    arrays: list[Any] = [pa.array(table.customer, pa.int64())]
    fields = [pa.field("id", pa.int64())]
    for place, name in enumerate(table.names):
        column = np.asarray(table.values[:, place])
        unknown = np.isnan(column)
        if name in table.categories:
            codes = pa.array(np.where(unknown, 0, column).astype(np.int32), mask=unknown)
            texts = pa.array([*table.categories[name]], pa.string())
            arrays.append(pa.DictionaryArray.from_arrays(codes, texts).cast(pa.string()))
        else:
            arrays.append(pa.array(column, mask=unknown))
        fields.append(pa.field(name, arrays[-1].type, metadata={"sentence": table.words.get(name, name)}))
    for name, column in (label or {}).items():
        arrays.append(pa.array(column))
        fields.append(pa.field(name, pa.float64()))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))
