"""Rows as they go into a ledger and come out of it: plain tuples, so that no engine shows through."""

from __future__ import annotations

from typing import NamedTuple


class NewEvent(NamedTuple):
    """An event about to be logged: the columns of ``Logged`` without its place, and what tells it from others."""

    name: str
    version: int
    source: str
    brand: str
    channel: str
    occurred_at: int
    received_at: int
    node: int
    others: str
    """The further nodes it was observed on, as ``12,15``."""
    key: bytes
    """Sixteen bytes of the message id: the event's identity for ever."""
    payload: bytes
    body: bytes
    """Eight bytes of its content: tells a repeat from a contradiction."""


class Logged(NamedTuple):
    """An event as it stands in the log."""

    seq: int
    name: str
    version: int
    source: str
    brand: str
    channel: str
    occurred_at: int
    received_at: int
    node: int
    others: str
    key: bytes
    payload: bytes


class Observed(NamedTuple):
    """What identity resolution needs of an event."""

    seq: int
    name: str
    occurred_at: int
    node: int
    others: str


FoldedRow = tuple[int, int, bytes, str, int, str, str, int, str, bytes]
"""The fields of ``Folded`` as a plain tuple: naming them costs a twentieth of a rebuild."""


class Folded(NamedTuple):
    """What folding needs of an event, with the customer it belongs to now."""

    customer: int
    occurred_at: int
    key: bytes
    name: str
    version: int
    channel: str
    source: str
    node: int
    others: str
    payload: bytes


class NewNode(NamedTuple):
    """An identifier about to become a node."""

    hash: bytes
    kind: str
    salt: bytes
    sealed: bytes
    first_seen: int


class Node(NamedTuple):
    """An identifier as it is kept."""

    node: int
    kind: str
    salt: bytes
    sealed: bytes
    first_seen: int


class Sealed(NamedTuple):
    """Personal values that an event told, sealed under its node's salt."""

    node: int
    seq: int
    occurred_at: int
    name: str
    sealed: bytes


class Edge(NamedTuple):
    """Two nodes seen on one event: the earliest such event is the evidence."""

    a: int
    b: int
    occurred_at: int
    seq: int
    why: str
    until: int = 0
    """Where an identifier is given out again to others: the month in which the two were last seen together (its first
    microsecond). 0 where it is not known.
    """


class Member(NamedTuple):
    """A node, the customer it belongs to, and whether many share it so that it links nobody."""

    node: int
    customer: int
    shared: bool


class Verdict(NamedTuple):
    """What somebody decided of two nodes, ``a`` the smaller: one person's, or not."""

    a: int
    b: int
    same: bool
    decided_at: int
    actor: str
    why: str
    """A word of the program's own, never anybody's text."""


class Likeness(NamedTuple):
    """What a model believes of two nodes, ``a`` the smaller."""

    a: int
    b: int
    weight: float
    """Log2 of the odds that they are one person's."""
    model: str
    found_at: int


class NewTurn(NamedTuple):
    """A merge or a split of customers, and its cause."""

    id: int
    at: int
    kind: str
    """``merge`` (``other`` went into ``customer``) or ``split`` (``other`` went out of it)."""
    customer: int
    other: int
    a: int
    b: int
    seq: int
    why: str
    actor: str
    """Who decided it; empty for what followed from events."""
    ours: int = 0
    """Of a merge: the node that spoke most for ``customer`` until then."""
    theirs: int = 0
    """The same for ``other``: where the two part again, each gets its id back."""


class Record(NamedTuple):
    """A customer's folded state with what lists are sorted by."""

    customer: int
    body: bytes
    last_at: int
    last_key: bytes
    reducers: int
    catalogue: int
    orders: int
    amount: int
    margin: int
    last_day: int
    country: str


class Prediction(NamedTuple):
    """What a refresh predicted of a customer, and where the customer stands since."""

    customer: int
    clv: float | None
    """None for somebody who came after the refresh."""
    p_alive: float | None
    state: str
    body: bytes
    turns_at: int = 1 << 62
    """When time alone will change what is said."""
    stood: int = 0
    """When it was last written live; 0 for as the refresh left it."""


class Ranking(NamedTuple):
    """One line of a sorted list of customers."""

    customer: int
    body: bytes
    sort: float
    clv: float | None
    p_alive: float | None
    state: str | None


class NewQuarantine(NamedTuple):
    """Something refused, sealed under a salt of its own, found again by the pseudonyms of its cells."""

    received_at: int
    source: str
    kind: str
    line: int
    reason: str
    detail: str
    salt: bytes
    sealed: bytes
    cells: tuple[bytes, ...]


class Quarantined(NamedTuple):
    """Something refused, as it is kept."""

    id: int
    received_at: int
    source: str
    kind: str
    line: int
    reason: str
    detail: str
    salt: bytes
    sealed: bytes


class Heard(NamedTuple):
    """What a live source told in one hour: events received, and what became of them."""

    source: str
    hour: int
    """Hours since 1970, by when it was received."""
    received: int
    kept: int
    repeated: int
    refused: int
    last_at: int
