"""Limits of identity where it is easy to get them wrong: late news, times before 1970, and rules that change."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from tests.events import DAY, NOW, event, order, put
from tests.resolve.test_graph import same
from tests.resolve.test_rules import YEAR, changed, families, login, phones

import shopkeeper
from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve import afresh, rules
from shopkeeper.resolve.graph import recompute
from shopkeeper.shop import Shop
from shopkeeper.stores.contract.ledger import LedgerWriter

PHONE = "phone:+447700900123"


def test_it_turns_out_late_that_the_first_holder_was_heard_more_than_once(shop: Shop) -> None:
    put(shop, *phones(("71", -9 * YEAR), ("72", -3 * YEAR)))
    assert not same(shop, PHONE, "user_id:72"), "told once by each: both's"
    put(shop, *phones(("71", -9 * YEAR + 60 * DAY)))
    assert same(shop, PHONE, "user_id:72"), "as it would be had it come in time"


def test_a_number_that_was_seen_before_1970_stops_nothing(shop: Shop) -> None:
    """A clock that was never set says 1970 or earlier: those months are one, and an order of any of them is taken."""
    seen = (("71", -NOW - 9 * YEAR), ("71", -NOW), ("71", -NOW + DAY), ("72", -3 * YEAR), ("72", -1))
    put(shop, *phones(*seen))
    assert not same(shop, PHONE, "user_id:72"), "nobody knows for how long 71 had it"
    put(shop, *phones(("71", -NOW + 90 * DAY)))
    assert same(shop, PHONE, "user_id:72")
    assert shop.customer("user_id:71").traits["orders"] == 4


def test_an_old_companion_of_another_number_is_looked_at_beside_one_that_moved(shop: Shop) -> None:
    put(shop, order("old", -NOW - YEAR, ids={"user_id": "72", "email": "anna@firm.com"}))
    put(shop, *phones(("71", -9 * YEAR), ("71", -9 * YEAR + 60 * DAY), ("72", -3 * YEAR)))
    assert same(shop, PHONE, "user_id:72", "email:anna@firm.com")


def test_when_the_first_holder_is_erased_nothing_of_theirs_becomes_the_new_holders(
    shop: Shop, tmp_path: Path
) -> None:
    put(shop, *phones(("71", -9 * YEAR), ("71", -8 * YEAR), ("72", -3 * YEAR)))
    put(shop, order("e", -8 * YEAR - 50 * DAY, ids={"email": "old@firm.com", "phone": "+447700900123"}))
    assert not same(shop, "email:old@firm.com", "user_id:72", "user_id:71")
    backup = shop.backup()
    shop.erase("user_id:71")
    put(shop, *phones(("72", -DAY)), event("Identified", "i", ids={"user_id": "72", "email": "new@firm.com"}))
    assert same(shop, PHONE, "user_id:72", "email:new@firm.com")
    assert not same(shop, "email:old@firm.com", "user_id:72")
    assert shop.customer("user_id:72").traits["orders"] == 2
    with shopkeeper.restore(backup, tmp_path / "again") as copy:
        put(copy, *phones(("72", -DAY)))
        assert same(copy, PHONE, "user_id:72")
        assert not same(copy, "email:old@firm.com", "user_id:72")


def test_limits_higher_than_the_far_bound_are_looked_at_again_as_well(tmp_path: Path) -> None:
    with (
        mock.patch.object(rules, "FAR", 6),
        mock.patch.object(afresh, "_LOOKED_AT", 12),
        shopkeeper.create(
            tmp_path / "s", now="2026-05-01T12:00:00Z", identity_most={"loyalty_card": 3}
        ) as shop,
    ):
        ids = [{"loyalty_card": "LC1", "payment_token": f"T{n}"} for n in range(8)]
        put(shop, *[order(f"new{n}", -n * 20 * DAY, ids=one) for n, one in enumerate(ids)])
        assert not same(shop, "loyalty_card:LC1", "payment_token:T0")
        put(shop, *[order(f"old{n}", -n * 250 * DAY, ids=one) for n, one in enumerate(ids)])
        assert same(shop, "loyalty_card:LC1", *(f"payment_token:T{n}" for n in range(8)))


def test_orders_on_a_shared_number_are_no_reason_to_look_at_it_again(shop: Shop) -> None:
    put(shop, *phones(("71", -3 * YEAR), ("72", -3 * YEAR)))
    with mock.patch("shopkeeper.resolve.graph.recompute", side_effect=recompute) as looked:
        put(shop, *[order(f"o{n}", -n, ids={"phone": "+447700900123", "order": f"w:{n}"}) for n in range(9)])
        assert looked.call_args_list
        assert all(call.kwargs["afresh"] == set() for call in looked.call_args_list)
    assert not same(shop, PHONE, "user_id:71")


def two_of_four(shop: Shop) -> list[str]:
    """Two people with an address and three accounts elsewhere each, and an event that says that they are one."""
    for one in "ab":
        put(
            shop,
            *[
                order(f"{one}{n}", ids={"email": f"{one}1@firm.com", "social": f"n{n}:{one}"})
                for n in range(3)
            ],
        )
    put(shop, event("Identified", "i", ids={"email": "a1@firm.com", "social": "n0:b"}))
    return [f"{one}1@firm.com" for one in "ab"] + [f"social:n{n}:{one}" for n in range(3) for one in "ab"]


def test_customers_whom_only_their_size_kept_apart_are_one_when_more_is_allowed(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00Z", identity_size=5) as shop:
        everybody = two_of_four(shop)
        assert not same(shop, *everybody)
    changed(folder, identity_size=8)
    with shopkeeper.open(folder) as shop:
        rehearsed = shop.identity_rules()
        assert not same(shop, *everybody)
        made = shop.identity_rules(apply=True)
        assert (rehearsed.merged, rehearsed.split) == (made.merged, made.split)
        assert made.merged > 0
        assert same(shop, *everybody)
    changed(folder, identity_size=5)
    with shopkeeper.open(folder) as shop:
        assert shop.identity_rules(apply=True).split > 0
        assert not same(shop, *everybody)


def test_who_becomes_shared_while_a_change_is_prepared_is_in_question_too(tmp_path: Path) -> None:
    """Another worker takes an event in between looking and changing."""
    folder = tmp_path / "s"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00Z", identity_most={"phone": 2}) as shop:
        put(shop, *[order(f"o{n}", -20 * n * DAY, ids={"phone": "+447700900123", "email": f"p{n}@firm.com"})
                    for n in range(2)])  # fmt: skip
    changed(folder, identity_most="{ phone = 6 }")
    with shopkeeper.open(folder) as shop, shopkeeper.open(folder) as other:
        write, others = shop.places.ledger.write, []

        def later(work: object) -> object:
            if not others and getattr(work, "__qualname__", "").startswith("done_or_rehearsed"):
                others.append(put(other, order("o2", ids={"phone": "+447700900123", "email": "p2@firm.com"})))
            return write(work)  # type: ignore[arg-type]

        with mock.patch.object(shop.places.ledger, "write", later):
            shop.identity_rules(apply=True)
        assert others
        assert same(shop, *(f"email:p{n}@firm.com" for n in range(3)))


def test_a_server_that_runs_reads_the_limits_as_they_are_told_now(tmp_path: Path) -> None:
    """``identity rules`` is handed over to it, and it began with the file of weeks ago."""
    with shopkeeper.create(tmp_path / "s", now="2026-05-01T12:00:00Z") as shop:
        changed(tmp_path / "s", identity_most="{ phone = 3 }", identity_junk_names=3)
        assert shop.identity_rules().wanted["most.phone"] == 3
        put(shop, *families(3))
        assert len(shop.junk_identifiers().rows) == 1


def test_a_shop_from_before_limits_had_a_time_is_rehearsed_and_decided_anew(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00Z") as shop:

        def lifetime(_: object, kind: str, __: str, times: list[int]) -> bool:
            return len(times) > IDENTIFIER_KINDS[kind].most

        with mock.patch.object(rules.Rules, "crowd", lifetime):
            put(
                shop,
                *[login(n, -7 * n * DAY, email="anna@firm.com", anonymous_id=f"K{n}") for n in range(12)],
            )
        assert not same(shop, "email:anna@firm.com", "anonymous_id:K0")
        sql = "DELETE FROM setting WHERE name = 'identity_rules'"
        shop.places.ledger.write(lambda tx: tx.session.run(sql))  # type: ignore[attr-defined]
    with shopkeeper.open(folder) as shop:
        rehearsed = shop.identity_rules()
        assert (rehearsed.applied, rehearsed.freed, rehearsed.merged) == (False, 1, 12)
        assert not same(shop, "email:anna@firm.com", "anonymous_id:K0")
        assert shop.identity_rules(apply=True).applied
        assert same(shop, "email:anna@firm.com", *(f"anonymous_id:K{n}" for n in range(12)))
        assert shop.identity_rules(apply=True).applied is False


@pytest.mark.parametrize(
    "rule", [{"identity_size": 4}, {"identity_silence_days": 900}, {"identity_most": {"phone": 1}}]
)
def test_a_change_that_was_applied_leaves_nothing_to_decide(tmp_path: Path, rule: dict[str, object]) -> None:
    folder = tmp_path / "s"
    with shopkeeper.create(folder, now="2026-05-01T12:00:00Z") as shop:
        two_of_four(shop)
        put(shop, *phones(("71", -9 * YEAR), ("71", -8 * YEAR), ("72", -6 * YEAR)))
        put(shop, *[order(f"o{n}", -20 * n * DAY, ids={"phone": "+447700900999", "email": f"p{n}@firm.com"})
                    for n in range(3)])  # fmt: skip
    name, value = next(iter(rule.items()))
    changed(folder, **{name: "{ phone = 1 }" if isinstance(value, dict) else value})

    def whole(tx: LedgerWriter) -> int:
        everybody = [node for chunk in tx.all_members() for node, *_ in chunk]
        return len(recompute(tx, everybody, afresh=everybody).turned)

    with shopkeeper.open(folder) as shop:
        made = shop.identity_rules(apply=True)
        assert made.merged + made.split > 0
        assert shop.places.ledger.write(whole) == 0


@pytest.mark.parametrize(
    ("value", "error"),
    [({"identity_most": {"email": "3"}}, InvalidInput), ({"identity_most": {"email": 2.5}}, InvalidInput),
     ({"identity_most": {"email": True}}, InvalidInput), ({"identity_most": [3]}, InvalidInput),
     ({"identity_most": {"email": -1}}, InvalidInput), ({"identity_most_a_day": "3"}, InvalidInput),
     ({"identity_most": {"order": 5}}, UnknownName), ({"identity_size": "many"}, InvalidInput)],
)  # fmt: skip
def test_limits_of_an_odd_kind_are_refused(
    tmp_path: Path, value: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        shopkeeper.create(tmp_path / "s", **value)
    assert not (tmp_path / "s" / "shop.toml").exists()
