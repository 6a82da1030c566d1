"""Reads who is said to have brought whom, and what stands too close between the two to count.

Who came is named in ``Customer Referred`` by a customer number or an e-mail address, which lie sealed on the node of
the one who brought them. They are opened here, looked up by their pseudonym, and forgotten. A referral code that comes
with somebody's first order as its coupon says the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from shopkeeper.domain.event import Logged as Read
from shopkeeper.shop.naming import told
from shopkeeper.shop.places import Places
from shopkeeper.stores.contract.ledger import LedgerReader

EVENT: Final = "Customer Referred"
_AT_ONCE: Final = 500
_PAGE: Final = 5_000
_MOST: Final = 12
"""Customers who share an identifier at most for it to mean a household; what more share is a counter or an office."""
_CLOSE: Final = {
    "email": "household",
    "phone": "household",
    "device_id": "household",
    "payment_token": "payment card",
}
"""What two customers may share, and what it makes of them."""


class Claim(Struct, frozen=True):
    """Somebody is said to have brought somebody."""

    at: int
    key: bytes
    by: int
    who: int


class Claims(Struct):
    """Everything that is said."""

    rows: list[Claim] = field(default_factory=list)
    unknown: int = 0
    """Of whom came nothing was told that leads to one customer."""
    owners: dict[str, set[int]] = field(default_factory=dict)
    """Whose each referral code is."""


def claims(places: Places, reader: LedgerReader, bringers: Sequence[int]) -> Claims:
    """What is said of some customers, whose record knows of a referral."""
    found = Claims()
    for start in range(0, len(bringers), _AT_ONCE):
        _read(places, reader, bringers[start : start + _AT_ONCE], found)
    return found


def by_code(found: Claims, first: Iterable[tuple[int, int, str]]) -> None:
    """Add what first orders say that came with a referral code: (customer, instant, coupon). A code that two customers
    gave out says nothing.
    """
    for customer, at, coupon in first:
        owners = found.owners.get(coupon, ())
        if len(owners) == 1:
            found.rows.append(Claim(at, b"code:" + coupon.encode(), next(iter(owners)), customer))


def _read(places: Places, reader: LedgerReader, bringers: Sequence[int], found: Claims) -> None:
    owner = {m.node: m.customer for m in reader.nodes_of(bringers) if not m.shared}
    nodes = sorted(owner)
    events: list[Any] = []
    before: tuple[int, int] | None = None
    while page := reader.log_of(nodes, before, _PAGE, (EVENT,)):
        events += page
        before = (page[-1].occurred_at, page[-1].seq)
    salts = {row.node: row.salt for row in reader.identifiers(sorted({event.node for event in events}))}
    sealed = {
        row.seq: places.vault.unseal(salts[row.node], row.sealed)
        for row in reader.sealed(sorted(salts))
        if row.name == EVENT
    }
    wanted: list[tuple[Any, list[bytes]]] = []
    for event in events:
        try:
            code = str(getattr(Read.read(event.name, event.version, event.payload), "referral_code", ""))
        except msgspec.MsgspecError:
            code = ""
        if code:
            found.owners.setdefault(code, set()).add(owner[event.node])
        marks = _marks(places, sealed.get(event.seq) or {})
        if marks:
            wanted.append((event, marks))
        elif not code:
            found.unknown += 1
    known = reader.nodes([mark for _, marks in wanted for mark in marks])
    members = {m.node: m for m in reader.members(sorted(set(known.values())))}
    for event, marks in wanted:
        there = [members[known[mark]] for mark in marks if mark in known and known[mark] in members]
        meant = next((member.customer for member in there if not member.shared), None)
        if meant is None:
            found.unknown += 1
        else:
            found.rows.append(Claim(event.occurred_at, event.key, owner[event.node], meant))


def _marks(places: Places, values: Mapping[str, Any]) -> list[bytes]:
    """Pseudonyms under which the one who came may be known, the surest first."""
    marks = []
    for kind, name in (("user_id", "referred_user_id"), ("email", "referred_email")):
        value = values.get(name)
        canonical = places.keys(kind, str(value)) if value else None
        if canonical is not None:
            reached = places.keys.reaches(kind, canonical)
            marks += [places.vault.pseudonym(kind, one) for one in (canonical, reached) if one is not None]
    return marks


def beside(places: Places, reader: LedgerReader, pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Why the two customers of each pair stand too close to each other: household, payment card, or '' where they do
    not.
    """
    people = sorted({customer for pair in pairs for customer in pair})
    signs: dict[int, dict[Any, str]] = {}
    for start in range(0, len(people), _AT_ONCE):
        signs |= _signs(places, reader, people[start : start + _AT_ONCE])
    return [_closest(signs.get(one, {}), signs.get(two, {})) for one, two in pairs]


def _closest(one: Mapping[Any, str], two: Mapping[Any, str]) -> str:
    return max((one[sign] for sign in one.keys() & two.keys()), default="")  # of both, the payment card


def _signs(places: Places, reader: LedgerReader, people: Sequence[int]) -> dict[int, dict[Any, str]]:
    """What each of some customers may have in common with others: addresses and shared identifiers."""
    owner = {m.node: m.customer for m in reader.nodes_of(people)}
    nodes = sorted(owner)
    found: dict[int, dict[Any, str]] = defaultdict(dict)
    said: dict[int, dict[str, str]] = defaultdict(dict)
    for node, values in told(places, reader, nodes).items():
        said[owner[node]].update(values)
        if values.get("household"):  # as the source numbers it
            found[owner[node]]["h:" + values["household"]] = "household"
        for token in places.intake.household_tokens(values):
            found[owner[node]][token] = "household"
    for customer, values in said.items():  # name and address may have been told apart
        for token in places.intake.household_tokens(values):
            found[customer][token] = "household"
    ends: dict[int, set[int]] = defaultdict(set)
    for edge in reader.edges(nodes):
        for mine, other in ((edge.a, edge.b), (edge.b, edge.a)):
            if mine in owner:
                ends[other].add(owner[mine])
    shared = [m.node for m in reader.members(sorted(ends)) if m.shared]
    for node, (kind, _) in reader.marks(shared).items():
        if kind in _CLOSE and len(_customers(reader, node)) <= _MOST:
            for customer in ends[node]:
                found[customer][node] = _CLOSE[kind]
    return found


def _customers(reader: LedgerReader, node: int) -> set[int]:
    near = reader.beside(node, 40 * _MOST)
    return {m.customer for m in reader.members(near) if not m.shared}
