"""Who brought whom and what comes of it: told by number, address and code, guarded, masked, forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.domain.actor import Actor
from shopkeeper.domain.errors import Conflict, NotPermitted, UnknownName
from shopkeeper.shop import Shop
from shopkeeper.shop.advocating import kept
from shopkeeper.shop.predicting import runs

FIRST = 900_100_200
"""Customers' numbers begin beyond it: such a number is found wherever it lies, and is nothing else."""


def who(name: str, **more: str) -> dict[str, str]:
    return {"user_id": name, "email": f"{name}@example.com"} | more


def bought(name: str, days: int, price: str = "10.00", number: str = "", **more: Any) -> Any:
    return order(f"{name}{days}{number}", -days * DAY, price=price, ids=more.pop("ids", who(name)), **more)


def referred(by: str, days: int, message: str, **told: str) -> Any:
    return event("Customer Referred", message, -days * DAY, ids=who(by), **told)


def told(name: str, **traits: str) -> Any:
    return event("Identified", f"told:{name}", -200 * DAY, ids=who(name), **traits)


def refused(shop: Shop) -> dict[str, int]:
    with shop.places.ledger.read() as reader:
        found = kept(reader)
    assert found is not None
    return found.refused


HOME = {"street": "1 High Street", "postcode": "LS1 1AA", "last_name": "Berg"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna bought once for little and brought three, one of whom brought a fourth; some claims do not count."""
    where = tmp_path_factory.mktemp("friends") / "shop"
    with shopkeeper.create(where, now="2026-05-01T12:00:00+00:00") as shop:
        shop.places.ledger.write(lambda tx: tx.keep("last_customer", str(FIRST)))
        tell(shop)
        shop.refresh()
    return where


@pytest.fixture
def friends(folder: Path, tmp_path: Path) -> Iterator[Shop]:
    """A copy of that shop for each test."""
    with shopkeeper.open(shutil.copytree(folder, tmp_path / "shop")) as shop:
        yield shop


def tell(shop: Shop) -> None:
    """What happened."""
    token = {"payment_token": "pt-1"}
    put(
        shop,
        bought("anna", 150, "2.00"),
        told("anna", first_name="Anna", **HOME),
        told("hans", first_name="Hans", **HOME),
        referred("anna", 100, "r1", referred_user_id="ben", referral_code="ANNA-1"),
        bought("ben", 99, "400.00"),
        bought("ben", 50, "300.00"),
        referred("anna", 90, "r2", referred_email="Carla@Example.com"),
        bought("carla", 89, "50.00"),
        bought("dora", 80, "60.00", coupon="ANNA-1"),
        referred("carla", 70, "r3", referred_user_id="emil"),
        bought("emil", 69, "20.00"),
        referred("ben", 69, "r4", referred_user_id="emil"),  # Carla brought him first
        referred("emil", 30, "r5", referred_user_id="carla"),  # a customer before
        referred("anna", 60, "r6", referred_user_id="hans"),  # of her household
        bought("hans", 59),
        referred("anna", 20, "r7", referred_user_id="nobody"),
        referred("anna", 19, "r8", referred_user_id="anna"),
        bought("fritz", 160, ids=who("fritz", **token)),
        referred("fritz", 55, "r9", referred_user_id="gerd"),
        bought("gerd", 54, ids=who("gerd", **token)),
    )


def test_who_brought_whom_and_what_they_are_worth(friends: Shop) -> None:
    anna = friends.advocate("user_id:anna")
    ids = {name: friends.customer(f"user_id:{name}").id for name in ("ben", "carla", "dora", "emil")}
    assert {one.id for one in anna.friends} == {ids["ben"], ids["carla"], ids["dora"]}
    assert (anna.brought_customers, anna.reach) == (3, 4)
    worth = sum(one.margin + (one.expected or 0) for one in anna.friends)
    assert anna.brought_value == pytest.approx(worth, abs=0.05)
    assert anna.brought_value > 10 * anna.own > 0, "she is worth more than she spends"
    assert anna.brought_low is not None
    assert anna.brought_high is not None
    earned = sum(one.margin for one in anna.friends)
    assert earned <= anna.brought_low < anna.brought_value < anna.brought_high, "what was earned is earned"
    carla = next(one for one in anna.friends if one.id == ids["carla"])
    assert (carla.brought, [one.id for one in carla.friends]) == (1, [ids["emil"]])
    above = friends.advocate("user_id:emil").brought_by
    assert above is not None
    assert above.id == ids["carla"]
    assert sum(part.points for part in anna.parts) == pytest.approx(anna.score)
    told = friends.customer("user_id:anna").traits
    assert (told["advocacy_score"], told["brought_customers"]) == (anna.score, 3)
    assert refused(friends) == {
        "brought already": 1, "customer before": 1, "household": 1, "payment card": 1, "self": 1, "unknown": 1,
    }  # fmt: skip
    assert friends.size("brought_value > 100 and brought_reach = 4").customers == 1
    found = friends.advocates()
    assert (found.rows[0].id, found.bringers, found.brought) == (anna.id, 2, 4)
    assert found.value_low is not None
    assert found.value_high is not None
    assert found.value_low < found.value < found.value_high
    one_by_one = sum(
        row.brought_high - row.brought_value for row in found.rows if row.brought_high is not None
    )
    assert found.value_high - found.value < one_by_one, "customers do not all do better at once"
    (only,) = (row for row in found.rows if row.brought_customers == 1)
    (emil,) = only.friends
    told = friends.customer(emil.id).traits
    low, high = told["clv_low"], told["clv_high"]
    assert only.brought_low == pytest.approx(emil.margin + low, abs=0.25 * (high - low))
    assert only.brought_high == pytest.approx(emil.margin + high, abs=0.5 * (high - low))
    assert found.brings.verdict == "not enough"
    assert {fit.verdict for fit in found.fits} <= {"not enough"}
    assert friends.advocates(sort="score", most=1).rows[0].id == anna.id
    with pytest.raises(UnknownName, match="sort order"):
        friends.advocates(sort="charm")
    some = friends.regulars()
    assert "not enough to compare" in some.notes[0]
    assert some.expected_low <= some.expected <= some.expected_high


def test_the_same_in_whatever_order_it_is_heard(friends: Shop) -> None:
    """A claim that is heard late and happened first is the one that counts."""
    put(friends, referred("dora", 71, "r0", referred_user_id="emil"))
    friends.refresh()
    assert friends.advocate("user_id:carla").brought_customers == 0
    assert friends.advocate("user_id:dora").brought_customers == 1
    friends.settle("same", "user_id:anna", "user_id:ben")  # she brought herself, then
    friends.refresh()
    assert friends.advocate("user_id:anna").brought_customers == 2
    assert refused(friends)["self"] == 2


def test_who_objects_has_no_score_and_is_in_nobody_elses(friends: Shop) -> None:
    objecting = event("Consent Withdrawn", "no", ids=who("ben"), purpose="profiling")
    put(friends, objecting)
    ben = friends.customer("user_id:ben").id
    assert friends.customer(ben).traits["advocacy_score"] is None
    assert ben not in {one.id for one in friends.advocate("user_id:anna").friends}, "at once"
    assert friends.advocate(ben).score == 0
    friends.refresh()
    assert friends.advocate("user_id:anna").brought_customers == 2
    assert refused(friends)["objects"] >= 1


def test_an_erased_person_is_in_no_tree_and_in_nothing_that_others_told(friends: Shop) -> None:
    for name in ("ben", "carla"):
        friends.erase(f"user_id:{name}")
    anna = friends.advocate("user_id:anna")
    (dora,) = anna.friends
    assert (anna.brought_customers, anna.reach) == (1, 1), "at once"
    assert anna.brought_value == pytest.approx(dora.margin + (dora.expected or 0), abs=0.01)
    assert anna.brought_low is not None
    assert dora.margin <= anna.brought_low <= anna.brought_value, "what was expected of them is in no range"
    assert anna.score == pytest.approx(sum(part.points for part in anna.parts))
    score = anna.score
    referrals = [
        one for one in friends.export("user_id:anna")["events"] if one["event"] == "Customer Referred"
    ]
    assert sorted(one["properties"].get("referred_user_id", "") for one in referrals) == [
        "", "", "anna", "hans", "nobody",
    ]  # fmt: skip
    assert not any("referred_email" in one["properties"] for one in referrals)
    friends.refresh()
    after = friends.advocate("user_id:anna")
    assert (after.brought_customers, after.reach, after.score) == (1, 1, score)
    assert friends.advocate("user_id:emil").brought_by is None
    friends.erase("user_id:dora")
    anna = friends.advocate("user_id:anna")
    assert (anna.brought_customers, anna.brought_value, anna.reach) == (0, 0.0, 0), (
        "an only friend leaves nothing"
    )
    assert [part.points for part in anna.parts if part.name == "brought"] == [0.0]


def lying(folder: Path, number: int) -> list[str]:
    """Where a customer's number lies: as text, as an octet string, in a column."""
    wanted, found = (str(number).encode(), number.to_bytes(4, "big")), []
    for file in filter(Path.is_file, folder.rglob("*")):
        if file.suffix == ".parquet":
            table = pq.read_table(file)
            if any(number in column.to_pylist() for column in table.columns):
                found.append(f"{file.name} as a column")
        elif file.suffix == ".zip" or file.name.startswith("gate."):  # the audit log says who was erased
            continue
        elif any(one in file.read_bytes() for one in wanted):
            found.append(file.name)
    return found


def test_an_erased_persons_number_is_nowhere_any_more_nor_in_a_backup(friends: Shop, tmp_path: Path) -> None:
    numbers = {name: int(friends.customer(f"user_id:{name}").id[1:]) for name in ("ben", "carla", "dora")}
    folder = friends.places.folder
    friends.places.ledger.write(lambda tx: tx.predict([*tx.predictions([*numbers.values()]).values()], run=1))
    saved = friends.backup()
    friends.refresh()
    assert all("ledger.db" in lying(folder, number) for number in numbers.values())
    exported = friends.export("user_id:anna")["predictions"]
    assert exported["brought_customers"] == 3
    assert exported["advocacy_score"] == sum(exported["advocacy_parts"].values())
    assert {name for name in exported if name.startswith("brought")} == {"brought_customers"}
    killed = folder / "models" / str(runs.runs(friends.places)[-1] + 1)
    killed.mkdir()
    aside = killed / f".{runs.PREDICTIONS}"
    pq.write_table(runs.table(friends.places, runs.runs(friends.places)[-1]), aside)
    friends.erase("user_id:carla")
    assert not aside.exists()
    friends.erase("user_id:ben")
    with shopkeeper.restore(saved, tmp_path / "again") as copy:
        kept = copy.places.folder
    friends.close()  # the note of what is to be done goes with the ledger's log
    for name, number in numbers.items():
        assert (lying(folder, number) == []) is (name != "dora"), name
        assert (lying(kept, number) == []) is (name != "dora"), name


def test_names_are_for_who_may_see_them_and_the_verbs_for_who_may_ask(friends: Shop) -> None:
    analyst = friends.as_actor(Actor("u1", "analyst"))
    assert "Anna" not in {row.name for row in analyst.advocates().rows}
    associate = friends.as_actor(Actor("u2", "associate"))
    for verb in (associate.advocates, associate.regulars):
        with pytest.raises(NotPermitted):
            verb()


def test_an_advocate_who_never_bought_has_a_score_and_no_forecast(friends: Shop) -> None:
    put(
        friends,
        event("Social Account Linked", "l", -9 * DAY, ids=who("ida"), network="pinster"),
        *(
            event("Social Post Shared", f"s{n}", -8 * DAY, ids=who("ida"), network="pinster")
            for n in range(5)
        ),
    )
    before = friends.find(sort="value").total
    friends.refresh()
    ida = friends.customer("user_id:ida")
    assert (ida.traits["advocacy_score"], ida.traits["clv_12m"], ida.traits["state"]) == (15.0, None, None)
    assert friends.find(sort="value").total == before
    report = friends.value()
    assert {report.drift[0].customers, report.drift[0].customers_before} == {report.total.customers}
    assert friends.size("advocacy_score = 15 and clv_12m is null").customers == 1
    row = friends.find("ida@example.com").rows[0]
    assert (row.clv_12m, row.p_alive) == (None, None)
    put(friends, event("Consent Given", "yes", -DAY, ids=who("ida"), purpose="marketing_email"))
    assert friends.customer("user_id:ida").traits["advocacy_score"] == 15.0, (
        "a consent is no reason to lose it"
    )
    put(friends, event("Consent Withdrawn", "no", 0, ids=who("ida"), purpose="profiling"))
    assert friends.customer("user_id:ida").traits["advocacy_score"] is None


def test_before_a_refresh_there_is_nothing_to_tell(shop: Shop) -> None:
    for verb in (shop.advocates, shop.regulars):
        with pytest.raises(Conflict):
            verb()
    shop.refresh()
    assert shop.advocates().rows == ()
    assert shop.regulars().regulars == 0


def test_the_catalogue_says_what_the_core_range_is(friends: Shop, tmp_path: Path) -> None:
    assert "all 8 buyers" in friends.advocates().core.sentence
    put(friends, bought("kim", 12, "30.00"), bought("kim", 11, "90.00", product="p2"))
    table = tmp_path / "products.csv"
    table.write_text("product_id,name,list_price,core\np1,Lamp,10.00,no\np2,Mug,100.00,yes\n", "utf-8")
    friends.collect(table, kind="products")
    friends.refresh()
    assert (friends.advocates().core.products, friends.advocates().core.basis) == (("p2",), "catalogue")
    kim = friends.customer("user_id:kim").traits
    assert (kim["core_share"], kim["full_price_share"]) == (0.75, 0.25)
    assert friends.customer("user_id:anna").traits["core_share"] == 0.0


def test_what_is_left_after_an_erasure_counts_who_was_merged_meanwhile_by_todays_number(
    friends: Shop,
) -> None:
    before = friends.customer("user_id:dora").id
    friends.settle("same", "user_id:dora", "user_id:hans")
    assert friends.customer("user_id:dora").id != before, "she goes by another number now"
    friends.erase("user_id:ben")
    anna = friends.advocate("user_id:anna")
    dora = friends.customer("user_id:dora")
    assert dora.id in {one.id for one in anna.friends}
    worth = sum(one.margin + (one.expected or 0) for one in anna.friends)
    assert (anna.brought_customers, anna.brought_value) == (2, pytest.approx(worth, abs=0.01))
