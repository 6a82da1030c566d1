"""Years of cookies, cards and telephone numbers that come to others: the same people, in whichever order it is told."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events import DAY, event, order, put
from tests.journey.test_any_order import _with_secret, customers

import shopkeeper
from shopkeeper.domain.event import Event

_PEOPLE = 5
_YEARS = 6


def world(chance: random.Random, size: int) -> list[Event]:
    """Orders and calls over six years. People keep an account or an e-mail address, get a new cookie every few days, a
    new payment card now and then, and give up their number, which somebody else gets some years later.
    """
    found = []
    number_of = {
        person: [f"+4477009001{(person + move) % 4:02}" for move in range(3)] for person in range(_PEOPLE)
    }
    for i in range(size):
        person, at = chance.randrange(_PEOPLE), -chance.randrange(_YEARS * 365) * DAY
        years = -at // (365 * DAY)
        ids = {
            "user_id": f"u-{person}",
            "email": f"mm{person}@example.com",
            "phone": number_of[person][years // 2],
            "payment_token": f"t-{person}-{years // 3}-{chance.randrange(4)}",
            "loyalty_card": f"l-{person}" if chance.random() < 0.8 else "l-staff",
            "anonymous_id": f"c-{person}-{-at // (9 * DAY)}" if chance.random() < 0.7 else "c-desk",
        }
        kinds = chance.sample(sorted(ids), chance.randint(1, 3))
        if chance.random() < 0.4:
            kinds = ["user_id", "phone"]
        told = {kind: ids[kind] for kind in ids if kind in kinds}
        if chance.random() < 0.2:
            found.append(event("Contact Opened", f"c{i}", at, ids=told, reason="other"))
        else:
            found.append(order(f"o{i}", at, ids=told))
    return found


def lived(parts: list[list[Event]]) -> tuple[dict[frozenset[Any], Any], int, int]:
    """Who there is in the end, how many numbers moved, and how many identifiers are shared."""
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", now="2026-05-01T12:00:00Z") as shop,
    ):
        _with_secret(shop, bytes(32))
        for part in parts:
            put(shop, *part)
        live = customers(shop)
        with shop.places.ledger.read() as reader:
            nodes = [node for chunk in reader.all_members() for node, *_ in chunk]
            moved = sorted(reader.moved(nodes).values())
            shared = sum(shared for chunk in reader.all_members() for *_, shared in chunk)
        shop.rebuild()
        assert customers(shop) == live
    return live, len(moved), shared


def cut(chance: random.Random, events: list[Event]) -> list[list[Event]]:
    """The same events in some other order, in a few pieces."""
    mixed = list(events)
    chance.shuffle(mixed)
    ends = sorted(chance.randrange(len(mixed) + 1) for _ in range(chance.randrange(6)))
    return [mixed[a:b] for a, b in zip([0, *ends], [*ends, len(mixed)], strict=True)]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.integers(2, 90))
def test_time_changes_nothing_about_the_order_in_which_it_is_told(chance: random.Random, size: int) -> None:
    events = world(chance, size)
    in_time = sorted(events, key=lambda one: (one.occurred_at, one.message_id))
    first = lived([in_time])
    assert lived(cut(chance, events)) == first
    assert lived([[one] for one in reversed(in_time)]) == first


def test_in_those_worlds_numbers_do_move_and_identifiers_are_shared() -> None:
    found = [lived([world(random.Random(seed), 60)]) for seed in range(8)]
    assert sum(moved for _, moved, _ in found) >= 3
    assert sum(shared for *_, shared in found) >= 8
