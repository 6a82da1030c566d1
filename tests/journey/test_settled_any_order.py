"""Whatever people decide, and before or after whichever events: the same people, and all of their orders."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events import DAY, order, put
from tests.journey.test_any_order import _with_secret, customers

import shopkeeper
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound
from shopkeeper.domain.event import Event
from shopkeeper.shop import Shop

_PEOPLE = 5
_KINDS = (
    ("user_id", "u"),
    ("email", "e"),
    ("payment_token", "t"),
    ("loyalty_card", "l"),
    ("anonymous_id", "c"),
)
_Decision = tuple[str, str, str]


def _name(kind: str, letter: str, who: int) -> str:
    return f"{letter}{letter}{who}@example.com" if kind == "email" else f"{letter}-{who}"


def world(chance: random.Random, size: int) -> list[Event]:
    """Orders by people who use each other's addresses, cards and devices now and then."""
    found = []
    for i in range(size):
        person = chance.randrange(_PEOPLE)
        ids = {
            kind: _name(kind, letter, person if chance.random() < 0.8 else chance.randrange(_PEOPLE))
            for kind, letter in chance.sample(_KINDS, chance.randint(1, 3))
        }
        found.append(
            order(f"o{i}", -chance.randrange(20) * DAY, ids=ids, price=f"{chance.randrange(1, 90)}.00")
        )
    return found


def decisions(chance: random.Random, count: int) -> list[_Decision]:
    """Pairs of identifiers that somebody joins, parts, or lets go of again."""
    found = []
    for _ in range(count):
        one, other = chance.sample(
            [(kind, _name(kind, letter, n)) for kind, letter in _KINDS for n in range(_PEOPLE)], 2
        )
        what = chance.choice(("same", "different", "different", "undecide"))
        found.append((what, ":".join(one), ":".join(other)))
    return found


def decide(shop: Shop, wanted: Sequence[_Decision]) -> list[_Decision]:
    """Settle what can be settled; returns that."""
    done = []
    for what, one, other in wanted:
        try:
            shop.settle(what, one, other)
        except (Conflict, InvalidInput, NotFound):
            continue
        done.append((what, one, other))
    return done


def lived(
    parts: Sequence[list[Event] | list[_Decision]],
) -> tuple[dict[frozenset[Any], Any], list[_Decision]]:
    """Who there is in the end, and what was settled on the way."""
    done: list[_Decision] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        shopkeeper.create(Path(folder) / "s", now="2026-05-01T12:00:00Z") as shop,
    ):
        _with_secret(shop, bytes(32))
        for part in parts:
            if part and isinstance(part[0], tuple):
                done += decide(shop, part)  # type: ignore[arg-type]
            else:
                put(shop, *part)  # type: ignore[arg-type]
        live = customers(shop)
        shop.rebuild()
        assert customers(shop) == live
    return live, done


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.integers(2, 40), st.integers(1, 8))
def test_decisions_hold_whatever_comes_before_and_after(chance: random.Random, size: int, count: int) -> None:
    events, wanted = world(chance, size), decisions(chance, count)
    half = len(events) // 2
    before, done = lived([events[:half], wanted, events[half:]])
    shuffled = list(events)
    chance.shuffle(shuffled)
    if done:
        after, again = lived([shuffled, done])
        assert again == done
        assert after == before
    assert sum(record.get("orders", 0) for record in before.values() if record) == size, (
        "no order is lost, none is there twice"
    )


@pytest.mark.parametrize("seed", range(4))
def test_in_those_worlds_decisions_do_change_who_is_who(seed: int) -> None:
    chance = random.Random(seed)
    events, wanted = world(chance, 40), decisions(chance, 8)
    with_them, done = lived([events, wanted])
    assert len(done) >= 3
    assert with_them.keys() != lived([events])[0].keys()
