"""The inbox's rows in plain SQL: numbers never given again, and running sums that say how much waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shopkeeper.stores.contract.gate import Backlog, KeptDelivery, NewDelivery
from shopkeeper.stores.gate.appending import octets_of
from shopkeeper.stores.sql.session import Session, change_among

_KEPT = "id, received_at, source, format, topic, events, salt, body, attempts"
_MOST_AT_ONCE = 5_000
_FORGOTTEN_AT_ONCE = 512
_FORGOTTEN_OCTETS = 2 * 1024 * 1024


def append(session: Session, deliveries: Sequence[NewDelivery]) -> int:
    """Keep deliveries; returns the number of the last. The row of sums is locked until the transaction ends, so
    numbers become visible in their order.
    """
    sizes = [octets_of(d) for d in deliveries]
    events_of_all, octets_of_all = sum(d.events for d in deliveries), sum(sizes)
    last, events, octets = session.rows(
        "UPDATE inbox_end SET last = last + ?, events_sum = events_sum + ?, octets_sum = octets_sum + ? "
        "WHERE name = 'inbox' RETURNING last, events_sum, octets_sum",
        (len(deliveries), events_of_all, octets_of_all),
    )[0]
    number, events, octets = last - len(deliveries), events - events_of_all, octets - octets_of_all
    rows = []
    for d, size in zip(deliveries, sizes, strict=True):
        number += 1
        events += d.events
        octets += size
        rows.append(
            (
                number, d.received_at, d.source, d.format, d.topic, d.events, size, events, octets, 0, d.salt,
                d.body,
            )
        )  # fmt: skip
    session.many(
        "INSERT INTO inbox (id, received_at, source, format, topic, events, octets, events_sum, octets_sum, "
        "attempts, salt, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return int(last)


def held(session: Session) -> int:
    """Octets of everything in the inbox."""
    first = session.rows("SELECT octets_sum - octets FROM inbox ORDER BY id LIMIT 1")
    if not first:
        return 0
    end = session.rows("SELECT octets_sum FROM inbox_end WHERE name = 'inbox'")
    return int(end[0][0] - first[0][0])


def waiting(session: Session, after: int, octets: int) -> list[KeptDelivery]:
    """Deliveries after a number, about ``octets`` of them, at least one."""
    sizes = session.rows(
        "SELECT id, octets FROM inbox WHERE id > ? ORDER BY id LIMIT ?", (after, _MOST_AT_ONCE)
    )
    if not sizes:
        return []
    upto = cut(sizes, octets)
    sql = f"SELECT {_KEPT} FROM inbox WHERE id > ? AND id <= ? ORDER BY id"
    return list(map(KeptDelivery._make, session.rows(sql, (after, upto))))


def cut(sizes: Sequence[tuple[int, int]], octets: int) -> int:
    """The number up to which rows hold about so many octets."""
    total = 0
    upto = sizes[0][0]
    for number, size in sizes:
        total += size
        if total > octets:
            break
        upto = number
    return upto


def begun(session: Session, ids: Sequence[int]) -> None:
    """One more attempt for some deliveries."""
    change_among(session, "UPDATE inbox SET attempts = attempts + 1 WHERE id IN (...)", ids)


def survived(session: Session, ids: Sequence[int]) -> None:
    """One attempt less for some deliveries."""
    change_among(session, "UPDATE inbox SET attempts = attempts - 1 WHERE attempts > 0 AND id IN (...)", ids)


def portions(session: Session, upto: int) -> Iterator[int]:
    """Numbers up to which to forget one after another: a short transaction each, so that nobody waits long."""
    after = 0
    while sizes := session.rows(
        "SELECT id, octets FROM inbox WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
        (after, upto, _FORGOTTEN_AT_ONCE),
    ):
        after = cut(sizes, _FORGOTTEN_OCTETS)
        yield after


def forget(session: Session, upto: int) -> None:
    """Delete deliveries up to a number."""
    session.run("DELETE FROM inbox WHERE id <= ?", (upto,))


def backlog(session: Session, after: int) -> Backlog:
    """What waits after a number, from the first row and the sums."""
    first = session.rows(
        "SELECT id, received_at, events_sum - events, octets_sum - octets FROM inbox WHERE id > ? "
        "ORDER BY id LIMIT 1",
        (after,),
    )
    if not first:
        return Backlog(0, 0, 0, 0)
    number, received_at, events, octets = first[0]
    last, all_events, all_octets = session.rows(
        "SELECT last, events_sum, octets_sum FROM inbox_end WHERE name = 'inbox'"
    )[0]
    return Backlog(last - number + 1, all_events - events, all_octets - octets, received_at)


def begin_after(session: Session, number: int) -> None:
    """Give no number up to this one."""
    session.run("UPDATE inbox_end SET last = ? WHERE name = 'inbox' AND last < ?", (number, number))


def last(session: Session) -> int:
    """The number given last."""
    return int(session.rows("SELECT last FROM inbox_end WHERE name = 'inbox'")[0][0])


def left(session: Session, after: int, upto: int) -> bool:
    """Whether anything after a number and up to another is kept."""
    return bool(session.rows("SELECT 1 FROM inbox WHERE id > ? AND id <= ? LIMIT 1", (after, upto)))
