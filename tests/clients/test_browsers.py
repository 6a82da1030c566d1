"""Official clients for browsers in a real one, on a web site of another origin than the shop's."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.node]

SEGMENT = {
    "one by one": {},
    "in batches": {"deliveryStrategy": {"strategy": "batching", "config": {"size": 3, "timeout": 300}}},
}
RUDDER = {
    "one by one": {"beacon": False, "batch": False},
    "in batches": {"beacon": False, "batch": True},
    "as beacons": {"beacon": True, "batch": False},
}
RUDDER_PATHS = {
    "one by one": {f"/v1/{kind}" for kind in ("track", "identify", "page", "group", "alias")},
    "in batches": {"/v1/batch"},
    "as beacons": {"/beacon/v1/batch"},
}
TOLD = {"Product Viewed", "Identified", "Page Viewed", "Order Completed"}


@pytest.fixture
def open_site(browser):
    """Opens a page; gives its client's anonymous id, and what the browser asked of others than this machine."""
    contexts = []

    def opened(address):
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        foreign = []
        page.on(
            "request", lambda asked: asked.url.startswith("http://127.0.0.1:") or foreign.append(asked.url)
        )
        page.goto(address)
        return page.evaluate("window.told"), foreign

    yield opened
    for context in contexts:
        context.close()


def check_story(live, anonymous_id):
    def there():
        try:
            found = live.shop.timeline(f"anonymous_id:{anonymous_id}", limit=50).entries
        except LookupError:
            return False
        return {entry.name for entry in found} >= TOLD

    live.until(there, "the story")
    live.until(lambda: live.shop.health()["lag"] == 0 and live.events() >= 6, "all of it")
    known = live.shop.customer("email:ada@example.com")
    assert known.id == live.shop.customer(f"anonymous_id:{anonymous_id}").id
    assert known.traits["orders"] == 1
    names = [entry.name for entry in live.shop.timeline(known.id, limit=50).entries]
    assert all(names.count(name) == 1 for name in TOLD - {"Identified"}), names
    assert live.shop.quarantine() == []


@pytest.mark.parametrize("how", SEGMENT)
@pytest.mark.parametrize("faults", [False, True])
def test_segment_s_client(live, website, open_site, how, faults):
    if faults:
        live.faults.refuse, live.faults.lose = 1, 1
    page = website("segment.html", key=live.key, address=live.address, sending=SEGMENT[how])
    anonymous_id, foreign = open_site(page)
    check_story(live, anonymous_id)
    assert not foreign
    asked = live.faults.asked
    assert ("GET", f"/v1/projects/{live.key}/settings", 200) in [
        (n["method"], n["path"], n["status"]) for n in asked
    ]
    assert [n["status"] for n in asked if n["method"] == "OPTIONS"] == [204] * len(
        [n for n in asked if n["method"] == "OPTIONS"]
    )
    paths = {note["path"] for note in live.faults.deliveries()} - {"/v1/m"}
    assert paths <= ({"/v1/b"} if how == "in batches" else {f"/v1/{letter}" for letter in "itpga"})


@pytest.mark.parametrize("how", RUDDER)
@pytest.mark.parametrize("faults", [False, True])
def test_rudderstack_s_client(live, website, open_site, how, faults):
    if faults and how != "as beacons":  # a beacon is sent once, whatever comes of it
        live.faults.refuse, live.faults.lose = 1, 1
    anonymous_id, foreign = open_site(
        website("rudder.html", key=live.key, address=live.address, **RUDDER[how])
    )
    check_story(live, anonymous_id)
    assert not foreign
    asked = live.faults.asked
    assert any(note["path"] == "/sourceConfig/" and note["status"] == 200 for note in asked)
    paths = {note["path"] for note in live.faults.deliveries()}
    assert paths <= RUDDER_PATHS[how]
    if how != "as beacons":
        assert any(note["method"] == "OPTIONS" and note["status"] == 204 for note in asked)


@pytest.mark.parametrize("how", ["one by one"])
def test_calls_of_one_page_may_arrive_in_any_order(live, website, open_site, how):
    live.faults.hold_first = True
    page = website("segment.html", key=live.key, address=live.address, sending=SEGMENT[how])
    anonymous_id, _ = open_site(page)
    check_story(live, anonymous_id)
    assert live.faults.overtaken
