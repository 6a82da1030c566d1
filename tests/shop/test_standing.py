"""Where customers stand, live: at any time as if it were worked out anew, told exactly once, on the day."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events import DAY, event, order, put

import shopkeeper
from shopkeeper.domain.clock import FixedClock
from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import Conflict, InvalidInput, NotFound
from shopkeeper.know.fold import unpack
from shopkeeper.predict.fading import of_days
from shopkeeper.predict.fading.tail import ALARMS_PER_YEAR
from shopkeeper.settings import Settings, checked, save
from shopkeeper.shop import Shop
from shopkeeper.shop.standing import in_force, judged, put_in_force, refreshed, rows
from shopkeeper.shop.watching import keep_up

NAMES = ("state", "state_since", "fading_since", "unusual_from", "next_order", "rhythm_basis")


def said(shop: Shop) -> dict[int, tuple[Any, ...]]:
    """What is kept of everybody."""
    with shop.places.ledger.read() as reader:
        everybody = [row.customer for chunk in reader.all_records() for row in chunk]
        kept = {
            c: (row.state, msgspec.json.decode(row.body)) for c, row in reader.predictions(everybody).items()
        }
    assert all(state == (told["state"] or "") for state, told in kept.values())
    return {customer: tuple(told[name] for name in NAMES) for customer, (_, told) in kept.items()}


def anew(shop: Shop) -> dict[int, tuple[Any, ...]]:
    """The same, worked out from everybody's days."""
    places = shop.places
    found = {}
    with places.ledger.read() as reader:
        rhythm = in_force(places, reader)
        assert rhythm is not None
        for chunk in reader.all_records():
            for row in chunk:
                record = unpack(row.body)
                if record.days and not objects(record):
                    one = of_days(np.array([row.customer]), np.array([0]), np.array(record.days))
                    today = (places.clock.now() + timedelta(hours=_offset(places.clock.now()))).date()
                    number = (today - datetime(1970, 1, 1).date()).days
                    columns, _ = judged(one, rhythm, number, places.settings.time_zone)
                    plain = msgspec.to_builtins(rows(columns)[0])
                    found[row.customer] = tuple(plain[name] for name in NAMES)
    return found


def _offset(now: datetime) -> int:
    from zoneinfo import ZoneInfo

    offset = now.astimezone(ZoneInfo("Europe/Berlin")).utcoffset()
    return int(offset.total_seconds() // 3600) if offset else 0


def later(shop: Shop, **spans: float) -> None:
    clock = shop.clock
    assert isinstance(clock, FixedClock)
    clock.at += timedelta(**spans)
    keep_up(shop.places)


def history(chance: Random, people: int = 30) -> list[Any]:
    """Customers with rhythms of their own, of whom some have left."""
    events = []
    for who in range(people):
        at, gap, until = (
            -chance.randint(150, 500),
            chance.choice((7, 14, 30, 70)),
            chance.choice((0, -40, -120)),
        )
        number = 0
        while at < until:
            events.append(order(f"{who}-{number}", at * DAY, ids={"user_id": f"u{who}"}))
            at += max(1, round(chance.gammavariate(3, gap / 3)))
            number += 1
    return events


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a shop that was refreshed once, with segments over where customers stand."""
    folder = tmp_path_factory.mktemp("standing")
    with shopkeeper.create(
        folder / "shop", name="Standing", now="2026-05-01T12:00:00+00:00", time_zone="Europe/Berlin"
    ) as shop:
        put(shop, *history(Random(3)))
        shop.refresh()
        shop.save_segment("fading", "state = 'fading'")
        shop.save_segment("here", "state in ('new', 'active', 'won back') and next_order >= today()")
        shop.save_segment("gone", "segment('fading') or unusual_from < today() - interval '30 days'")
        return Path(shutil.copy(shop.backup(), folder / "begun.zip"))


def opened(begun: Path, folder: Path) -> Shop:
    shop = shopkeeper.restore(begun, folder / "shop")
    shop.places.clock = FixedClock(datetime.fromisoformat("2026-05-01T12:00:00+00:00"))
    return shop


def by_state(shop: Shop) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in shop.customers(columns=["state"]).to_pylist():
        found.setdefault(row["state"], []).append(f"c{row['id']}")
    return found


def told(shop: Shop) -> list[tuple[str, str, str, str]]:
    return [
        (one.event.removeprefix("Audience "), one.customer, one.segment, one.cause)
        for one in shop.audience(None, limit=500).rows
    ]


def test_silence_turns_a_customer_over_on_the_day_and_an_order_turns_back_at_once(
    begun: Path, tmp_path: Path
) -> None:
    with opened(begun, tmp_path) as shop:
        chosen = min(
            (row for row in shop.customers("state = 'active' and unusual_from > today()").to_pylist()),
            key=lambda row: row["unusual_from"],
        )
        who = f"c{chosen['id']}"
        clock = shop.clock
        assert isinstance(clock, FixedClock)
        midnight = chosen["unusual_from"] - timedelta(hours=2)  # summer time in Berlin
        clock.at = midnight - timedelta(seconds=1)
        keep_up(shop.places)
        assert shop.customer(who).traits["state"] == "active"
        assert ("Entered", who, "fading", "time") not in told(shop)
        clock.at = midnight
        keep_up(shop.places)
        traits = shop.customer(who).traits
        assert traits["state"] == "fading"
        assert str(traits["state_since"])[:10] == str(chosen["unusual_from"])[:10]
        assert Counter(told(shop))["Entered", who, "fading", "time"] == 1
        assert who in by_state(shop)["fading"], "the lake's answer is put right by the ledger"
        at = int((clock.at - datetime.fromisoformat("2026-05-01T12:00:00+00:00")).total_seconds() * 1e6)
        user = next(i.value for i in shop.customer(who).identifiers if i.kind == "user_id")
        put(shop, order("back", at, ids={"user_id": user}))
        assert shop.customer(who).traits["state"] == "active"
        assert Counter(told(shop))["Exited", who, "fading", "event"] == 1
        assert shop.recount().found == 0
        assert said(shop) == anew(shop)


def test_without_any_segment_it_is_the_same(begun: Path, tmp_path: Path) -> None:
    with opened(begun, tmp_path) as shop:
        for one in ("gone", "here", "fading"):
            shop.archive_segment(one)
        before = by_state(shop)
        later(shop, days=200)
        assert said(shop) == anew(shop)
        assert len(by_state(shop)["lapsed"]) > len(before.get("lapsed", ()))


def test_who_comes_after_the_refresh_has_a_state_and_no_value_yet(begun: Path, tmp_path: Path) -> None:
    with opened(begun, tmp_path) as shop:
        valued = shop.find(sort="value").total
        put(shop, order("first", -DAY, ids={"user_id": "newcomer"}))
        new = shop.customer("user_id:newcomer")
        assert (new.traits["state"], new.traits["rhythm_basis"]) == ("new", "population")
        assert new.traits.get("clv_12m") is None
        assert shop.find(sort="value").total == valued
        assert new.id in by_state(shop)["new"]
        put(shop, event("Order Cancelled", "cancel", 0, order_id="first", ids={"user_id": "newcomer"}))
        assert said(shop) == anew(shop)
        shop.refresh()
        assert said(shop) == anew(shop)


def test_the_false_alarms_accepted_are_a_setting_that_the_next_refresh_judges_everybody_by(
    begun: Path, tmp_path: Path
) -> None:
    with opened(begun, tmp_path) as shop:
        before = {row["id"]: row for row in shop.customers(columns=["state", "unusual_from"]).to_pylist()}
        assert ALARMS_PER_YEAR == Settings().alarms_per_year == shop.value().alarms_per_year
    save(tmp_path / "shop", msgspec.structs.replace(shop.settings, alarms_per_year=4.0))
    with shopkeeper.open(tmp_path / "shop") as shop:
        assert shop.value().alarms_per_year == 0.25, "what is in force, until a refresh"
        shop.refresh()
        assert shop.value().alarms_per_year == 4.0
        after = {row["id"]: row for row in shop.customers(columns=["state", "unusual_from"]).to_pylist()}
        days = [(before[one]["unusual_from"], after[one]["unusual_from"]) for one in before]
        assert all(now <= was for was, now in days)
        assert sum(now < was for was, now in days) > len(days) / 2
        silent = ("fading", "lapsed")
        assert sum(r["state"] in silent for r in after.values()) > sum(
            r["state"] in silent for r in before.values()
        )
        assert said(shop) == anew(shop), "live states go by the same"


def test_an_order_of_1901_and_one_of_tomorrow_teach_no_rhythm_and_are_said(
    begun: Path, tmp_path: Path
) -> None:
    with opened(begun, tmp_path) as shop:
        with shop.places.ledger.read() as reader:
            before = in_force(shop.places, reader)
        stood = said(shop)
        put(
            shop,
            order("1901", -45_776 * DAY, ids={"user_id": "u1"}),
            order("1901 alone", -45_776 * DAY, ids={"user_id": "long-ago"}),
            order(
                "tomorrow", DAY * 20 // 24, ids={"user_id": "u2"}
            ),  # more than a day ahead is refused at the door
        )
        who = {name: int(shop.customer(f"user_id:{name}").id[1:]) for name in ("u1", "u2", "u3", "long-ago")}
        assert said(shop)[who["u1"]] == stood[who["u1"]], "nobody is won back by an absurd date, live"
        assert shop.customer("user_id:u1").order_days[0].year > 2000, "nor is it drawn"
        shop.refresh()
        with shop.places.ledger.read() as reader:
            assert in_force(shop.places, reader) == before
        notes = " ".join(shop.value().notes)
        assert "2 purchase days before 20" in notes
        assert "1 purchase day after 2026-05-01 was left out" in notes
        now = said(shop)
        assert now.pop(who["long-ago"]) == (None,) * 6, "bought, and nobody knows when"
        assert {**now, who["u2"]: ()} == {**stood, who["u2"]: ()}
        put(shop, order("1902", -45_400 * DAY, ids={"user_id": "u3"}))
        assert said(shop)[who["u3"]] == stood[who["u3"]]
        assert said(shop) == anew(shop)


@pytest.mark.parametrize("value", [0.0, -1.0, 13.0, float("nan"), float("inf")])
def test_a_number_of_alarms_that_cannot_be_aimed_at_is_no_setting(value: float) -> None:
    with pytest.raises(InvalidInput, match="alarms_per_year is"):
        checked(Settings(alarms_per_year=value))


def test_who_objects_is_not_judged_any_more(begun: Path, tmp_path: Path) -> None:
    with opened(begun, tmp_path) as shop:
        put(shop, order("one", -DAY, ids={"user_id": "shy"}))
        shy = shop.customer("user_id:shy").id
        put(shop, event("Consent Withdrawn", "no", 0, purpose="profiling", ids={"user_id": "shy"}))
        assert int(shy[1:]) not in said(shop)
        later(shop, days=300)
        put(shop, order("two", 300 * DAY, ids={"user_id": "shy"}))
        assert int(shy[1:]) not in said(shop)
        assert said(shop) == anew(shop)


def test_who_is_heard_of_during_a_refresh_is_judged_as_it_ends(begun: Path, tmp_path: Path) -> None:
    with opened(begun, tmp_path) as shop:
        places = shop.places
        with places.ledger.read() as reader:
            cursor = reader.setting("cursor") or ""
            records = [
                (row.customer, unpack(row.body).days) for chunk in reader.all_records() for row in chunk
            ]
        whose = [customer for customer, days in records for _ in days]
        found = refreshed(places, cursor, whose, [day for _, days in records for day in days])
        put(shop, order("meanwhile", 0, ids={"user_id": "u1"}), order("other", 0, ids={"user_id": "late"}))
        with places.ledger.read() as reader:
            kept = reader.predictions([customer for customer, _ in records])
        plain = dict(zip(found.customer.tolist(), rows(found.columns), strict=True))
        stale = [
            row._replace(state=plain[c]["state"] or "", body=msgspec.json.encode(plain[c]), stood=0)
            for c, row in kept.items()
        ]

        def switched(tx: Any) -> None:
            tx.predict(stale, run=1 << 50)
            tx.switch(1 << 50)
            put_in_force(places, tx, found)

        places.ledger.write(switched)
        assert said(shop) == anew(shop)


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_live_is_what_everybodys_days_say(begun: Path, seed: int) -> None:
    """Orders in any order, dated ahead, told late, cancelled; merges and splits; time: always the same."""
    chance = Random(seed)
    with tempfile.TemporaryDirectory() as folder, opened(begun, Path(folder)) as shop:
        start = shop.clock.now()
        for number in range(12):
            now = int((shop.clock.now() - start).total_seconds() * 1e6)
            draw, who = chance.random(), chance.randrange(32)
            at = now - (0 if chance.random() < 0.6 else chance.randint(-3, 90) * DAY)
            if draw < 0.55:
                put(shop, order(f"n{number}", at, ids={"user_id": f"u{who}"}))
            elif draw < 0.62:
                put(
                    shop,
                    event(
                        "Order Cancelled", f"x{number}", now, order_id=f"{who}-1", ids={"user_id": f"u{who}"}
                    ),
                )
            elif draw < 0.75:
                one, other = (f"user_id:u{chance.randrange(30)}" for _ in range(2))
                with contextlib.suppress(Conflict, InvalidInput, NotFound):
                    shop.settle("same" if chance.random() < 0.7 else "undecide", one, other)
            else:
                later(shop, days=chance.choice((1, 3, 20, 60)))
            keep_up(shop.places)
            assert said(shop) == anew(shop)
        assert shop.recount().found == 0
        for one in shop.segments():
            inside = {row.customer for row in shop.members(one.name, limit=500).rows}
            balance: Counter[str] = Counter()
            for change in shop.audience(one.name, limit=500).rows:
                balance[change.customer] += 1 if change.event == "Audience Entered" else -1
                assert balance[change.customer] in (0, 1), "nobody enters or leaves twice"
            assert {customer for customer, times in balance.items() if times} == inside
