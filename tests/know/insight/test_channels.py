"""The channels' part against following each customer by hand, and its figures on worlds that are known."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.know.test_overview import lines, logged, on, sale

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight.channels import ONLINE, by_segment, parts, read_paths
from shopkeeper.know.insight.means import mean, share_of_sums
from shopkeeper.know.insight.people import People
from shopkeeper.stores.lake import open_lake

START = on("2011-06-01")
SINCE, UNTIL = on("2011-08-01"), on("2011-10-01")
TOUCHES = {
    "web": "Product Viewed", "app": "Product Viewed", "email": "Email Link Clicked", "social": "Social Post Liked",
    "service": "Contact Opened", "visit": "Store Visited",
}  # fmt: skip


def touch(at, node, channel, **facts):
    told = {"store": "S1"} if channel == "visit" else {}
    return TOUCHES[channel], at, node, "app" if channel == "visit" else channel, told | facts


@contextmanager
def told(events, customers):
    """A lake of these events: node n is customer n."""
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(Path(folder) / "lake")
        ids = pa.array(range(1, customers + 1), pa.int64())
        with lake.change() as change:
            change.log(logged(sorted(events, key=lambda event: event[1])))
            change.replace("identities", pa.table({"node": ids, "customer": ids}))
            change.replace("customers", pa.table({"id": ids}))
        yield People(lake.query, ())
        lake.close()


def read(people, **more):
    return read_paths(people, since=SINCE, until=UNTIL, currency="GBP", assumed_margin=0.4, **more)


def drawn(customers, seed):
    draw = np.random.default_rng(seed)
    events, number = [], 0
    for who in range(1, customers + 1):
        for _ in range(draw.integers(0, 14)):
            at = START + timedelta(seconds=int(draw.integers(0, 122 * 86_400)))
            events.append(touch(at, who, str(draw.choice(list(TOUCHES)))))
        for _ in range(draw.integers(0, 5)):
            number += 1
            at = START + timedelta(seconds=int(draw.integers(0, 122 * 86_400)))
            place = "store" if draw.random() < 0.5 else "web"
            events.append(
                sale(at, who, lines(("a", 1, 1000 + number)), order_id=f"o{number}", channel=place,
                     store="S1" if place == "store" else "")
            )  # fmt: skip
    return events


def by_hand(events, window, look):
    """(customer, moment) -> what the path says, told by following each customer."""
    seen = {}
    for who in {event[2] for event in events}:
        own = sorted((event for event in events if event[2] == who), key=lambda event: event[1])
        for place, event in enumerate(own):
            name, at, _, channel, facts = event
            if name != "Order Completed" or not SINCE <= at < UNTIL:
                continue
            path = []
            for earlier in reversed(own[:place]):
                if earlier[0] == "Order Completed" or earlier[1] < at - timedelta(days=window):
                    break
                path.insert(0, "store" if earlier[0] == "Store Visited" else earlier[3])

            def within(test, start, end, own=own, at=at):
                return any(
                    test(e) and at - timedelta(days=start) <= e[1] < at - timedelta(days=end) for e in own
                )

            def online(e):
                return e[0] == "Product Viewed" and e[3] in ONLINE

            def in_store(e):
                return e[0] == "Store Visited" or (e[0] == "Order Completed" and e[3] == "store")

            seen[who, at] = (
                channel, facts["amount"] * 0.4 / 100, path[0] if path else "", path[-1] if path else "", len(path),
                frozenset(path), within(online, look, 0), within(online, 2 * look, look),
                within(in_store, look, 0), within(in_store, 2 * look, look),
            )  # fmt: skip
    return seen


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("window", "look"), [(30, 14), (5, 3)])
def test_paths_are_what_following_each_customer_gives(seed, window, look):
    events = drawn(80, seed)
    with told(events, 80) as people:
        paths = read(people, window=window, look=look)
        name = [*paths.channels, ""]
        seen = sorted(
            (
                int(people.ids[paths.who[at]]), paths.paid[paths.paid_at[at]], round(float(paths.margin[at]), 6),
                name[paths.first[at]], name[paths.last[at]], int(paths.touches[at]),
                sorted(c for code, c in enumerate(paths.channels) if paths.used[at] >> code & 1),
                bool(paths.looked[at]), bool(paths.looked_anyway[at]), bool(paths.visited[at]),
                bool(paths.visited_anyway[at]),
            )
            for at in range(paths.who.size)
        )  # fmt: skip
        expected = sorted(
            (who, row[0], round(row[1], 6), *row[2:5], sorted(row[5]), *row[6:])
            for (who, _), row in by_hand(events, window, look).items()
        )
        assert len(seen) > 50
        assert seen == expected
        whole = parts(paths)
        assert any(line.startswith("email: no order is booked there") for line in whole.hidden)
        assert any("more that were paid elsewhere" in line for line in whole.hidden)
        assert sum(part.starts for part in whole.parts) == whole.orders - whole.without_path
        assert sum(part.closes for part in whole.parts) == whole.orders - whole.without_path
        for part in whole.parts:
            assert part.involved >= part.assists + max(part.starts, part.closes)
        assert sum(c.customers for c in whole.combinations) == len({row[0] for row in expected})
        halves = {"low": people.ids <= 40, "high": people.ids > 40}
        split = by_segment(paths, halves)
        assert sum(part.orders for part in split.values()) == whole.orders
        assert sum(part.margin for part in split.values()) == pytest.approx(whole.margin)


def test_margin_is_net_of_what_came_back_and_cancelled_orders_have_no_path():
    at = on("2011-09-10")
    events = [
        touch(at - timedelta(days=2), 1, "email"),
        sale(at, 1, lines(("a", 2, 1000)), order_id="o1"),
        sale(at + timedelta(days=30), 1, lines(("a", 1, 500)), order_id="o1", name="Order Refunded"),
        sale(at, 2, lines(("a", 1, 9900)), order_id="o2"),
        sale(at + timedelta(days=1), 2, lines(), order_id="o2", name="Order Cancelled", amount=0),
        ("Email Opened", at - timedelta(days=1), 1, "email", {"machine": True}),
    ]
    with told(events, 2) as people:
        seen = parts(read(people))
        assert (seen.orders, seen.margin) == (1, pytest.approx(2.0))
        (email,) = [part for part in seen.parts if part.channel == "email"]
        assert (email.starts, email.closes, email.assists, email.booked, email.unseen) == (1, 1, 0, 0, 1)
        assert not [line for line in seen.hidden if line.startswith("store")]
        with pytest.raises(InvalidInput, match="window of a day"):
            read(people, window=0)
        assert parts(read(people), np.zeros(2, bool)).parts == ()


def test_looking_online_before_a_store_order_stands_beside_how_many_look_anyway():
    """Everybody looks on a tenth of all fortnights; six in ten look before they buy in the store."""
    draw = np.random.default_rng(3)
    events = []
    for who in range(1, 401):
        at = on("2011-09-05") + timedelta(hours=int(draw.integers(0, 400)))
        events.append(sale(at, who, lines(("a", 1, 1000)), order_id=f"o{who}"))
        if draw.random() < 0.6:
            events.append(touch(at - timedelta(days=float(draw.uniform(1, 13))), who, "web"))
        if draw.random() < 0.1:
            events.append(touch(at - timedelta(days=float(draw.uniform(15, 27))), who, "app"))
    with told(events, 400) as people:
        (seen,) = parts(read(people)).crossings
        assert (seen.paid, seen.looked, seen.orders) == ("store", "online", 400)
        assert seen.share.low < 0.6 < seen.share.high
        assert seen.anyway.low < 0.1 < seen.anyway.high
        assert seen.beyond.low < 0.5 < seen.beyond.high
        assert "of 400 store orders came within 14 days after a look online" in seen.sentence


def test_intervals_know_that_orders_of_one_customer_are_alike():
    """Each customer always or never looks first: 60 customers with 20 orders are no 1,200 draws."""
    draw = np.random.default_rng(6)
    held, naive = 0, 0
    for _ in range(400):
        who = np.repeat(np.arange(60), 20)
        part = np.repeat((draw.random(60) < 0.3).astype(float), 20)
        seen = share_of_sums(part, np.ones(part.size), who)
        held += seen.low <= 0.3 <= seen.high
        naive += abs(part.mean() - 0.3) <= 1.96 * (0.3 * 0.7 / part.size) ** 0.5
    assert held / 400 >= 0.95 - 3 * (0.0475 / 400) ** 0.5
    assert naive / 400 < 0.6


def test_the_mean_of_skewed_money_is_covered_better_than_by_the_usual_interval():
    draw = np.random.default_rng(7)
    held, usual = 0, 0
    for _ in range(1500):
        values = draw.lognormal(0, 1.2, 60)
        seen, truth = mean(values), np.exp(0.72)
        held += seen.low <= truth <= seen.high
        usual += abs(values.mean() - truth) <= 2.0 * values.std(ddof=1) / 60**0.5
    assert usual / 1500 < held / 1500
    assert held / 1500 > 0.9
