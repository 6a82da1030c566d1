"""The pages and figures of live collection: sources, flow, quarantine, metrics."""

from __future__ import annotations

import re

import pytest

from shopkeeper.domain.errors import InvalidInput

EVENTS = {
    "batch": [
        {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "1"},
        {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "1"},
        {"type": "dance", "messageId": "2"},
    ]
}


@pytest.fixture
def http(shop, visit):
    with visit(shop) as client:
        yield client


def form(http, path, action, **fields):
    """Send a page's form as a browser does: with its hidden mark."""
    mark = re.search(r'name="csrf" value="([0-9a-f]+)"', http.get(path).text)[1]
    return http.post(action, data={"csrf": mark, **fields})


def secret_on(page):
    found = re.findall(r'<code class="secret"[^>]*>([^<]+)</code>', page)
    return found[0] if found else ""


def test_a_source_is_made_sends_and_is_seen(shop, http):
    made = form(http, "/sources", "/sources", name="web-shop", kind="tracking", brand="North")
    key = secret_on(made.text)
    assert key
    assert key not in http.get("/sources").text + http.get("/sources/web-shop").text  # shown once
    assert http.post("/v1/batch", json=EVENTS, auth=(key, "")).status_code == 200
    shop.hear()
    entry = http.get("/api/v1/sources").json()["data"][0]
    expected = {"received": 3, "kept": 1, "repeated": 1, "refused": 1}
    assert (entry["name"], entry["today"], entry["in_all"]) == ("web-shop", expected, expected)
    assert entry["in_quarantine"] == {"bad_type": 1}
    assert key not in str(entry)
    assert "Bad type" in http.get("/sources/web-shop").text
    for page in ("/sources", "/flow"):
        assert "web-shop" in http.get(page).text


def test_a_key_is_rotated_and_revoked(shop, http):
    old = shop.add_source("web", "tracking")
    fresh = secret_on(form(http, "/sources/web", "/sources/web/key", days="7").text)
    event = EVENTS["batch"][0]
    assert [http.post("/v1/track", json=event, auth=(key, "")).status_code for key in (old, fresh)] == [
        200,
        200,
    ]
    assert form(http, "/sources/web", "/sources/web/revoke", hint=old[-4:]).status_code == 200
    assert [http.post("/v1/track", json=event, auth=(key, "")).status_code for key in (old, fresh)] == [
        401,
        200,
    ]
    form(http, "/sources/web", "/sources/web/switch", to="off")
    assert http.post("/v1/track", json=event, auth=(fresh, "")).status_code == 403
    assert "switched off" in http.get("/sources").text
    form(http, "/sources/web", "/sources/web/switch", to="on")
    assert http.post("/v1/track", json=event, auth=(fresh, "")).status_code == 200


def test_a_webhook_s_secret_is_drawn_once_or_given(shop, http):
    drawn = secret_on(form(http, "/sources", "/sources", name="shop", kind="shopify").text)
    assert shop.hearing.secret_of(shop.hearing.source_named("shop")) == drawn
    assert drawn not in http.get("/sources/shop").text
    page = form(http, "/sources/shop", "/sources/shop/secret", secret="another-secret").text
    assert "another-secret" not in page
    assert shop.hearing.secret_of(shop.hearing.source_named("shop")) == "another-secret"


@pytest.mark.parametrize("name", ["Web Shop!", "", "x" * 60])
def test_a_wrong_name_is_told_and_what_was_typed_stays(http, name):
    answer = form(http, "/sources", "/sources", name=name, kind="tracking", brand="North")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'value="North"' in answer.text


def test_what_was_mended_is_read_again(shop, http):
    key = shop.add_source(
        "calls", "webhook", mapping='[[event]]\nname = "Contact Opened"\nwhen = {"@.x" = 1}'
    )
    body = {"case": "c1", "customer": "u1"}
    assert (
        http.post("/v1/webhooks/calls", json=body, headers={"authorization": f"Bearer {key}"}).status_code
        == 200
    )
    shop.hear()
    assert "Unmapped" in http.get("/sources/calls").text
    mended = '[[event]]\nname = "Contact Opened"\n[event.identifiers]\nuser_id = "@.customer"'
    shop.change_source("calls", mapping=mended)
    assert form(http, "/sources/calls", "/sources/calls/replay", reason="unmapped").status_code == 200
    assert [entry.name for entry in shop.timeline("user_id:u1").entries] == ["Contact Opened"]
    assert shop.quarantine() == []


def test_the_quarantine_can_be_read_again_as_a_whole(shop, http):
    key = shop.add_source("web", "tracking")
    http.post("/v1/batch", json=EVENTS, auth=(key, ""))
    shop.hear()
    assert "Read again" in http.get("/quarantine").text
    answer = form(http, "/quarantine", "/quarantine/replay")
    assert answer.url.path == "/quarantine"
    assert len(shop.quarantine()) == 1  # it still cannot be used


def test_limits_are_set_by_hand(shop, http):
    key = shop.add_source("web", "tracking")
    origin = "https://www.shop.example"
    form(http, "/sources/web", "/sources/web/limits", origins=f"{origin} https://app.example", rate="5")
    source = shop.hearing.source_named("web")
    assert (source.origins, source.events_per_second) == ((origin, "https://app.example"), 5)
    foreign = http.post(
        "/v1/track", json=EVENTS["batch"][0], auth=(key, ""), headers={"origin": "https://x.example"}
    )
    assert foreign.status_code == 403
    assert form(http, "/sources/web", "/sources/web/limits", rate="many").status_code == 400


def test_metrics_are_in_prometheus_form(shop, http):
    key = shop.add_source("web", "tracking")
    http.post("/v1/batch", json=EVENTS, auth=(key, ""))
    http.post("/v1/track", content=b"hello", auth=(key, ""))
    shop.hear()
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'shopkeeper_events_received_total{source="web"} 3' in lines
    assert 'shopkeeper_events_refused_total{source="web"} 1' in lines
    assert 'shopkeeper_quarantine_rows{source="web",reason="bad_type"} 1' in lines
    assert 'shopkeeper_requests_turned_away_total{source="web",code="bad_json"} 1' in lines
    assert "shopkeeper_inbox_events 0" in lines
    sample = re.compile(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+]+')
    named = set()
    for line in lines:
        if line.startswith("# TYPE "):
            named.add(line.split()[2])
        elif not line.startswith("# HELP "):
            assert sample.fullmatch(line), line
            assert re.match(r"[a-z_]+", line)[0] in named


def test_a_scraper_brings_a_key(shop, visit):
    made = shop.add_api_key("prometheus", ["report"])
    with visit(shop, None) as http:
        assert http.get("/metrics").status_code == 401
        found = http.get("/metrics", headers={"authorization": f"Bearer {made.secret}"})
        assert found.status_code == 200
        assert "shopkeeper_worker_up 0" in found.text


def test_the_flow_says_what_waits_and_that_nobody_works(shop, http):
    key = shop.add_source("web", "tracking")
    http.post("/v1/batch", json=EVENTS, auth=(key, ""))
    now = http.get("/api/v1/flow").json()
    assert (now["waiting_deliveries"], now["waiting_events"], now["working"]) == (1, 3, False)
    assert "No worker holds this shop" in http.get("/flow").text
    shop.hear()
    assert http.get("/api/v1/flow").json()["waiting_events"] == 0


@pytest.mark.parametrize(("role", "sees"), [("marketer", 200), ("analyst", 403), ("agent", 403)])
def test_who_may_collect_sees_sources_and_only_administrators_change_them(shop, visit, role, sees):
    shop.add_source("web", "tracking")
    with visit(shop, role) as http:
        assert http.get("/sources").status_code == sees
        assert http.get("/sources/web").status_code == sees
        if sees == 200:
            assert 'action="/sources/web/key"' not in http.get("/sources/web").text
            assert form(http, "/account", "/sources/web/key", days="7").status_code == 403


def test_a_source_that_is_not_there(http):
    assert http.get("/sources/nothing").status_code in {400, 404}


def test_a_shop_that_only_hears_live_does_not_say_that_nobody_came(shop, http):
    assert "nobody has come in yet" in http.get("/").text
    key = shop.add_source("web", "tracking")
    assert http.post("/v1/batch", json=EVENTS, auth=(key, "")).status_code == 200
    shop.hear()
    page = http.get("/").text
    assert "nobody has come in yet" not in page
    assert "1 event has come in" in page


def test_the_audit_log_says_which_source_was_changed_and_holds_no_other_text(shop):
    shop.add_source("web", "tracking")
    shop.rotate_key("web")
    with pytest.raises(InvalidInput):
        shop.add_source("anna@example.com", "tracking")
    lines = [(line.verb, line.detail) for line in reversed(shop.audit())]
    assert lines == [("add a source", "web"), ("rotate a key", "web"), ("add a source", "")]


def test_a_form_is_small_because_reading_it_holds_up_everybody(visit, shop):
    form = {"content-type": "application/x-www-form-urlencoded"}
    for role, path, status in (
        (None, "/sign-in", 413), (None, "/sources", 303), ("administrator", "/sources", 413),
    ):  # fmt: skip
        with visit(shop, role) as http:
            answer = http.post(path, content=b"a=1&" * 100_000, headers=form, follow_redirects=False)
        assert answer.status_code == status


def test_an_event_s_name_that_tells_a_person_is_kept_without_telling(shop, http):
    key = shop.add_source("web", "tracking")
    calls = [{"type": "track", "event": "Invited eve@example.com", "userId": "u1", "messageId": "1"}]
    assert http.post("/v1/batch", json={"batch": calls}, auth=(key, "")).status_code == 200
    shop.hear()
    assert [entry.name for entry in shop.timeline("user_id:u1").entries] == ["Invited …"]
