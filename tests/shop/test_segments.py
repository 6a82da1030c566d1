"""Segments as people work with them: defined, used, followed, paused, put away; by events, time, merges and erasure."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from tests.deliveries import until
from tests.events import DAY, event, order, put

from shopkeeper.domain.actor import Actor
from shopkeeper.domain.clock import FixedClock
from shopkeeper.domain.errors import BadCondition, Conflict, InvalidInput, NotPermitted, UnknownName
from shopkeeper.domain.segment import AUDIENCE
from shopkeeper.shop import Shop
from shopkeeper.shop.watching import Tending, keep_up
from shopkeeper.shop.working import Worker

HOUR = DAY // 24


def inside(shop: Shop, name: str) -> list[str]:
    return [row.customer for row in shop.members(name, limit=500).rows]


def told(shop: Shop, name: str | None = None) -> list[tuple[str, str, str, str]]:
    return [
        (one.event.removeprefix("Audience "), one.customer, one.segment, one.cause)
        for one in shop.audience(name, limit=500).rows
    ]


def later(shop: Shop, **spans: float) -> None:
    clock = shop.clock
    assert isinstance(clock, FixedClock)
    clock.at += timedelta(**spans)
    keep_up(shop.places)


@pytest.fixture
def people(shop: Shop) -> Shop:
    """Anna ordered three times, Ben once, Cleo only looked."""
    put(
        shop,
        *(order(f"a{n}", -(30 - n) * DAY, ids={"user_id": "anna"}) for n in range(3)),
        order("b", -90 * DAY, ids={"user_id": "ben"}),
        event("Product Viewed", "v", -DAY, ids={"user_id": "cleo"}, product_id="p1", category="Lighting"),
    )
    return shop


def of(shop: Shop, who: str) -> str:
    return shop.customer(f"user_id:{who}").id


def test_a_segment_begins_with_those_for_whom_it_is_true(people: Shop) -> None:
    made = people.save_segment("buyers", "orders>=1", title="Buyers", sentence="Who ever bought.")
    assert (made.condition, made.state, made.version, made.live, made.size) == (
        "orders >= 1",
        "live",
        1,
        1,
        2,
    )
    assert inside(people, "buyers") == sorted([of(people, "anna"), of(people, "ben")])
    assert {cause for *_, cause in told(people)} == {"backfill"}
    assert [one.name for one in people.customer("user_id:anna").segments] == ["buyers"]
    assert people.customer("user_id:cleo").segments == ()


def test_who_does_something_enters_and_leaves_in_order(people: Shop) -> None:
    people.save_segment(
        "looked", "events('Product Viewed', category => 'Lighting', days => 2) and orders = 0"
    )
    cleo = of(people, "cleo")
    assert inside(people, "looked") == [cleo]
    put(people, order("c", 0, ids={"user_id": "cleo"}))
    assert inside(people, "looked") == []
    put(
        people, event("Product Viewed", "w", 0, ids={"user_id": "dora"}, product_id="p1", category="Lighting")
    )
    dora = of(people, "dora")
    assert told(people) == [
        ("Entered", cleo, "looked", "backfill"),
        ("Exited", cleo, "looked", "event"),
        ("Entered", dora, "looked", "event"),
    ]
    later(people, days=1, hours=23)
    assert inside(people, "looked") == [dora]
    later(people, hours=2)
    assert told(people)[3:] == [("Exited", dora, "looked", "time")]
    history = people.segment("looked")
    assert [(day.entered, day.exited, day.size) for day in history.days] == [(2, 1, 1), (0, 1, 0)]


def test_time_alone_brings_people_in_and_out_without_anybody_asking(people: Shop) -> None:
    people.save_segment("lapsing", "days_since_order >= 91")
    people.save_segment("lapsed", "segment('lapsing') and days_since_order >= 93")
    assert inside(people, "lapsing") == []
    later(people, days=1)
    ben = of(people, "ben")
    assert inside(people, "lapsing") == [ben]
    later(people, days=2)
    assert told(people, "lapsed") == [("Entered", ben, "lapsed", "time")]
    put(people, order("b2", 0, ids={"user_id": "ben"}))
    assert told(people)[-2:] == [("Exited", ben, "lapsing", "event"), ("Exited", ben, "lapsed", "event")]


def test_what_the_clock_alone_changes_for_everybody(people: Shop) -> None:
    people.save_segment("spring", "orders >= 1 and today() < date '2026-05-03'")
    assert len(inside(people, "spring")) == 2
    later(people, days=1)
    assert len(inside(people, "spring")) == 2
    later(people, days=1)
    assert inside(people, "spring") == []
    assert {cause for *_, cause in told(people)[2:]} == {"time"}


def test_a_changed_condition_takes_the_place_of_the_old_one(people: Shop) -> None:
    people.save_segment("some", "orders >= 1")
    made = people.save_segment("some", "orders = 0 or orders >= 3")
    assert (made.version, made.live) == (2, 2)
    assert inside(people, "some") == sorted([of(people, "anna"), of(people, "cleo")])
    assert told(people)[2:] == [
        ("Exited", of(people, "ben"), "some", "backfill"),
        ("Entered", of(people, "cleo"), "some", "backfill"),
    ]
    again = people.save_segment("some", "orders = 0 or orders >= 3")
    assert again.version == 2, "the same again is no new version"
    renamed = people.save_segment("some", "orders = 0 or orders >= 3", title="Some of them")
    assert (renamed.version, renamed.live, len(told(people))) == (3, 3, 4)
    assert [one.version for one in people.segment("some").versions] == [1, 2, 3]


def test_while_it_is_brought_to_everybody_both_versions_hold(people: Shop) -> None:
    people.save_segment("some", "orders >= 1")
    people.save_segment("other", "returns = 0")
    tending = Tending(people.places)
    tending._most = 1
    people.save_segment("aside", "orders = 1", activate=False)
    people.places.ledger.write(lambda tx: _changed(people, tx))
    assert tending.tend()
    shown = people.segment("some").segment
    assert (shown.state, shown.version, shown.live) == ("backfilling", 2, 1)
    assert 0 < shown.progress < 1
    put_quietly(people, order("c", 0, ids={"user_id": "cleo"}))
    put_quietly(people, order("a9", 0, ids={"user_id": "anna"}))
    while tending.tend():
        pass
    assert inside(people, "some") == sorted([of(people, "ben"), of(people, "cleo")])
    assert people.recount().found == 0


def _changed(shop: Shop, tx: object) -> None:
    from shopkeeper.know.live import definitions
    from shopkeeper.shop.watching import TRAITS

    definitions.save(tx, TRAITS, "some", "orders = 1", None, None, now=shop.places.now(), actor="u")  # type: ignore[arg-type]


def put_quietly(shop: Shop, *events: object) -> None:
    """Append events without letting sweeps go on."""
    from shopkeeper.collect.intake import Outcome
    from shopkeeper.shop.living import advance

    shop.places.ledger.write(lambda tx: shop.places.intake.append(tx, events, Outcome()))  # type: ignore[arg-type]
    advance(shop.places)


def test_a_paused_one_stands_still_and_catches_up(people: Shop) -> None:
    people.save_segment("buyers", "orders(days => 60) >= 1")
    assert people.pause_segment("buyers").state == "paused"
    put(people, order("c", 0, ids={"user_id": "cleo"}))
    assert inside(people, "buyers") == [of(people, "anna")]
    people.activate_segment("buyers")
    assert inside(people, "buyers") == sorted([of(people, "anna"), of(people, "cleo")])
    assert people.recount().found == 0


def test_put_away_it_is_empty_and_its_name_is_free(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1")
    assert people.archive_segment("buyers").size == 0
    assert people.segments() == ()
    assert people.customer("user_id:anna").segments == ()
    assert len(told(people)) == 2
    with pytest.raises(Conflict, match="archived"):
        people.activate_segment("buyers")
    people.save_segment("buyers", "orders >= 3")
    assert inside(people, "buyers") == [of(people, "anna")]
    assert [one.state for one in people.segments(archived=True)] == ["live", "archived"]


def test_segments_that_ask_about_each_other(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1")
    people.save_segment("loyal", "segment('buyers') and orders >= 2")
    assert inside(people, "loyal") == [of(people, "anna")]
    assert people.segment("buyers").used_by == ("loyal",)
    with pytest.raises(InvalidInput, match="circle"):
        people.save_segment("buyers", "orders >= 1 or segment('loyal')")
    with pytest.raises(BadCondition, match="segment"):
        people.save_segment("buyers", "segment('buyers')")
    for refused in (people.archive_segment, people.pause_segment):
        with pytest.raises(Conflict, match="loyal"):
            refused("buyers")
    people.save_segment("idle", "orders >= 1", activate=False)
    people.save_segment("waits", "segment('idle')", activate=False)
    with pytest.raises(Conflict, match="activate 'idle' first"):
        people.activate_segment("waits")


def test_two_who_become_one_leave_and_enter_as_one(people: Shop) -> None:
    people.save_segment("loyal", "orders >= 4")
    people.save_segment("once", "orders = 1")
    anna, ben = of(people, "anna"), of(people, "ben")
    assert inside(people, "once") == [ben]
    people.settle("same", "user_id:anna", "user_id:ben")
    assert of(people, "ben") == anna
    assert inside(people, "loyal") == [anna]
    assert inside(people, "once") == []
    assert {cause for *_, cause in told(people)[1:]} == {"merge"}
    whole = people.timeline("user_id:ben", names=AUDIENCE).entries
    assert [(one.name, one.details.get("customer")) for one in whole] == [
        ("Audience Entered", None), ("Audience Exited", ben), ("Audience Entered", ben),
    ]  # fmt: skip
    assert whole[1].sentence == f"left the segment ‘Once’ by who is who, then as {ben}"
    pages, cursor = [], None
    while not pages or cursor is not None:
        page = people.timeline("user_id:ben", names=AUDIENCE, limit=1, cursor=cursor)
        pages, cursor = [*pages, *page.entries], page.next
    assert pages == list(whole)
    first = people.timeline("user_id:ben", names=AUDIENCE[:1], limit=1)
    rest = people.timeline("user_id:ben", names=AUDIENCE[:1], limit=1, cursor=first.next)
    assert ([*first.entries, *rest.entries], rest.next) == ([whole[0], whole[2]], None)
    assert [one["customer"] for one in people.export("user_id:ben")["segments"]] == [ben, ben, anna]
    people.settle("different", "user_id:anna", "user_id:ben")
    assert {one.details.get("customer") for one in people.timeline("user_id:anna").entries} == {None}
    assert {one["customer"] for one in people.export("user_id:anna")["segments"]} == {anna}
    assert inside(people, "loyal") == []
    assert inside(people, "once") == [of(people, "ben")]
    assert people.recount().found == 0


def test_the_erased_leave_and_nothing_of_them_stays(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1 and spend(days => 90) > 0")
    anna = of(people, "anna")
    assert inside(people, "buyers") == [anna]
    people.erase("user_id:anna")
    assert inside(people, "buyers") == []
    assert told(people) == [("Exited", anna, "buyers", "erasure")]
    with people.places.ledger.read() as reader:
        assert not reader.behaviours([int(anna[1:])])


def test_predictions_move_people_when_they_are_made_anew(people: Shop) -> None:
    people.save_segment("alive", "p_alive >= 0")
    assert inside(people, "alive") == []
    people.refresh()
    assert inside(people, "alive") == sorted([of(people, "anna"), of(people, "ben")])
    assert {cause for *_, cause in told(people)} == {"refresh"}


def test_a_recount_finds_and_mends(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1")
    anna, ben = of(people, "anna"), of(people, "ben")
    with people.places.ledger.read() as reader:
        number = reader.segments()[0].id

    def spoil(tx: object) -> None:
        tx.leave([(number, int(anna[1:]))])  # type: ignore[attr-defined]
        tx.drop_behaviours([int(ben[1:])])  # type: ignore[attr-defined]

    people.places.ledger.write(spoil)
    found = people.recount()
    assert found.found == 2
    assert {one.customer for one in found.differences} == {anna, ben}
    assert inside(people, "buyers") == sorted([anna, ben])
    assert people.recount().found == 0
    people.save_segment("idle", "orders >= 1", activate=False)
    with pytest.raises(InvalidInput, match="not in use"):
        people.recount("idle")


def test_what_cannot_be_is_refused_with_words(people: Shop) -> None:
    with pytest.raises(InvalidInput, match="not a name for a segment") as wrong:
        people.save_segment("Best Buyers!", "orders >= 1")
    assert "best-buyers" in wrong.value.hint
    with pytest.raises(BadCondition):
        people.save_segment("x", "ordrs >= 1")
    with pytest.raises(UnknownName):
        people.segment("nobody")
    assert people.segments() == ()


def test_who_may_what(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1")
    marketer, analyst, agent = (
        people.as_actor(Actor("u1", role)) for role in ("marketer", "analyst", "agent")
    )
    marketer.save_segment("others", "orders = 0")
    assert [one.name for one in analyst.segments()] == ["buyers", "others"]
    for refused in (
        lambda: analyst.save_segment("x", "orders = 0"),
        lambda: analyst.members("buyers"),
        agent.segments,
        lambda: agent.archive_segment("others"),
    ):
        with pytest.raises(NotPermitted):
            refused()
    assert "save a segment" in str(people.audit())


def test_the_worker_keeps_them_up(people: Shop) -> None:
    people.save_segment("lapsing", "days_since_order >= 91", activate=False)
    with Worker(people.places):
        made = people.activate_segment("lapsing")
        assert made.state in ("backfilling", "live")
        clock = people.clock
        assert isinstance(clock, FixedClock)
        clock.at += timedelta(days=2)
        until(lambda: inside(people, "lapsing"))
    assert inside(people, "lapsing") == [of(people, "ben")]


def test_a_backup_takes_them_along(people: Shop, tmp_path) -> None:
    import shopkeeper

    people.save_segment("buyers", "orders >= 1 and not events('Store Visited', days => 3)")
    with shopkeeper.restore(people.backup(), tmp_path / "again") as other:
        assert inside(other, "buyers") == inside(people, "buyers")
        put(other, event("Store Visited", "s", 0, ids={"user_id": "anna"}, store="S1"))
        assert inside(other, "buyers") == [of(people, "ben")]
        assert other.recount().found == 0


def test_all_are_asked_about_a_segment_as_one_is(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1")
    people.save_segment("loyal", "segment('buyers') and orders >= 2")
    people.refresh()
    put(people, *(order(f"d{n}", 0, ids={"user_id": "dora"}) for n in range(2)))
    found = people.customers("segment('loyal') and not segment('buyers') is false")
    assert [f"c{one}" for one in found["id"].to_pylist()] == inside(people, "loyal") != []
    assert len(people.customers("not segment('buyers')")) == 1
    with pytest.raises(BadCondition, match="loyall"):
        people.customers("segment('loyall')")


def test_who_objects_to_profiling_is_in_no_segment(people: Shop) -> None:
    people.save_segment("buyers", "orders >= 1")
    people.save_segment("others", "not segment('buyers')")
    anna, cleo = of(people, "anna"), of(people, "cleo")
    assert anna in inside(people, "buyers")
    assert inside(people, "others") == [cleo]
    for who in ("anna", "cleo"):
        put(people, event("Consent Withdrawn", f"w{who}", ids={"user_id": who}, purpose="profiling"))
    assert inside(people, "buyers") == [of(people, "ben")]
    assert inside(people, "others") == []
    assert people.recount().differences == ()
    put(people, event("Consent Given", "g", HOUR // 60, ids={"user_id": "anna"}, purpose="profiling"))
    assert anna in inside(people, "buyers")


def test_who_objects_to_profiling_is_neither_compared_nor_compared_with(people: Shop) -> None:
    put(people, event("Consent Withdrawn", "w", ids={"user_id": "anna"}, purpose="profiling"))
    people.refresh()
    found = people.compare("orders >= 1")
    assert (found.group, found.rest) == (1, 1), "Ben beside Cleo"
    assert people.size("orders >= 1").customers == 1


def test_the_exit_of_the_erased_stays_for_a_month_so_that_followers_let_go_and_then_goes(
    people: Shop,
) -> None:
    people.save_segment("buyers", "orders >= 1")
    people.erase("user_id:anna")
    people.refresh()
    assert told(people)[-1][0::3] == ("Exited", "erasure")
    later(people, days=31)
    people.refresh()
    assert [cause for *_, cause in told(people)] == ["backfill"]


def test_entries_and_exits_are_kept_as_long_as_the_setting_says_and_flows_still_know_who_was_in(
    people: Shop,
) -> None:
    people.save_segment("buyers", "orders >= 1")
    people.save_segment("fresh", "days_since_order < 60")
    people.places.settings = msgspec.structs.replace(people.settings, audience_days=20)
    later(people, days=40)
    people.refresh()
    assert [one for one in told(people) if one[3] == "backfill"] == []
    assert len(inside(people, "buyers")) == 2
    last = people.segment_flows("buyers", per="week").traffic[-1]
    assert (last.at_start, last.at_end) == (2, 2)
    fresh = people.segment_flows("fresh", per="week", periods=2).traffic
    assert [fresh[0].at_start, fresh[-1].at_end] == [1, 0]


def test_the_timeline_tells_of_segments_entered_and_left_between_what_was_heard(people: Shop) -> None:
    people.save_segment("looked", "events('Product Viewed', days => 2) >= 1", title="Looked <b>")
    put(people, event("Product Viewed", "n", 0, ids={"user_id": "dora"}, product_id="p1"))
    later(people, days=3)
    whole = people.timeline("user_id:dora").entries
    assert [one.name for one in whole] == ["Audience Exited", "Audience Entered", "Product Viewed"]
    assert whole[0].sentence == "left the segment ‘Looked <b>’ as time went by"
    assert whole[1].details == {"segment": "looked", "cause": "event"}
    for limit in (1, 2):
        seen, cursor = [], None
        while True:
            page = people.timeline("user_id:dora", cursor=cursor, limit=limit)
            seen += page.entries
            if (cursor := page.next) is None:
                break
        assert seen == list(whole)
    only = people.timeline("user_id:dora", names=("Audience Entered",)).entries
    assert [one.name for one in only] == ["Audience Entered"]
    assert [one.name for one in people.timeline("user_id:dora", names=("Product Viewed",)).entries] == [
        "Product Viewed"
    ]
    for forged in ("x.y", ".0", ".9999999999999999999"):
        with pytest.raises(InvalidInput, match="cursor"):
            people.timeline("user_id:dora", cursor=forged)
    exported = people.export("user_id:dora")["segments"]
    assert [one["event"] for one in exported] == ["Audience Entered", "Audience Exited"]
