"""Who brought whom, whatever order it is told in."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.predict.advocacy import REASONS, brought

CLAIM = st.tuples(
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(0, 12),
    st.sampled_from(["", "", "", "household", "payment card"]),
    st.one_of(st.none(), st.integers(0, 12)),
)


def settled(claims: list[Any]) -> Any:
    return brought(
        by=[c[0] for c in claims],
        who=[c[1] for c in claims],
        at=[c[2] for c in claims],
        key=[f"{c[0]}-{c[1]}-{c[3]}-{c[4]}" for c in claims],
        beside=[c[3] for c in claims],
        first=[float("nan") if c[4] is None else c[4] for c in claims],
    )


@settings(deadline=None, max_examples=150)
@given(claims=st.lists(CLAIM, max_size=20), data=st.data())
def test_the_same_in_any_order_once_each_and_never_in_a_circle(claims: list[Any], data: Any) -> None:
    found = settled(claims)
    again = settled(data.draw(st.permutations(claims)))
    pairs = list(zip(found.by.tolist(), found.who.tolist(), strict=True))
    assert pairs == list(zip(again.by.tolist(), again.who.tolist(), strict=True))
    assert found.refused == again.refused
    assert set(found.refused) <= set(REASONS)
    parent = {who: by for by, who in pairs}
    assert len(parent) == len(pairs), "each was brought once"
    for who in parent:
        at, steps = who, 0
        while at in parent:
            at, steps = parent[at], steps + 1
            assert steps <= len(parent)
    reach = found.reach()
    for one in set(parent.values()):
        below = sum(one in chain(parent, who) for who in parent)
        assert reach[one] == below
    for by, who in pairs:
        assert any(c[:2] == (by, who) and c[3] == "" and (c[4] is None or c[4] >= c[2]) for c in claims)


def chain(parent: dict[int, int], who: int) -> set[int]:
    above = set()
    while who in parent:
        who = parent[who]
        above.add(who)
    return above


def test_the_first_referral_that_stands_wins() -> None:
    found = brought(
        by=[1, 2, 3, 4, 9], who=[9, 9, 9, 9, 3], at=[4, 3, 2, 1, 5],
        beside=["", "", "household", "payment card", ""],
    )  # fmt: skip
    assert list(zip(found.by.tolist(), found.who.tolist(), strict=True)) == [(2, 9), (9, 3)]
    assert found.refused == {"brought already": 1, "household": 1, "payment card": 1}
    assert found.claim.tolist() == [1, 4]
    assert found.reach() == {2: 2, 9: 1}


def test_a_long_chain_is_walked_once() -> None:
    n = 50_000
    found = brought(by=range(n), who=range(1, n + 1), at=range(n))
    assert found.who.size == n
    assert found.reach()[0] == n
    assert brought(by=[n, *range(n)], who=[0, *range(1, n + 1)], at=[n, *range(n)]).refused == {"circle": 1}
