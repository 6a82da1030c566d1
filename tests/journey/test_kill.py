"""SIGKILL in the middle of load: what was answered 200 is there exactly once, and everybody's record is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shopkeeper

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_KILLS, _REQUESTS = 3, 150


@pytest.fixture(scope="module")
def killing() -> Iterator[Any]:
    """``benchmarks/kill.py``, which does this fifty times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(_BENCHMARKS))
        import kill

        yield kill


def _sqlite(request: pytest.FixtureRequest, folder: Path) -> None:
    shopkeeper.create(folder).close()


def _postgres(request: pytest.FixtureRequest, folder: Path) -> None:
    shopkeeper.create(folder, ledger=request.getfixturevalue("postgres")).close()


_ENGINES = {"sqlite": _sqlite, "postgres": _postgres}


@pytest.mark.parametrize("engine", _ENGINES)
def test_server_worker_and_both_are_killed_and_nothing_is_lost_or_there_twice(
    request: pytest.FixtureRequest, tmp_path: Path, killing: Any, engine: str
) -> None:
    where = tmp_path / "shop"
    _ENGINES[engine](request, where)
    story = killing.tell(where, kills=_KILLS, seed=7, requests=_REQUESTS, say=lambda _: None)
    assert story.kills == {"server": 1, "worker": 1, "both": 1}
    assert story.answered >= _REQUESTS * killing.BATCH, "the load got through"
    assert story.found == killing.Found(events=story.found.events, customers=story.found.customers)
    assert story.found.events >= story.answered
    assert story.found.customers > 50


def test_the_look_does_find_what_is_lost_strange_or_wrong(tmp_path: Path, killing: Any) -> None:
    """A check that cannot fail would prove nothing."""
    from tests.events import order, put

    with shopkeeper.create(tmp_path / "shop", now="2026-05-01T12:00:00+00:00") as shop:
        put(shop, order("1", ids={"user_id": "a"}), order("2", ids={"user_id": "b"}))
        one, two, three = (killing.key_of(f"order:{n}") for n in (1, 2, 3))
        assert killing.look(shop, {one, two}, {one, two}) == killing.Found(events=2, customers=2)
        wrong = killing.look(shop, {one, three}, {one, three})
        assert (wrong.lost, wrong.strange) == (1, 1)

        def spoil(tx: Any) -> None:
            record = next(tx.all_records())[0]
            tx.remember([record._replace(orders=9)])

        shop.places.ledger.write(spoil)
        assert killing.look(shop, set(), {one, two}).differ == 1
