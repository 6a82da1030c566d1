"""Official clients for servers, as they are installed, tell a customer's story to a running shop."""

from __future__ import annotations

import pytest

ALL = 47
NODE = pytest.mark.node
CLIENTS = [
    "segment_python.py",
    "rudder_python.py",
    pytest.param("segment_node.js", marks=NODE),
    pytest.param("rudder_node.js", marks=NODE),
]


@pytest.fixture
def tell(request, run_client):
    def run(live, script, **options):
        if script.endswith(".js"):
            options["NODE_PATH"] = str(request.getfixturevalue("packages"))
        return run_client(live, script, **options)

    return run


def check_story(live):
    """The customer is one, whole, and nothing of it is there twice."""
    live.until(lambda: live.events() >= ALL and live.shop.health()["lag"] == 0, "the story")
    assert live.events() == ALL
    known = live.shop.customer("email:ada@example.com")
    assert known.id == live.shop.customer("user_id:u1").id == live.shop.customer("anonymous_id:browser-1").id
    assert known.traits["orders"] == 1
    names = [entry.name for entry in live.shop.timeline(known.id, limit=100).entries]
    assert names.count("Product Added") == 40
    assert {"Product Viewed", "Order Completed", "Page Viewed"} <= set(names)
    assert live.shop.quarantine() == []


@pytest.mark.parametrize("script", CLIENTS)
@pytest.mark.parametrize("gzip", ["1", "0"])
def test_a_story_arrives_whole(live, tell, script, gzip):
    tell(live, script, GZIP=gzip)
    check_story(live)
    sent = live.faults.deliveries()
    assert {note["status"] for note in sent} == {200}
    assert 3 <= len(sent) < ALL  # it came in batches
    zipped = {"gzip" in note["headers"].get("content-encoding", "") for note in sent}
    assert zipped == {gzip == "1" and script != "segment_node.js"}


@pytest.mark.parametrize("script", CLIENTS)
def test_what_failed_is_sent_again_and_counts_once(live, tell, script):
    live.faults.refuse, live.faults.lose = 1, 1
    tell(live, script)
    check_story(live)
    statuses = [note["status"] for note in live.faults.deliveries()]
    assert statuses[0] == 503
    assert len(statuses) >= 5  # three batches, one thrown away, one of which the answer was lost


@pytest.mark.parametrize("script", CLIENTS[:-1])  # RudderStack's for Node never sends two at once
def test_the_order_of_arrival_does_not_matter(live, tell, script):
    live.faults.hold_first = True
    tell(live, script, THREADS="3")
    check_story(live)
    assert live.faults.overtaken


@pytest.mark.parametrize("script", ["segment_python.py", "rudder_python.py"])
def test_a_wrong_key_is_told(live, run_client, script):
    live.key = "wrong"
    with pytest.raises(AssertionError, match=r"401|no source has this write key"):
        run_client(live, script)
    assert live.events() == 0
