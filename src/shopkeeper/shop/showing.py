"""Shows one customer and a timeline; names are unsealed only for what is shown, masked where needed."""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from shopkeeper.domain.catalogue import RECORDS, Product
from shopkeeper.domain.clock import day_of, instant
from shopkeeper.domain.consent import PURPOSES
from shopkeeper.domain.customer import Customer, Tally, consents, looked_not_bought, objects, top
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound
from shopkeeper.domain.event import Logged as Read
from shopkeeper.domain.event import Properties
from shopkeeper.domain.events.orders import OrderFields
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.domain.money import from_minor
from shopkeeper.domain.personal import EVERY_CLASS, Personal
from shopkeeper.domain.profile import (
    Consent,
    IdentifierShown,
    Looked,
    OpenCase,
    Profile,
    Share,
    Timeline,
    TimelineEntry,
)
from shopkeeper.domain.traits import Trait
from shopkeeper.know.fold import unpack
from shopkeeper.shop import segmenting, standing
from shopkeeper.shop.masking import Sees, mask, seen, words_of
from shopkeeper.shop.naming import called, told
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader
from shopkeeper.stores.contract.rows import Logged, Member

CUSTOMER = re.compile(r"(customer:)?c(\d{1,18})", re.ASCII)
_Number = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""What a ledger can hold: a cursor comes from outside."""
_IN_OWN_WORDS = ("Answer Given", "Contact Opened", "Contact Closed", "Reward Granted")
"""Events whose sentence may hold what somebody typed."""


def resolve(
    places: Places, reader: LedgerReader, who: str | int, *, for_ever: bool = False, written: bool = False
) -> int:
    """The customer meant by an identifier, as 'kind:value' or bare, or by a customer id such as c42.

    An e-mail address that was never heard of means the customer of the mailbox it reaches, unless ``written``.

    An id that was given out goes before an identifier that reads like it: what a stranger's browser calls itself must
    not stand in the way of a customer's own page. Raises NotFound; and Conflict where the text is also another
    customer's identifier and what follows is ``for_ever``.
    """
    text = str(who).strip()
    if not text or len(text) > 600:
        raise InvalidInput(
            "an identifier is empty or too long", hint="give an e-mail, a card, a customer id such as c42"
        )
    number = CUSTOMER.fullmatch(text)
    found = _current(reader, int(number[2])) if number else None
    if found is None or (for_ever and number and not number[1]):
        named = _by_identifier(places, reader, text, written=written)
        if None not in (found, named) and named != found:
            raise Conflict(
                "that is one customer's id and another customer's identifier",
                hint="say which: customer:ID or user_id:NUMBER",
            )
        found = named if found is None else found
    if found is None:
        raise NotFound("nobody is known under that identifier", hint="search by a word of the name instead")
    return found


def _by_identifier(places: Places, reader: LedgerReader, text: str, *, written: bool) -> int | None:
    found = named(places, reader, text)
    if found is None and not written:
        found = named(places, reader, text, reached=True)
    return None if found is None else found.customer


def named(places: Places, reader: LedgerReader, text: str, *, reached: bool = False) -> Member | None:
    """The identifier that is meant by 'kind:value', or by a value alone, and whose it is; None where nobody has it.

    With ``reached`` it is the mailbox to which a post to that address goes, which may be known by another one.
    """
    kind, _, value = text.partition(":")
    tries = [(kind, value)] if kind in IDENTIFIER_KINDS and value else [(k, text) for k in IDENTIFIER_KINDS]
    hashes = []
    for kind, value in tries:
        canonical = places.keys(kind, value)
        if canonical is not None and reached:
            canonical = places.keys.reaches(kind, canonical)
        if canonical is not None:
            hashes.append(places.vault.pseudonym(kind, canonical))
    nodes = reader.nodes(hashes)
    return next((member for h in hashes if h in nodes for member in reader.members([nodes[h]])), None)


def _current(reader: LedgerReader, customer: int) -> int | None:
    if reader.nodes_of([customer]):
        return customer
    return reader.alias(customer)


def profile(places: Places, who: str | int, traits: Sequence[Trait], *, sees: Sees) -> Profile:
    """Everything known of one customer."""
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who)
        nodes = [m.node for m in reader.nodes_of([customer])]
        rows = reader.records([customer])
        record = unpack(rows[0].body) if rows else Customer()
        foretold = reader.predictions([customer]).get(customer)
        personal: dict[str, str] = {}
        kept = reader.identifiers(nodes)
        by_node = told(places, reader, nodes, kept)
        for node in nodes:
            personal.update(by_node.get(node, {}))
        for row in reversed(kept):  # what names somebody goes before what was typed to fill a form
            if row.kind in ("email", "phone"):
                personal[row.kind] = str(places.vault.unseal(row.salt, row.sealed))
        identifiers = tuple(
            IdentifierShown(
                i.kind, seen(i.kind, str(places.vault.unseal(i.salt, i.sealed)), sees), instant(i.first_seen)
            )
            for i in sorted(kept, key=lambda i: (IDENTIFIER_KINDS[i.kind].rank, i.node))
            if not IDENTIFIER_KINDS[i.kind].reference
        )
        looked = looked_not_bought(record, 6)
        goods = _goods(reader, {*looked, *(key for key, _ in top(record.products, 8))})
        stores = _stores(reader)
        inside = segmenting.of_customer(reader, customer)
        rhythm = standing.in_force(places, reader)
    scores: dict[str, Any] = {}
    if foretold and not objects(record):
        scores = msgspec.json.decode(foretold.body)
    now = places.now()
    values = {t.name: _value(places, t, record, scores, now) for t in traits if _open(t, sees)}
    kinds = {i.kind for i in kept}
    return Profile(
        id=f"c{customer}",
        name=called(personal, kinds, sees=sees),
        currency=places.settings.currency,
        as_of=places.clock.now(),
        identifiers=identifiers,
        personal={k: seen(k, v, sees) for k, v in sorted(personal.items())},
        traits=values,
        places=_shares(places, record.places, 8, stores),
        categories=_shares(places, record.categories, 8, {}),
        products=_shares(places, record.products, 8, {k: p.name for k, p in goods.items()}),
        looked_not_bought=tuple(
            Looked(
                p,
                goods[p].name if p in goods else p,
                record.browsing[p].views,
                instant(record.browsing[p].last),
            )
            for p in looked
        ),
        open_cases=tuple(
            OpenCase(
                seen("user_id", key, sees),
                words_of(case.reason, sees),
                case.medium,
                case.sentiment,
                instant(case.opened_at),
            )
            for key, case in sorted(record.open_cases.items(), key=lambda kv: kv[1].opened_at)
        ),
        consents=tuple(
            Consent(p, PURPOSES.get(p, p), s.granted, instant(s.at), s.basis, s.source)
            for p, s in sorted(consents(record).items())
        ),
        answers={q: words_of(a, sees) for q, a in record.answers.items()},
        attributes={
            k: v[0] if Personal.DEMOGRAPHIC in sees else mask(k, v[0])
            for k, v in sorted(record.attributes.items())
        },
        segments=inside,
        months=_months(places, record),
        order_days=tuple(
            day_of(day) for day in record.days if rhythm is None or day >= (rhythm.begins or day)
        ),
    )


def timeline(
    places: Places,
    who: str | int,
    cursor: str | None,
    limit: int,
    names: Sequence[str] = (),
    *,
    sees: Sees = EVERY_CLASS,
) -> tuple[str, Timeline]:
    """Whose it is, and a page of what was heard, latest first."""
    limit = bounded(limit)
    with places.ledger.read() as reader:
        customer = resolve(places, reader, who)
        nodes = [m.node for m in reader.nodes_of([customer])]
        rows = reader.log_of(nodes, _place(cursor), limit + 1, names)
        said = [Read.read(row.name, row.version, row.payload) for row in rows[:limit]]
        goods = _goods(reader, {product for one in said for product in _products_of(one)})
        stores = _stores(reader) if rows else {}
    entries = tuple(
        _entry(places, row, one, goods, stores, sees) for row, one in zip(rows[:limit], said, strict=True)
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return f"c{customer}", Timeline(entries, cursor_at((last.occurred_at, last.seq)) if last else None)


def _entry(
    places: Places,
    row: Logged,
    properties: Any,
    goods: dict[str, Product],
    stores: dict[str, str],
    sees: Sees,
) -> TimelineEntry:
    amount, currency = None, ""
    details: dict[str, Any] = {}
    if Personal.TEXT not in sees and row.name in _IN_OWN_WORDS:
        sentence = row.name.lower()
    elif isinstance(properties, Properties):
        sentence = properties.sentence()
        store = getattr(properties, "store", "")
        if store in stores:
            sentence = sentence.replace(f"store {store}", stores[store])
        if isinstance(properties, OrderFields):
            currency = properties.currency or places.settings.currency
            sign = -1 if row.name in ("Order Refunded", "Order Cancelled") else 1
            if isinstance(properties.amount, int):
                amount = float(sign * from_minor(properties.amount, currency))
            ranked = sorted(
                properties.products, key=lambda x: -abs(x.amount if isinstance(x.amount, int) else 0)
            )
            details["products"] = [
                {
                    "product_id": x.product_id,
                    "name": x.name or (goods[x.product_id].name if x.product_id in goods else x.product_id),
                    "quantity": x.quantity,
                }
                for x in ranked[:5]
            ]
            details["order_id"] = properties.order_id
        else:
            product = getattr(properties, "product_id", "")
            if product and product in goods and product in sentence:
                sentence = sentence.replace(product, goods[product].name or product)
    else:
        sentence = row.name.lower()
    return TimelineEntry(
        seq=row.seq, occurred_at=instant(row.occurred_at), name=row.name, sentence=sentence, channel=row.channel,
        amount=amount, currency=currency, details=details,
    )  # fmt: skip


def _value(places: Places, trait: Trait, record: Customer, scores: dict[str, Any], now: int) -> Any:
    if trait.of is None:
        return scores.get(trait.name)
    value = trait.of(record, now)
    return places.money(value) if trait.kind == "money" and value is not None else value


def _open(trait: Trait, sees: Sees) -> bool:
    """Whether a trait is no personal data, or of a class that is seen in clear."""
    return trait.personal is Personal.NONE or trait.personal in sees


def _shares(places: Places, tallies: dict[str, Tally], most: int, named: dict[str, str]) -> tuple[Share, ...]:
    return tuple(
        Share(
            key, named.get(key) or key, t.orders, places.money(t.amount), places.money(t.margin),
            instant(t.last) if t.last else None,
        )
        for key, t in top(tallies, most)
    )  # fmt: skip


def _months(places: Places, record: Customer) -> tuple[tuple[str, float], ...]:
    sums: dict[str, float] = defaultdict(float)
    for day, margin in zip(record.days, record.day_margin, strict=True):
        sums[day_of(day).strftime("%Y-%m")] += margin
    return tuple((month, places.money(margin)) for month, margin in sorted(sums.items()))


def _records(reader: LedgerReader, kind: str) -> list[Any]:
    return [msgspec.json.decode(body, type=RECORDS[kind]) for body in reader.reference(kind)]


def _stores(reader: LedgerReader) -> dict[str, str]:
    """What the stores are called, by their ids."""
    return {s.store_id: s.name or s.store_id for s in _records(reader, "store")}


def _products_of(properties: Any) -> set[str]:
    """Products that an event names by their id alone."""
    if isinstance(properties, OrderFields):
        return {line.product_id for line in properties.products if not line.name}
    product = getattr(properties, "product_id", "")
    return {product} if product else set()


def _goods(reader: LedgerReader, ids: set[str]) -> dict[str, Product]:
    """Some products: a catalogue has many thousands, and who looks at one customer needs a dozen."""
    if not ids:
        return {}
    found = reader.references("product", sorted(ids))
    return {key: msgspec.json.decode(body, type=Product) for key, body in found.items()}


def bounded(limit: int) -> int:
    """A number of rows that may be asked for."""
    if not 1 <= limit <= 500:
        raise InvalidInput(f"limit is {limit}", hint="give 1 to 500")
    return limit


def cursor_at(place: tuple[Any, ...]) -> str:
    """A place in a list as a text to go on from."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode("ascii").rstrip("=")


def decoded(cursor: str | None, of: Any = tuple[_Number | float, _Number]) -> Any:
    """The place that a text names, None without one. Raises InvalidInput."""
    if not cursor:
        return None
    try:
        return msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=of)
    except (ValueError, msgspec.MsgspecError):
        raise InvalidInput("that cursor was not given by this shop", hint="begin without a cursor") from None


def _place(cursor: str | None) -> tuple[int, int] | None:
    found: tuple[int, int] | None = decoded(cursor, tuple[_Number, _Number])
    return found
