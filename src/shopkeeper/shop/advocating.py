"""Writes at a refresh who is a regular, who brought whom and what they are worth, who fits the brand.

One pass over the records reads them into columns; everything after that works on columns. Who objects to profiling gets
no trait here and is counted in nobody else's.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import Struct, field

from shopkeeper.domain.catalogue import Product
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.customer import Customer, Engagement, FirstOrder, Social, Standing, Tally, objects
from shopkeeper.shop import referring
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.foretold import Foretold, Part
from shopkeeper.shop.standing import begins, today
from shopkeeper.stores.contract.ledger import LedgerReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shopkeeper.predict.advocacy import BrandFit, Brought, Core

KEPT: Final = "advocacy"
"""The ledger's setting that keeps what the last refresh found of the whole shop."""
GRACE: Final = DAY
"""A referral may be told so long after the first order of the one who came: many shops tell of it at the checkout."""
_YEAR: Final = 365.25 * DAY
_SILENT: Final = ("fading", "lapsed")


class _Read(Struct):
    """What is read of a record: some of ``domain.customer.Customer``, by the same names."""

    first_seen: int = 0
    last_seen: int = 0
    orders: int = 0
    margin: float = 0.0
    reduced: int = 0
    first: FirstOrder | None = None
    days: list[int] = field(default_factory=list)
    products: dict[str, Tally] = field(default_factory=dict)
    sessions: int = 0
    engagement: Engagement = field(default_factory=Engagement)
    social: Social = field(default_factory=Social)
    visits: dict[str, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    reviews: int = 0
    rating_sum: float = 0.0
    referrals: int = 0
    standings: dict[str, dict[int, Standing]] = field(default_factory=dict)


_NUMBERS: Final = (
    "orders", "reduced", "margin", "reviews", "stars", "said", "liked", "open", "deeds", "first_seen", "began",
)  # fmt: skip


class Columns:
    """Everybody with an order, a referral or a linked social account, who does not object; one place each."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.numbers = {name: array("d") for name in _NUMBERS}
        self.starts = array("q")
        self.days = array("q")
        self.codes: dict[str, int] = {}
        self.goods = (array("q"), array("q"), array("d"), array("d"))
        """Rows of one customer's purchases of one product: the customer's place, code, net amount, units."""
        self.bringers: list[int] = []
        self.coupons: list[tuple[int, int, str]] = []
        self.objecting: set[int] = set()

    def add(self, customer: int, read: _Read, scale: float) -> None:
        """Take somebody in."""
        if objects(cast("Customer", read)):
            self.objecting.add(customer)
            return
        social, first = read.social, read.first
        if not (read.orders or read.referrals or social.linked):
            return
        place = len(self.ids)
        self.ids.append(customer)
        said, liked = social.shares + social.comments, social.likes + social.pins + social.follows
        deeds = (
            said + liked + read.sessions + read.engagement.clicked + sum(read.visits.values()) + read.reviews
            + len(read.answers)
        )  # fmt: skip
        values = (
            read.orders, read.reduced, read.margin / scale, read.reviews, read.rating_sum, said, liked,
            len(social.linked), deeds, read.first_seen, first.at if first else float("nan"),
        )  # fmt: skip
        for column, value in zip(self.numbers.values(), values, strict=True):
            column.append(value)
        self.starts.append(len(self.days))
        self.days.extend(read.days)
        for product, tally in read.products.items():
            if tally.amount > 0:
                rows, codes, amounts, units = self.goods
                rows.append(place)
                codes.append(self.codes.setdefault(product, len(self.codes)))
                amounts.append(tally.amount / scale)
                units.append(tally.units)
        if read.referrals:
            self.bringers.append(customer)
        if first and first.coupon:
            self.coupons.append((customer, first.at, first.coupon))

    def number(self, name: str) -> NDArray[Any]:
        """One column."""
        import numpy as np

        return np.asarray(self.numbers[name])

    def places(self, customers: NDArray[Any]) -> NDArray[Any]:
        """Where some customers stand, -1 for who is not here. Ids ascend, as records come."""
        import numpy as np

        return _places(np.asarray(self.ids), customers)


class Kept(Struct, frozen=True, kw_only=True):
    """What a refresh found of the whole shop."""

    as_of: datetime
    buyers: int
    regulars: int
    core: tuple[str, ...] = ()
    """Products of the core range."""
    core_basis: str = ""
    core_of: int = 0
    referrals: int = 0
    """That stand."""
    expected: float | None = None
    """Of all who were brought and bought, within the horizon."""
    variance: float = 0.0
    """Of what is expected of them, as if what one does told nothing of another."""
    refused: dict[str, int] = field(default_factory=dict)


class Explained:
    """What the scores are made of, and who brought whom, under names that no trait has.

    Of a million customers that is more than is kept as plain data at once: it is put together for some at a time.
    """

    def __init__(
        self,
        ids: NDArray[Any],
        made: Mapping[str, Mapping[str, NDArray[Any]]],
        scored: Mapping[str, NDArray[np.bool_]],
        found: Iterable[tuple[int, int]],
    ) -> None:
        """``made``: points of each score by part; ``scored``: who has that score; ``found``: who brought whom."""
        self._ids = ids
        self._made = made
        self._scored = scored
        self._referred: dict[int, dict[str, Any]] = {}
        for by, who in found:
            if _places(ids, by) >= 0:
                self._referred.setdefault(by, {}).setdefault("brought", []).append(who)
            if _places(ids, who) >= 0:
                self._referred.setdefault(who, {})["brought_by"] = by

    @classmethod
    def nothing(cls) -> Explained:
        """Of nobody."""
        import numpy as np

        return cls(np.empty(0, np.int64), {}, {}, ())

    def of(self, customers: NDArray[Any]) -> list[dict[str, Any]]:
        """Of some customers, in their order; empty where there is nothing to explain."""
        import numpy as np

        told: list[dict[str, Any]] = [{} for _ in range(customers.size)]
        at = _places(self._ids, customers)
        for name, parts in self._made.items():
            rows = np.flatnonzero((at >= 0) & self._scored[name][at])
            points = zip(*(values[at[rows]].tolist() for values in parts.values()), strict=True)
            for row, some in zip(rows.tolist(), points, strict=True):
                told[row][name] = dict(zip(parts, some, strict=True))
        if self._referred:
            for row, customer in enumerate(customers.tolist()):
                told[row] |= self._referred.get(customer, {})
        return told

    def named(self) -> set[int]:
        """Customers who are named in what explains others' scores."""
        found = {one for said in self._referred.values() for one in said.get("brought", ())}
        return found | {said["brought_by"] for said in self._referred.values() if "brought_by" in said}


def _places(ids: NDArray[Any], customers: Any) -> NDArray[Any]:
    """Where some customers stand among ascending ids, -1 for who is not there."""
    import numpy as np

    wanted = np.asarray(customers, np.int64)
    if not ids.size:
        return np.full(wanted.shape, -1)
    at = np.minimum(np.searchsorted(ids, wanted), ids.size - 1)
    return np.where(ids[at] == wanted, at, -1)


def advocate(places: Places, foretold: Foretold) -> tuple[Part, Explained]:
    """The traits of regulars, advocates and brand fit beside what was foretold of value and state, and what they are
    made of.

    Advocates who never ordered are among them.
    """
    import numpy as np

    from shopkeeper.predict.advocacy import PARTS, points, praise

    with places.ledger.read() as reader:
        columns = read_columns(reader, places.scale)
        found, unknown = _settled(places, reader, columns)
        goods = _goods(reader)
    if not columns.ids:
        _keep(places, Kept(as_of=places.clock.now(), buyers=0, regulars=0))
        return Part(np.empty(0, np.int64), {}), Explained.nothing()
    ids = np.asarray(columns.ids)
    regular = _regulars(columns, foretold, today(places))
    core, fit = _fits(columns, regular, goods, places.now())
    number = columns.number
    ordered = number("orders") > 0
    by, who = columns.places(found.by), columns.places(found.who)
    bought = (by >= 0) & (who >= 0) & ordered[who]
    foreseen, deviation = (
        np.nan_to_num(foretold.take(columns.ids, name).to_numpy(zero_copy_only=False))
        for name in ("clv_12m", "clv_sd")
    )
    worth = number("margin") + foreseen
    brought = np.bincount(by[bought], minlength=ids.size)
    value = np.bincount(by[bought], worth[who[bought]], ids.size)
    expected = np.bincount(by[bought], foreseen[who[bought]], ids.size)
    variance = np.bincount(by[bought], deviation[who[bought]] ** 2, ids.size)
    reach = found.reach()
    parts = points({
        "brought": brought, "said": number("said"), "praised": praise(number("reviews"), number("stars")),
        "liked": number("liked"), "open": number("open"),
    })  # fmt: skip
    total = np.round(np.sum(list(parts.values()), axis=0), 1)
    fits = ~np.isnan(fit.score)
    which = np.array(
        [bool(one) if bought_ else None for one, bought_ in zip(regular, ordered, strict=True)], object
    )
    traits = {
        "advocacy_score": total, "brought_customers": brought, "brought_value": np.round(value, 2),
        "brought_reach": np.array([reach.get(customer, 0) for customer in columns.ids]),
        "regular": which, "brand_fit": fit.score,
        "core_share": np.where(fits, fit.core, np.nan), "full_price_share": np.where(fits, fit.full_price, np.nan),
    }  # fmt: skip
    sums = {"expected": np.round(expected, 2), "variance": np.round(variance, 2)}
    explained = Explained(
        ids.copy(),
        {
            "advocacy_parts": {part.name: parts[part.name] for part in PARTS},
            "brand_fit_parts": fit.points,
            "brought_sums": sums,
        },
        {"advocacy_parts": total > 0, "brand_fit_parts": fits, "brought_sums": brought > 0},
        zip(found.by.tolist(), found.who.tolist(), strict=True),
    )
    names = {code: product for product, code in columns.codes.items()}
    _keep(places, Kept(
        as_of=places.clock.now(), buyers=int(ordered.sum()), regulars=int(regular.sum()),
        core=tuple(sorted(names[code] for code in core.products)), core_basis=core.basis, core_of=core.of,
        referrals=int(found.who.size),
        expected=float(expected.sum()), variance=float(variance.sum()),
        refused=found.refused | ({"unknown": unknown} if unknown else {}),
    ))  # fmt: skip
    return Part(ids, traits), explained


def read_columns(reader: LedgerReader, scale: float) -> Columns:
    """Everybody's record as columns."""
    decode = msgspec.msgpack.Decoder(_Read).decode
    columns = Columns()
    for chunk in reader.all_records():
        for row in chunk:
            columns.add(row.customer, decode(row.body), scale)
    return columns


def kept(reader: LedgerReader) -> Kept | None:
    """What the last refresh found; None before the first one that looked."""
    said = reader.setting(KEPT)
    return msgspec.json.decode(said, type=Kept) if said else None


def _keep(places: Places, found: Kept) -> None:
    places.ledger.write(lambda tx: tx.keep(KEPT, msgspec.json.encode(found).decode()))


def _settled(places: Places, reader: LedgerReader, columns: Columns) -> tuple[Brought, int]:
    """Who brought whom, and how many who came are not known."""
    import numpy as np

    from shopkeeper.predict.advocacy import brought

    said = referring.claims(places, reader, columns.bringers)
    referring.by_code(said, columns.coupons)
    rows = said.rows
    where = columns.places(np.array([claim.who for claim in rows], np.int64))
    began = columns.number("began")
    first = np.where(where >= 0, began[where], np.nan) if began.size else np.full(len(rows), np.nan)
    close = referring.beside(places, reader, [(claim.by, claim.who) for claim in rows])
    close = [
        "objects" if columns.objecting & {claim.by, claim.who} else why
        for claim, why in zip(rows, close, strict=True)
    ]
    found = brought(
        by=[claim.by for claim in rows], who=[claim.who for claim in rows], at=[claim.at for claim in rows],
        key=[claim.key for claim in rows], first=first + GRACE, beside=close,
    )  # fmt: skip
    return found, said.unknown


def _regulars(columns: Columns, foretold: Foretold, last: int) -> NDArray[Any]:
    import numpy as np

    from shopkeeper.predict.advocacy import own_gaps, regulars

    ids = np.asarray(columns.ids)
    ordered = np.flatnonzero(columns.number("orders") > 0)
    days = np.diff(np.append(np.asarray(columns.starts), len(columns.days)))
    every = np.asarray(columns.days)
    if (first := begins(every, last)) is not None:
        known = every >= first
        days = np.bincount(np.repeat(np.arange(days.size), days)[known], minlength=days.size)
        every = every[known]
    starts = np.cumsum(days) - days
    rows = ordered[days[ordered] > 0]
    count, _, varied = own_gaps(starts[rows], every)
    states = foretold.take(ids[rows], "state").to_pylist()
    active = [state is not None and state not in _SILENT for state in states]
    found = np.zeros(len(columns.ids), np.bool_)
    found[rows] = regulars(count=count, cv2=varied, active=np.array(active, np.bool_))
    return found


def _fits(
    columns: Columns, regular: NDArray[Any], goods: Mapping[str, Product], now: int
) -> tuple[Core, BrandFit]:
    import numpy as np

    from shopkeeper.predict.advocacy import at_full_price, brand_fit, core_range

    row, product, amount, units = map(np.asarray, columns.goods)
    known = [goods.get(name) for name in columns.codes]
    prices = np.array([float(one.list_price) if one and one.list_price else np.nan for one in known], float)
    full = at_full_price(product, amount, units, prices)
    orders = columns.number("orders")
    core = core_range(
        product=product, amount=amount, full=full, regular=regular[row], regulars=int(regular.sum()),
        buyers=int((orders > 0).sum()), flagged=[code for code, one in enumerate(known) if one and one.core],
    )  # fmt: skip
    years = np.maximum((now - columns.number("first_seen")) / _YEAR, 1.0)
    fit = brand_fit(
        row=row, product=product, amount=amount, full=full, core=core, orders=orders,
        reduced=columns.number("reduced"), deeds_a_year=columns.number("deeds") / years,
    )  # fmt: skip
    return core, fit


def _goods(reader: LedgerReader) -> dict[str, Product]:
    goods = map(msgspec.json.Decoder(Product).decode, reader.reference("product"))
    return {one.product_id: one for one in goods if one.list_price or one.core}
