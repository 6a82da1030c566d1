"""Writes what was made of a simulated shop into the tables of its ledger, in the order of their keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import numpy as np
import world as worlds
from bulk_columns import MOST, Sheet
from bulk_rows import BODY, KEY, PLACE, SOURCE, Hand, Piece

_ARRIVAL = 250_000
"""Microseconds from an event to its arrival."""
_ROWS = 1 << 16
"""Rows at once."""
_SLOTS = [worlds.identifier(0, slot)[0] for slot in range(4)]


def write_log(ledger: sqlite3.Connection, hand: Hand) -> Iterator[None]:
    """Write the log, some rows at each step."""
    ledger.execute(
        "CREATE TEMP TABLE template (id INTEGER PRIMARY KEY, name TEXT, version INTEGER, channel TEXT, letter TEXT, "
        "before BLOB, after BLOB)"
    )
    ledger.executemany(
        "INSERT INTO template VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, t.name, t.version, worlds.KINDS[t.kind].channel, worlds.KINDS[t.kind].number, t.before, t.after)
            for number, t in enumerate(hand.templates)
        ],
    )  # fmt: skip
    world = hand.world
    for low in range(0, world.events, _ROWS):
        which = world.by_seq[low : low + _ROWS]
        _log_rows(ledger, hand, which, low + 1)
        yield


def _log_rows(ledger: sqlite3.Connection, hand: Hand, which: np.ndarray, first_seq: int) -> None:
    world, sheet = hand.world, Sheet(len(which))
    kind, pick, owner = world.kind[which], world.pick[which], world.owner[which]
    shape = worlds.SHAPE[kind, pick & 1, world.has[owner]]
    template, at = sheet.whole(hand.which[kind, pick]), sheet.whole(world.at[which])
    about = sheet.whole(np.maximum(world.about[which], 0))
    firsts = world.first_node[owner]
    first = sheet.whole(firsts)
    nodes = firsts + np.array([offsets[0] for offsets in worlds.SHAPES])[shape]
    beside = " ".join(
        f"WHEN {number} THEN " + " || ',' || ".join(f"({first} + {offset})" for offset in offsets[1:])
        for number, offsets in enumerate(worlds.SHAPES)
        if len(offsets) > 1
    )
    columns = {
        "seq": sheet.counted(first_seq),
        "key": sheet.octets(hand.keys[which].tobytes(), KEY),
        "name": "t.name",
        "version": "t.version",
        "source": sheet.same(SOURCE),
        "brand": sheet.same(""),
        "channel": "t.channel",
        "occurred_at": at,
        "received_at": f"{at} + {_ARRIVAL}",
        "node": sheet.whole(nodes),
        "others": f"CASE {sheet.whole(shape)} {beside} ELSE '' END",
        "payload": f"CASE WHEN t.after IS NULL THEN t.before "
        f"ELSE CAST(t.before || t.letter || {about} || t.after AS BLOB) END",
    }
    sheet.into(ledger, "event", columns, f"CROSS JOIN temp.template AS t ON t.id = {template}")


def write_people(ledger: sqlite3.Connection, hand: Hand, low: int, high: int, piece: Piece) -> None:
    """Write everything about some customers but what finds them."""
    world = hand.world
    first_nodes = world.first_node[low:high]
    first, last = int(first_nodes[0]), int(world.first_node[high])
    each = np.diff(world.first_node[low : high + 1])
    begins = world.start[low:high]
    at, seq = world.at[begins], world.seq[begins]
    name = worlds.KINDS[0].name
    node = np.arange(first, last)
    account = np.repeat(first_nodes, each)
    slots = np.concatenate([worlds.slots(0, 0, has) for has in world.has[low:high].tolist()])

    sheet = Sheet(last - first)
    columns = {
        "node": sheet.counted(first),
        "hash": sheet.octets(piece.hashes, KEY),
        "kind": sheet.one_of(slots, _SLOTS),
        "salt": sheet.octets(piece.salts, len(piece.salts) // sheet.rows),
        "sealed": sheet.pieces(piece.values, piece.value_lengths),
        "first_seen": sheet.whole(np.repeat(at, each)),
    }
    sheet.into(ledger, "node", columns)
    sheet = Sheet(last - first)
    columns = {
        "node": sheet.counted(first),
        "customer": sheet.whole(np.repeat(np.arange(low, high) + 1, each)),
        "shared": "0",
    }
    sheet.into(ledger, "member", columns)
    beside = node > account
    sheet = Sheet(int(beside.sum()))
    columns = {
        "a": sheet.whole(account[beside]),
        "b": sheet.whole(node[beside]),
        "occurred_at": sheet.whole(np.repeat(at, each)[beside]),
        "seq": sheet.whole(np.repeat(seq, each)[beside]),
        "why": sheet.same(name),
    }
    sheet.into(ledger, "edge", columns)
    sheet = Sheet(high - low)
    columns = {
        "node": sheet.whole(first_nodes),
        "seq": sheet.whole(seq),
        "occurred_at": sheet.whole(at),
        "name": sheet.same(name),
        "sealed": sheet.pieces(piece.told, piece.told_lengths),
    }
    sheet.into(ledger, "sealed", columns)
    sheet = Sheet(high - low)
    columns = {
        "customer": sheet.counted(low + 1),
        "body": sheet.pieces(piece.records, piece.record_lengths),
        "last_key": sheet.octets(piece.last_keys, PLACE),
        "country": sheet.one_of(piece.country, piece.countries),
        **{figure: sheet.whole(values) for figure, values in piece.figures.items()},
    }
    sheet.into(ledger, "record", columns)


def write_messages(ledger: sqlite3.Connection, hand: Hand) -> None:
    """Write keys and bodies of all messages, in the order of their keys."""
    high = hand.keys.view([("high", ">u8"), ("low", ">u8")])["high"].astype(np.uint64)
    order = np.argsort(high)
    high = high[order]
    same = np.flatnonzero(high[1:] == high[:-1])
    del high
    # Two keys of one beginning stand in no order yet; they are hardly ever there.
    for place in same.tolist():
        order[place : place + 2] = sorted(
            order[place : place + 2].tolist(), key=lambda i: bytes(hand.keys[i])
        )
    for low in range(0, len(order), MOST):
        which = order[low : low + MOST]
        sheet = Sheet(len(which))
        columns = {
            "key": sheet.octets(hand.keys[which].tobytes(), KEY),
            "body": sheet.octets(hand.bodies[which].tobytes(), BODY),
        }
        sheet.into(ledger, "message", columns)


def write_tokens(ledger: sqlite3.Connection, tokens: list[np.ndarray], finds: list[np.ndarray]) -> None:
    """Write which tokens find which nodes, each pair once; the nodes are ascending. Empties what it is given."""
    token, node = np.concatenate(tokens), np.concatenate(finds)
    tokens.clear()
    finds.clear()
    order = np.argsort(token, kind="stable")
    token, node = token[order], node[order]
    del order
    fresh = np.ones(len(token), bool)
    fresh[1:] = (token[1:] != token[:-1]) | (node[1:] != node[:-1])
    token, node = token[fresh], node[fresh]
    for low in range(0, len(token), MOST):
        some, of = token[low : low + MOST], node[low : low + MOST]
        sheet = Sheet(len(some))
        columns = {"token": sheet.octets(some.astype(">u8").tobytes(), 8), "node": sheet.whole(of)}
        sheet.into(ledger, "token", columns)
