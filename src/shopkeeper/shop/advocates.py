"""Who brings others and what goes with it: read from the last refresh, named only for who may see names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from shopkeeper.domain.advocacy import (
    Advocate,
    Advocates,
    BrandCore,
    Foretelling,
    Friend,
    OddsOf,
    ScorePart,
    WhatBrings,
)
from shopkeeper.domain.customer import Customer, objects
from shopkeeper.domain.errors import Conflict, InvalidInput, UnknownName
from shopkeeper.domain.traits import Trait
from shopkeeper.know.fold import unpack
from shopkeeper.shop import advocating, insights
from shopkeeper.shop.masking import Sees
from shopkeeper.shop.naming import names
from shopkeeper.shop.places import Places
from shopkeeper.shop.showing import cursor_at, decoded, resolve
from shopkeeper.shop.valuing import spreading
from shopkeeper.stores.contract.ledger import LedgerReader

SORTS: Final = {
    "value": ("brought_value", "advocacy_score"),
    "score": ("advocacy_score", "brought_value"),
    "customers": ("brought_customers", "brought_value"),
}
"""By what they are sorted, the highest first, and then by id."""
_Place = tuple[str, float, float, int]
"""A sort, its two values of the last one told, and that one's id."""
_FRIENDS: Final = 12
_DEEDS: Final = {
    "shared": "Sharing posts", "commented": "Commenting", "pinned": "Pinning", "liked": "Liking and following",
    "linked": "Linking an account", "reviewed": "Writing reviews", "orders": "Days with an order",
}  # fmt: skip
_BRAND: Final = {
    "core": ("Core range", "Share of spending on the core range."),
    "full_price": ("Full price", "Share of spending at full price."),
    "engaged": ("Engaged", "Deeds a year: visits, clicks, likes, reviews, answers."),
}
_MEASURES: Final = {
    "brand_fit": "Brand fit", "core": "Share of core range", "full_price": "Share at full price", "engaged": "Engaged",
}  # fmt: skip


def advocates(
    places: Places,
    traits: Sequence[Trait],
    *,
    sees: Sees,
    sort: str = "value",
    most: int = 25,
    cursor: str | None = None,
) -> Advocates:
    """A page of those who speak for the shop, and what goes before bringing others."""
    if sort not in SORTS:
        raise UnknownName("sort order", sort, SORTS)
    after = _after(cursor, sort)
    told = insights.known(places, traits)
    if "advocacy_score" not in places.lake.query("SELECT * FROM customers LIMIT 0").column_names:
        raise Conflict("the last refresh did not know advocates yet", hint="run 'shopkeeper refresh'")
    listed = _listed(places, sort, after, max(int(most), 0))
    totals = places.lake.query(
        "SELECT sum(CASE WHEN brought_customers > 0 THEN 1 ELSE 0 END) AS bringers, sum(brought_customers) AS brought, "
        "sum(brought_value) AS value FROM customers"
    ).to_pylist()[0]
    with places.ledger.read() as reader:
        kept = advocating.kept(reader)
        known = _Known(places, reader)
        rows = [made for *_, customer in listed[:most] if (made := known.advocate(customer)) is not None]
        rows = _named(places, reader, rows, sees)
    value = float(totals["value"] or 0.0)
    low, high = known.ranged(value, kept.expected, kept.variance) if kept else (None, None)
    back = insights.looked_back(places, traits)
    return Advocates(
        as_of=told.as_of, currency=places.settings.currency, rows=tuple(rows), bringers=int(totals["bringers"] or 0),
        brought=int(totals["brought"] or 0), value=value, value_low=low, value_high=high,
        refused=_refused(kept.refused if kept else {}), brings=_brings(back.brings), core=_core(kept),
        fits=tuple(_fit(one) for one in back.fits), origin=back.origin,
        notes=(
            "Weights of the score are assumptions. The value brought counts everything that those brought bought and "
            "are expected to buy: how many of them would have come anyway, only a randomised reward can tell.",
        ),
        next=cursor_at((sort, *listed[most - 1])) if 0 < most < len(listed) else None,
    )  # fmt: skip


def _listed(places: Places, sort: str, after: _Place | None, most: int) -> list[tuple[float, float, int]]:
    """By what they are sorted and ids of those after a place, one more than wanted where there are more."""
    first, second = (f"coalesce(CAST({name} AS DOUBLE), '-infinity'::DOUBLE)" for name in SORTS[sort])
    _, *place = after or ("", float("inf"), float("inf"), -1)
    found = places.lake.query(
        f"SELECT * FROM (SELECT {first} AS one, {second} AS two, id FROM customers WHERE advocacy_score > 0) "
        "WHERE one < $one OR (one = $one AND (two < $two OR (two = $two AND id > $id))) "
        f"ORDER BY one DESC, two DESC, id LIMIT {most + 1}",
        dict(zip(("one", "two", "id"), place, strict=True)),
    )
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _after(cursor: str | None, sort: str) -> _Place | None:
    """The place that a cursor names. Raises InvalidInput where it is none of this list in this order."""
    found: _Place | None = decoded(cursor, _Place)
    if found is not None and found[0] != sort:
        raise InvalidInput("that cursor is of another sort order", hint="begin without a cursor")
    return found


def advocate(places: Places, who: str | int, *, sees: Sees) -> Advocate:
    """One customer: the score's parts, whom they brought, who brought them, and brand fit."""
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who)
        made = _Known(places, reader).advocate(customer, deep=True)
        if made is None:
            made = Advocate(
                id=f"c{customer}", name="", currency=places.settings.currency,
                score=0.0, parts=(), orders=0, margin=0.0, expected=None,
                brought_customers=0, brought_value=0.0, reach=0,
            )  # fmt: skip
        return _named(places, reader, [made], sees)[0]


class _Known:
    """Reads customers with what the last refresh wrote of them; who objects, or is no more, is nobody here."""

    def __init__(self, places: Places, reader: LedgerReader) -> None:
        self.places = places
        self.reader = reader
        self.spread = spreading(places)

    def _of(self, customers: Iterable[int]) -> dict[int, tuple[int, Customer, dict[str, Any]]]:
        """By the id that was asked for: today's id, record and what was written."""
        asked = list(dict.fromkeys(customers))
        rows = {row.customer: unpack(row.body) for row in self.reader.records(asked)}
        today = {one: one if one in rows else self.reader.alias(one) for one in asked}
        moved = [now for now in today.values() if now is not None and now not in rows]
        rows |= {row.customer: unpack(row.body) for row in self.reader.records(moved)}
        written = {
            one: msgspec.json.decode(row.body) for one, row in self.reader.predictions(sorted(rows)).items()
        }
        return {
            one: (now, rows[now], written.get(now, {}))
            for one, now in today.items()
            if now is not None and now in rows and not objects(rows[now])
        }

    def advocate(self, customer: int, *, deep: bool = False) -> Advocate | None:
        """Somebody, with the first of those they brought; ``deep`` also whom these brought, and who brought them."""
        found = self._of([customer]).get(customer)
        if found is None:
            return None
        now, record, said = found
        brought_by = said.get("brought_by")
        above = self._friends([brought_by])[:1] if deep and brought_by is not None else ()
        brought = said.get("brought", [])
        low, high = self.ranged(said.get("brought_value") or 0.0, **said.get("brought_sums", {}))
        return Advocate(
            id=f"c{now}", name="", currency=self.places.settings.currency,
            score=said.get("advocacy_score") or 0.0, parts=_parts(said),
            orders=record.orders, margin=self.places.money(record.margin), expected=said.get("clv_12m"),
            brought_customers=said.get("brought_customers") or 0, brought_value=said.get("brought_value") or 0.0,
            brought_low=low, brought_high=high,
            reach=said.get("brought_reach") or 0, friends=self._friends(brought, deep=True),
            brought_by=above[0] if above else None, regular=said.get("regular"), brand_fit=said.get("brand_fit"),
            brand_parts=_brand_parts(said), core_share=said.get("core_share"),
            full_price_share=said.get("full_price_share"),
        )  # fmt: skip

    def ranged(
        self, value: float, expected: float | None = None, variance: float = 0.0
    ) -> tuple[float, float] | tuple[None, None]:
        """The range of margin so far and expected; of a refresh that kept no variance there is none."""
        if expected is None:
            return None, None
        low, high = self.spread(expected, variance)
        return round(value - expected + low, 2), round(value - expected + high, 2)

    def _friends(self, customers: Sequence[int], *, deep: bool = False) -> tuple[Friend, ...]:
        made = []
        for now, record, said in self._of(customers).values():
            made.append(
                Friend(
                    id=f"c{now}",
                    name="",
                    orders=record.orders,
                    margin=self.places.money(record.margin),
                    expected=said.get("clv_12m"),
                    brought=len(said.get("brought", [])),
                    friends=self._friends(said.get("brought", [])) if deep else (),
                )
            )
        made.sort(key=lambda friend: (-friend.margin - (friend.expected or 0.0), friend.id))
        return tuple(made[:_FRIENDS])


def _named(places: Places, reader: LedgerReader, rows: Sequence[Advocate], sees: Sees) -> list[Advocate]:
    everybody = sorted({int(one.id[1:]) for row in rows for one in _people(row)})
    called = names(places, reader, everybody, sees=sees)

    def name(one: Friend) -> Friend:
        friends = tuple(name(friend) for friend in one.friends)
        return msgspec.structs.replace(one, name=called.get(int(one.id[1:]), ""), friends=friends)

    return [
        msgspec.structs.replace(
            row,
            name=called.get(int(row.id[1:]), ""),
            friends=tuple(name(friend) for friend in row.friends),
            brought_by=name(row.brought_by) if row.brought_by else None,
        )
        for row in rows
    ]


def _people(row: Advocate) -> Iterable[Advocate | Friend]:
    yield row
    for friend in (*row.friends, *((row.brought_by,) if row.brought_by else ())):
        yield friend
        yield from friend.friends


def _parts(said: dict[str, Any]) -> tuple[ScorePart, ...]:
    from shopkeeper.predict.advocacy import PARTS

    made = said.get("advocacy_parts", {})
    return tuple(
        ScorePart(
            name=part.name, label=part.label, points=made[part.name], most=part.most, sentence=part.sentence
        )
        for part in PARTS
        if part.name in made
    )


def _brand_parts(said: dict[str, Any]) -> tuple[ScorePart, ...]:
    from shopkeeper.predict.advocacy.brand import POINTS

    made = said.get("brand_fit_parts", {})
    return tuple(
        ScorePart(name=name, label=label, points=made[name], most=POINTS[name], sentence=sentence)
        for name, (label, sentence) in _BRAND.items()
        if name in made
    )


def _refused(counted: dict[str, int]) -> dict[str, int]:
    from shopkeeper.predict.advocacy import REASONS

    return {REASONS.get(reason, reason): number for reason, number in counted.items()}


def _brings(found: Any) -> WhatBrings:
    odds = tuple(
        OddsOf(
            name=one.name, label=_DEEDS.get(one.name, one.name), ratio=one.ratio, low=one.low, high=one.high
        )
        for one in found.odds
    )
    sentence = {
        "something": "What customers did before goes with who brought somebody afterwards: association, not effect.",
        "nothing": "Nothing that customers did before tells who brought somebody afterwards.",
        "not enough": f"Not enough to say what goes before bringing others: {found.bringers} customers brought "
        "somebody in that time, and it takes 20.",
    }[found.verdict]
    return WhatBrings(
        verdict=found.verdict, sentence=sentence, customers=found.customers, bringers=found.bringers, p=found.p,
        odds=odds,
    )  # fmt: skip


def _core(kept: advocating.Kept | None) -> BrandCore:
    if kept is None or not kept.core:
        return BrandCore(sentence="No core range is known: nothing was bought at full price yet.")
    of = {
        "catalogue": "as the catalogue says",
        "regulars": f"the fewest that make up 80 % of what {kept.core_of:,} regulars spent at full price",
        "buyers": f"the fewest that make up 80 % of what all {kept.core_of:,} buyers spent at full price, since "
        "regulars are too few to say it",
    }[kept.core_basis]
    return BrandCore(
        products=kept.core,
        basis=kept.core_basis,
        sentence=f"{len(kept.core):,} product{'s' if len(kept.core) != 1 else ''}: {of}.",
    )


def _fit(found: Any) -> Foretelling:
    label = _MEASURES[found.name]
    sentence = {
        "foretells": "went with more days with an order in the time after, beyond what past orders say",
        "foretells less": "went with fewer days with an order in the time after, beyond what past orders say",
        "nothing": "told nothing of later orders beyond what past orders say",
        "not enough": f"was known of {found.customers} customers, too few to say anything",
    }[found.verdict]
    return Foretelling(
        name=found.name, label=label, customers=found.customers, plain=found.plain, beyond=found.beyond,
        low=found.low, high=found.high, verdict=found.verdict, sentence=f"{label} {sentence}.",
    )  # fmt: skip
