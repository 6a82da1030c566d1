"""Lists of customers: found by words or standing in some state, sorted, in pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from shopkeeper.domain.catalogue import Store
from shopkeeper.domain.clock import DAY, instant
from shopkeeper.domain.errors import InvalidInput, NotFound, UnknownName
from shopkeeper.domain.profile import CustomerPage, CustomerRow
from shopkeeper.know.fold import unpack
from shopkeeper.predict.traits import TRAITS
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places
from shopkeeper.shop.searching import by_words
from shopkeeper.shop.showing import bounded, cursor_at, decoded, resolve
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Prediction, Ranking

SORTS = ("value", "margin", "orders", "recent", "fading")
STATES: tuple[str, ...] = next(tuple(trait.values) for trait in TRAITS if trait.name == "state")
_SHOWN_PLACES = 2


def find(
    places: Places, search: str, sort: str, cursor: str | None, limit: int, *, state: str = "", sees: Sees
) -> CustomerPage:
    """A page of customers, searched by words of what is known of them, of one state or all, and sorted."""
    if sort not in SORTS:
        raise UnknownName("sort order", sort, SORTS)
    if state and state not in STATES:
        raise UnknownName("state", state, STATES)
    limit = bounded(limit)
    with places.ledger.read() as reader:
        if sort in ("value", "fading") and not reader.setting("run"):
            sort = "margin"
        among: list[int] | None = None
        if search.strip():
            among = _matches(places, reader, search, sees)
            if state:
                stood = reader.predictions(among)
                among = [one for one in among if one in stood and stood[one].state == state]
            total = len(among)
        else:
            total = reader.ranked(sort, state)
        ranked = reader.ranking(
            _within(sort, among), decoded(cursor), limit + 1, among, "" if among is not None else state
        )
        page = ranked[:limit]
        called_ = names(places, reader, [r.customer for r in page], sees=sees)
        foretold = reader.predictions([r.customer for r in page])
        records = {r.customer: unpack(r.body) for r in page}
        where = {r.customer: _places_of(records[r.customer]) for r in page}
        stores = _called(reader, {key for keys in where.values() for key in keys})
    rows = tuple(
        _row(places, r, records[r.customer], called_[r.customer], foretold.get(r.customer), stores)
        for r in page
    )
    last = page[-1] if len(ranked) > limit else None
    return CustomerPage(
        rows, total, cursor_at((last.sort, last.customer)) if last else None, places.clock.now()
    )


def _within(sort: str, among: list[int] | None) -> str:
    """Searching must find people without predictions too."""
    return "margin" if among is not None and sort in ("value", "fading") else sort


def _matches(places: Places, reader: LedgerReader, search: str, sees: Sees) -> list[int]:
    try:
        return [resolve(places, reader, search)]
    except (NotFound, InvalidInput):
        return by_words(places, reader, search, sees)


def _row(
    places: Places, ranking: Ranking, record: Any, name: str, said: Prediction | None, stores: dict[str, str]
) -> CustomerRow:
    told: dict[str, Any] = msgspec.json.decode(said.body) if said is not None else {}
    where = _places_of(record)
    return CustomerRow(
        id=f"c{ranking.customer}",
        name=name,
        country=record.country,
        orders=record.orders,
        amount=places.money(record.amount),
        margin=places.money(record.margin),
        last_order=instant(record.days[-1] * DAY) if record.days else None,
        clv_12m=ranking.clv if ranking.state else None,
        clv_low=told.get("clv_low"),
        clv_high=told.get("clv_high"),
        p_alive=ranking.p_alive if ranking.state else None,
        state=ranking.state or "",
        state_since=_moment(told.get("state_since")),
        next_order=_moment(told.get("next_order")),
        channels=where,
        places=tuple(stores.get(key, key) for key in where[:_SHOWN_PLACES]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _places_of(record: Any) -> tuple[str, ...]:
    return tuple(sorted(record.places, key=lambda place: -record.places[place].amount))


def _called(reader: LedgerReader, keys: set[str]) -> dict[str, str]:
    """What some stores are called."""
    found = reader.references("store", sorted(keys)) if keys else {}
    stores = {key: msgspec.json.decode(body, type=Store) for key, body in found.items()}
    return {key: store.name or key for key, store in stores.items()}
