"""Segments on their pages and by the API: listed, suggested, built, saved, compared; and who may do what."""

from __future__ import annotations

import html
import re

import pytest

from shopkeeper.shop.demo import build
from shopkeeper.shop.working import Worker
from shopkeeper.web.pages.segment_builder import BEGINNINGS
from shopkeeper.web.render import tight
from shopkeeper.web.show import Show

READ = "/segment-builder/read"
API = "/api/v1/insight"
ASKED = "state = 'fading' or orders >= 5"


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    """The sample shop with two segments, one of which asks about the other."""
    shop, _ = build(tmp_path_factory.mktemp("segments") / "shop", size=0.02)
    with shop:
        shop.save_segment("keen", ASKED, title="Keen <b>ones</b>", sentence="For the <i>letter</i>.")
        shop.save_segment("keen-online", "segment('keen') and web_orders >= 1", title="Keen online")
        yield shop


def marked(http, path="/segment-builder"):
    """The mark that forms of a session carry."""
    return re.search(r'name="csrf" value="([0-9a-f]+)"', http.get(path).text)[1]


def read(http, **asked):
    mark = marked(http) if "x-csrf-token" not in http.headers else http.headers["x-csrf-token"]
    return http.post(READ, json=asked, headers={"x-csrf-token": mark})


def test_the_list_says_who_they_are_and_what_they_are_worth(segmented, visit):
    with visit(segmented) as http:
        page = http.get("/segments").text
    assert "Keen &lt;b&gt;ones&lt;/b&gt;" in page
    assert "<b>ones" not in page
    assert "Either state is ‘fading’, or orders at least 5" in page
    size = segmented.size(ASKED)
    assert f">{size.customers:,}<" in page
    assert segmented.worths()["keen"].customers == size.customers == segmented.segment("keen").segment.size
    assert segmented.worths()["keen"].expected == pytest.approx(size.expected, abs=0.02)
    assert "Show those put away" in page


def test_suggestions_come_with_sizes_and_one_click_saves_one(segmented, visit):
    with visit(segmented, "marketer") as http:
        found = segmented.suggestions()
        piece = http.get("/segment-suggestions", headers={"hx-request": "true"}).text
        assert "<html" not in piece
        row = next(row for row in found.rows if row.customers and not row.saved)
        assert row.customers == segmented.size(row.condition).customers
        assert row.title in piece
        fields = {"name": row.key.replace("_", "-"), "title": row.title, "condition": row.condition}
        saved = http.post("/segments", data={"csrf": marked(http), "then": "activate", **fields})
        assert "Saved." in saved.text
        assert segmented.segment(fields["name"]).segment.state == "live"
        assert segmented.segment(fields["name"]).segment.size == row.customers
        assert next(one for one in segmented.suggestions().rows if one.key == row.key).saved == fields["name"]
        again = http.post("/segments", data={"csrf": marked(http), "then": "save", **fields})
        assert again.status_code == 409
        assert "already" in again.text
        shown = http.get("/segment-builder", params={"suggestion": row.key}).text
        assert row.title in shown
        assert http.get("/segment-builder", params={"suggestion": "nothing"}).status_code == 404


def test_text_and_rows_are_read_back_in_every_form(segmented, visit):
    with visit(segmented) as http:
        typed = read(http, text="orders>1   AND segment('keen')", size="exact").json()
        assert typed["text"] == "orders > 1 and segment('keen')"
        assert typed["english"] == "Orders above 1, and in the segment ‘keen’"
        assert typed["segments"] == ["keen"]
        assert typed["size"]["customers"] == segmented.size("orders > 1 and segment('keen')").customers
        built = read(http, builder=typed["builder"]).json()
        assert (built["text"], built["builder"]) == (typed["text"], typed["builder"])
        wrong = read(http, text="orders > 1 and ordrs < 3").json()["error"]
        assert (wrong["start"], wrong["stop"]) == (15, 20)
        assert "did you mean 'orders'" in wrong["hint"]
        of_rows = {"operand": {"trait": "orders"}, "operator": "=", "value": "many"}
        told = read(http, builder=of_rows).json()
        assert told["text"] == "orders = 'many'"
        assert told["text"][told["error"]["start"] : told["error"]["stop"]] in told["text"]
        assert read(http, builder={"match": "some", "rows": [of_rows]}).json()["error"]["message"]
        unknown = read(http, text="segment('nobody')").json()["error"]
        assert "segment" in unknown["message"]
        assert read(http, text="x" * 20_001).status_code == 400
        assert read(http).status_code == 400
        assert read(http, text="orders > 1", more=1).status_code == 400
        assert http.post(READ, json={"text": "orders > 1"}).status_code == 403


def test_what_cannot_be_saved_is_said_beside_what_was_given(segmented, visit):
    with visit(segmented) as http:
        data = {
            "csrf": marked(http),
            "name": "wrong",
            "title": "T<b>",
            "condition": "ordrs > 3",
            "then": "save",
        }
        page = http.post("/segments", data=data)
        assert page.status_code == 400
        assert "<mark>ordrs</mark>" in page.text
        assert "T&lt;b&gt;" in page.text
        assert http.post("/segments", data=data | {"condition": "orders > 3", "name": ""}).status_code == 400
        assert (
            http.post("/segments", data=data | {"condition": "orders > 3", "name": "No!"}).status_code == 400
        )
        circle = data | {"condition": "segment('keen-online')", "name": "keen", "of": "keen"}
        assert http.post("/segments", data=circle).status_code == 400
        assert "wrong" not in {one.name for one in segmented.segments()}


def test_one_segment_with_its_versions_members_and_states(segmented, visit):
    segmented.save_segment("changing", "orders >= 2", title="Changing", activate=False)
    with visit(segmented) as http:
        page = http.get("/segments/changing").text
        assert "Nobody is in it: it is a draft" in page
        mark = marked(http)
        change = {"csrf": mark, "of": "changing", "name": "changing", "title": "Changing", "then": "activate"}
        saved = http.post("/segments", data=change | {"condition": "orders >= 3"})
        assert "2 versions" in saved.text
        assert segmented.segment("changing").segment.size == segmented.size("orders >= 3").customers > 25
        first = segmented.members("changing", limit=25)
        assert f"/customers/{first.rows[0].customer}" in saved.text
        worth = segmented.worths()["changing"]
        held = next(row for row in segmented.value().segments if row.name == "changing")
        assert (worth.low, worth.high) == pytest.approx((held.low, held.high), abs=0.02)
        show = Show("GBP", "Europe/London")
        assert f"{show.money(worth.low)} to {show.money(worth.high)}" in saved.text
        lines = http.get("/segments/changing/customers.csv").text.splitlines()
        assert len(lines) == 1 + segmented.segment("changing").segment.size
        assert 'href="/segments/changing/customers.csv"' in saved.text
        more = f"/segments/changing/members?cursor={first.next}"
        assert more in saved.text
        rows = http.get(more, headers={"hx-request": "true"}).text
        assert "<html" not in rows
        assert segmented.members("changing", cursor=first.next, limit=1).rows[0].customer in rows
        assert "<html" in http.get(more).text
        paused = http.post("/segments/changing", data={"csrf": mark, "what": "pause"})
        assert "stands still" in paused.text
        used = http.post("/segments/keen", data={"csrf": mark, "what": "archive"})
        assert used.status_code == 409
        assert "keen-online" in used.text
        assert http.post("/segments/changing", data={"csrf": mark, "what": "eat"}).status_code == 400
        archived = http.post("/segments/changing", data={"csrf": mark, "what": "archive"})
        assert "put away" in archived.text
        assert "Changing" not in http.get("/segments").text
        assert "Changing" in http.get("/segments?archived=true").text
        assert http.get("/segments/nothing").status_code == 404
        assert http.get("/segments/nothing/comparison").status_code == 404
        assert http.get("/segments/nothing/customers.csv").status_code == 404
        assert http.get("/segment-builder", params={"of": "nothing"}).status_code == 404
        assert http.get("/segment-builder?begin=nothing").status_code == 400
        for begin, (_, _, condition) in BEGINNINGS.items():
            page = http.get("/segment-builder", params={"begin": begin}).text
            assert html.escape(condition, quote=True).replace("&#x27;", "&#39;") in page
            assert f"{segmented.size(condition).customers:,}</dd>" in page


def test_comparison_channels_and_overlaps_say_what_the_library_says(segmented, visit):
    piece = {"hx-request": "true"}
    with visit(segmented) as http:
        found = segmented.compare("keen")
        page = http.get("/segments/keen/comparison", headers=piece).text
        assert found.facts
        assert tight(found.facts[0].sentence)[1:] in page
        assert f"{found.group:,} customers beside {found.rest:,}" in page
        assert page.count("seg-point") >= min(len(found.facts), 12)
        buyers = segmented.compare("keen", "other buyers")
        assert buyers.group == found.group
        assert buyers.rest < found.rest
        page = http.get("/segments/keen/comparison", params={"with": "other buyers"}, headers=piece).text
        assert f"beside {buyers.rest:,}" in page
        nobody = http.get("/segments/keen-online/comparison", params={"with": "keen"}, headers=piece)
        assert nobody.status_code == 200
        assert "obody is" in nobody.text
        part = segmented.channels_of("keen")
        page = http.get("/segments/keen/channels", headers=piece).text
        assert f"{part.orders:,} orders" in page
        assert part.hidden[0][1:40] in page
        both = next(p for p in segmented.overlaps("keen", "keen-online").pairs)
        assert both.both == segmented.segment("keen-online").segment.size
        page = http.get("/segments/keen/overlaps", headers=piece).text
        assert "/segments/keen-online" in page
        assert "<html" in http.get("/segments/keen/overlaps").text


def test_a_group_is_a_segment_or_a_condition_and_says_so_where_it_is_neither(segmented):
    assert segmented.compare(ASKED).group == segmented.compare("keen").group
    told = segmented.compare("keen")
    assert {"orders", "state"} <= {fact.about for fact in told.by_definition}
    within = segmented.compare("keen-online")
    assert {"orders", "state"} <= {fact.about for fact in within.by_definition}, (
        "what a segment within is made of"
    )
    with pytest.raises(ValueError, match="unknown segment 'kene'; did you mean 'keen'"):
        segmented.compare("kene")


def test_who_may_see_and_who_may_save(segmented, visit):
    member = segmented.members("keen", limit=1).rows[0]
    assert len(member.name) > 3
    with visit(segmented, "analyst") as http:
        page = http.get("/segments/keen").text
        assert "Its customers" not in page
        assert 'href="/segments/keen/customers.csv"' in page, "ids and figures, no names"
        assert "Put it away" not in page
        assert http.get("/segments/keen/members").status_code == 403
        assert "Saving segments is for" in http.get("/segment-builder").text
        assert read(http, text="orders > 1").json()["english"]
        data = {"csrf": marked(http), "name": "mine", "condition": "orders > 1", "then": "save"}
        assert http.post("/segments", data=data).status_code == 403
    with visit(segmented, "marketer") as http:
        page = http.get("/segments/keen").text
        assert "Put it away" in page
        assert member.name not in page
    with visit(segmented, "associate") as http:
        assert http.get("/segments").status_code == 403
        assert 'href="/segments"' not in http.get("/customers").text


def test_programs_ask_the_same(segmented, visit):
    key = segmented.add_api_key("reports", ["report"]).secret
    with visit(segmented, None) as http:
        http.headers["authorization"] = f"Bearer {key}"
        told = http.post(API + "/compare", json={"segment": "keen", "with": "other buyers"}).json()
        assert told["group"] == segmented.compare("keen").group
        assert http.post(API + "/channels", json={}).json()["orders"] == segmented.channels_of().orders
        both = http.post(API + "/overlaps", json={"segments": ["keen", "orders > 3"]}).json()
        assert both["sizes"]["orders > 3"] == segmented.size("orders > 3").customers
        assert http.get(API + "/suggestions").json()["rows"][0]["condition"]
        assert http.post(API + "/condition", json={"text": "ordrs"}).json()["error"]["start"] == 0
        assert http.post(API + "/compare", json={"segment": "kene"}).status_code == 400
        assert http.post(API + "/compare", json={"segment": 5}).status_code == 400
        http.headers["authorization"] = f"Bearer {segmented.add_api_key('till', ['look_up']).secret}"
        assert http.post(API + "/compare", json={"segment": "keen"}).status_code == 403


def test_before_the_first_refresh_it_can_be_read_and_nobody_be_counted(shop, visit):
    shop.save_segment("early", "orders > 1", title="Early")
    with visit(shop) as http:
        page = http.get("/segments").text
        assert "Early" in page
        assert "Orders above 1" in page
        assert "Nobody is known yet" in http.get("/segment-suggestions").text
        told = read(http, text="orders > 1", size="exact").json()
        assert (told["english"], told["size"]) == ("Orders above 1", None)
        assert http.get("/segments/early").status_code == 200
        assert "nobody can be asked about yet" in http.get("/segments/early/comparison").text.lower()


def test_beside_a_worker_it_is_the_worker_that_saves(shop, visit):
    with visit(shop) as http, Worker(shop.places):
        data = {"csrf": marked(http), "name": "early", "condition": "orders = 0", "then": "activate"}
        assert "Saved." in http.post("/segments", data=data).text
        wrong = http.post("/segments", data=data | {"name": "wrong", "condition": "ordrs = 0"})
        assert wrong.status_code == 400
        assert "<mark>ordrs</mark>" in wrong.text
        paused = http.post("/segments/early", data={"csrf": data["csrf"], "what": "pause"})
        assert paused.status_code in {200, 409}
    assert [one.name for one in shop.segments()] == ["early"]


def test_where_its_customers_came_from_and_went(segmented, visit):
    with visit(segmented, "analyst") as http:
        assert 'hx-get="/segments/keen/flows"' in http.get("/segments/keen").text
        piece = http.get("/segments/keen/flows?per=week", headers={"hx-request": "true"}).text
        assert "<html" not in piece
        assert "Keen &lt;b&gt;ones&lt;/b&gt;" in piece
        assert "<b>ones" not in piece
        assert piece.count("<path") >= 1
        size = segmented.segment("keen").segment.size
        assert f'<td class="n">{size:,}</td></tr>' in piece
        alone = http.get("/segments/keen/flows?chosen=1").text
        assert "<html" in alone
        assert "Keen online</label>" in alone
        assert http.get("/segments/keen/flows?with=nobody").status_code == 400
        assert "Unknown length of a period" in http.get("/segments/keen/flows?per=year").text
        assert http.get("/segments/nobody/flows").status_code == 404


def test_flows_for_programs(segmented, visit):
    secret = segmented.add_api_key("flows", ["report"]).secret
    with visit(segmented, None) as http:
        asked = {"segments": ["keen", "keen-online"], "per": "week", "periods": 3}
        told = http.post(f"{API}/flows", json=asked, headers={"authorization": f"Bearer {secret}"})
        assert told.status_code == 200, told.text
        assert told.json()["segments"] == ["keen", "keen-online"]
        assert sum(one["at_end"] for one in told.json()["traffic"][-2:]) >= 1
        wrong = http.post(
            f"{API}/flows", json={"segments": ["kene"]}, headers={"authorization": f"Bearer {secret}"}
        )
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "unknown_name")
