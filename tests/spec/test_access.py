"""What any gate must keep of who may: asked of every engine."""

from __future__ import annotations

import threading
from hashlib import sha256

from shopkeeper.stores.contract.access import AccountRow, KeyRow, LinkRow, NewAudit, SessionRow


def account(number: int, **changes) -> AccountRow:
    row = AccountRow(
        id=number, pseudonym=b"p%d" % number, salt=b"salt", sealed=b"sealed", role="analyst", password=None,
        subject=None, disabled=0, created_at=10, signed_in_at=0,
    )  # fmt: skip
    return row._replace(**changes)


def chain(before: bytes, line: NewAudit) -> bytes:
    return sha256(before + repr(line).encode()).digest()


def line(number: int, **changes) -> NewAudit:
    return NewAudit(number, "u1", "look", f"c{number}", "look_up", "done", "")._replace(**changes)


def test_accounts_are_put_changed_and_found(gate):
    gate.write(lambda tx: (tx.put_account(account(1)), tx.put_account(account(2, subject=b"s"))))
    gate.write(lambda tx: tx.put_account(account(1, role="agent", password="hash", disabled=1)))
    with gate.read() as reader:
        assert [row.id for row in reader.accounts()] == [1, 2]
        assert reader.account(1) == account(1, role="agent", password="hash", disabled=1)
        assert reader.account_by(b"p2") == account(2, subject=b"s") == reader.account_of_subject(b"s")
        assert reader.account(3) is reader.account_by(b"p3") is reader.account_of_subject(b"t") is None


def test_numbers_are_given_once(gate):
    assert [gate.write(lambda tx: tx.next_number("account")) for _ in range(3)] == [1, 2, 3]
    assert gate.write(lambda tx: tx.next_number("api_key", 5)) == 5
    assert gate.write(lambda tx: tx.next_number("account", 0)) == 3


def test_sessions_end_alone_and_together(gate):
    rows = [SessionRow(b"t%d" % n, 1 + n // 3, 10, 20 + n, 100 + n, "Firefox") for n in range(4)]
    gate.write(lambda tx: [tx.put_session(row) for row in rows])
    gate.write(lambda tx: tx.put_session(rows[0]._replace(seen_at=90)))
    with gate.read() as reader:
        assert [row.token for row in reader.sessions(1)] == [b"t0", b"t2", b"t1"]
        assert reader.session_of(b"t3") == rows[3]
    assert gate.write(lambda tx: tx.drop_session(b"t0")) is True
    assert gate.write(lambda tx: tx.drop_session(b"t0")) is False
    assert gate.write(lambda tx: tx.drop_sessions(1, but=b"t2")) == 1
    gate.write(lambda tx: tx.sweep_access(102, 0))
    with gate.read() as reader:
        assert reader.sessions(1) == []
        assert reader.sessions(2) == [rows[3]]


def test_a_link_is_taken_once(gate):
    gate.write(lambda tx: tx.put_link(LinkRow(b"a", "invite", 1, 50)))
    gate.write(lambda tx: tx.put_link(LinkRow(b"b", "invite", 2, 50)))
    gate.write(lambda tx: tx.put_link(LinkRow(b"c", "invite", 3, 5)))
    assert gate.write(lambda tx: tx.take_link(b"a")) == LinkRow(b"a", "invite", 1, 50)
    assert gate.write(lambda tx: tx.take_link(b"a")) is None
    gate.write(lambda tx: tx.drop_links("invite", 2))
    gate.write(lambda tx: tx.sweep_access(10, 0))
    with gate.read() as reader:
        assert [reader.link(token) for token in (b"a", b"b", b"c")] == [None, None, None]


def test_keys_are_kept_by_their_hash(gate):
    rows = [KeyRow(n, b"h%d" % n, "abcd", "etl", "report", 10, "u1", 0, 0, 0) for n in (1, 2)]
    gate.write(lambda tx: [tx.put_key(row) for row in rows])
    gate.write(lambda tx: tx.put_key(rows[0]._replace(revoked_at=99)))
    with gate.read() as reader:
        assert reader.api_keys() == [rows[1], rows[0]._replace(revoked_at=99)]
        assert reader.api_key(b"h2") == rows[1]
        assert reader.api_key(b"h3") is None


def test_tries_are_counted_and_forgotten(gate_again):
    gate_again().write(
        lambda tx: (tx.note_try(b"a", 1, 10), tx.note_try(b"a", 2, 20), tx.note_try(b"b", 1, 5))
    )
    gate = gate_again()
    with gate.read() as reader:
        assert reader.tries([b"a", b"b", b"c"]) == {b"a": (2, 20), b"b": (1, 5)}
    gate.write(lambda tx: tx.sweep_access(0, 10))
    gate.write(lambda tx: tx.note_try(b"a", 0, 30))
    with gate.read() as reader:
        assert reader.tries([b"a", b"b"]) == {}


def test_the_audit_log_is_read_by_what_is_asked(gate):
    lines = [line(1), line(2, actor="k1"), line(3, subject="c1", verb="erase")]
    gate.write(lambda tx: tx.append_audit(lines[:2], chain))
    gate.write(lambda tx: tx.append_audit(lines[2:], chain))
    gate.write(lambda tx: tx.append_audit([], chain))
    with gate.read() as reader:
        assert [row.id for row in reader.audit()] == [3, 2, 1]
        assert [row.id for row in reader.audit(subject="c1")] == [3, 1]
        assert [row.id for row in reader.audit(actor="k1")] == [2]
        assert [row.id for row in reader.audit(subject="c1", verb="erase")] == [3]
        assert [row.id for row in reader.audit(before=3, limit=1)] == [2]
        assert [NewAudit(*row[1:-1]) for row in reader.audit_after(1, 10)] == lines[1:]


def test_many_who_append_make_one_chain(gate_again):
    gates = [gate_again(), gate_again()]

    def append(gate, first):
        for number in range(first, first + 10):
            gate.write(lambda tx, n=number: tx.append_audit([line(n), line(n)], chain))

    threads = [threading.Thread(target=append, args=(gate, n * 100)) for n, gate in enumerate(gates)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with gates[0].read() as reader:
        rows = reader.audit_after(0, 100)
    assert [row.id for row in rows] == list(range(1, 41))
    before = b""
    for row in rows:
        before = chain(before, NewAudit(*row[1:-1]))
        assert bytes(row.chain) == before
