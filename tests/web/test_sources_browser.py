"""The pages of live collection in a real browser, with something on them."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

PHONE = {"width": 390, "height": 844}
PAGES = ("/flow", "/sources", "/sources/web-shop-with-a-very-long-name-indeed", "/quarantine")


@pytest.fixture
def fed(shop, visit):
    """A shop with a source that told something good and something bad."""
    key = shop.add_source("web-shop-with-a-very-long-name-indeed", "tracking", brand="North")
    shop.add_source("shopify", "shopify")
    calls = [
        {"type": "track", "event": "Product Viewed", "userId": f"u{n}", "messageId": f"{n}"} for n in range(9)
    ]
    with visit(shop) as http:
        batch = {"batch": [*calls, {"type": "dance"}, {"type": "track", "userId": "u"}]}
        assert http.post("/v1/batch", json=batch, auth=(key, "")).status_code == 200
    shop.hear()
    return shop


COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What a dark page can fail where the same page in the light did not."""


def serious(page, **options):
    violations = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    found = [v for v in violations if v["impact"] in {"serious", "critical"}]
    return [(v["id"], [node["target"] for node in v["nodes"][:3]]) for v in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_them_and_nothing_is_wider_than_the_screen(fed, served, turn_to, scheme):
    with served(fed) as address:
        for path in PAGES:
            page = turn_to(address + path, color_scheme=scheme)
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert serious(page, **(COLOURS if scheme == "dark" else {})) == [], path
            page.set_viewport_size(PHONE)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            page.goto("about:blank")  # asks no more


def test_a_source_is_added_by_hand_and_its_key_works(shop, served, open_page, visit):
    with served(shop) as address:
        page = open_page(address + "/sources")
        page.get_by_label("Name").fill("app")
        page.get_by_role("button", name="Add the source").click()
        key = page.locator("code.secret").inner_text()
        page.goto(address + "/sources/app")
        assert page.locator("code.secret").count() == 0
        body = {"type": "track", "event": "X", "userId": "u1", "writeKey": key}
        assert page.request.post(address + "/v1/track", data=body).status == 200
    shop.hear()
    assert len(shop.timeline("user_id:u1").entries) == 1


def test_the_flow_asks_for_itself_again(fed, served, open_page):
    with served(fed) as address:
        page = open_page(address + "/flow")
        page.evaluate("document.querySelector('#live').dataset.old = 'yes'")
        attributes = {
            name: page.locator("#live").get_attribute(name) for name in ("hx-get", "hx-select", "hx-trigger")
        }
        assert attributes == {"hx-get": "/flow", "hx-select": "#live", "hx-trigger": "every 10s"}
        page.evaluate("htmx.ajax('GET', '/flow', {target: '#live', select: '#live', swap: 'outerHTML'})")
        page.wait_for_function("() => !document.querySelector('#live').dataset.old")
        assert page.locator(".hours rect.hour-kept").count() == 24
        page.goto("about:blank")
