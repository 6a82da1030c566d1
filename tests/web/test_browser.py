"""The pages in a real browser: they work, ask no other host, and can be used by everybody."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 800, "height": 1100}
DESK = {"width": 1280, "height": 900}
PAGES = (
    "/",
    "/customers",
    "/customers/{buyer}",
    "/segments",
    "/value",
    "/segment-builder",
    "/segment-suggestions",
    "/advocates",
    "/identities",
    "/identities/rules",
    "/identities?one={buyer}&other=c1",
    "/quarantine",
    "/about",
    "/api/v1/docs",
    "/account",
    "/settings/users",
    "/settings/keys",
    "/settings/audit",
)


def serious(page, **options):
    """What axe finds serious or critical, with the first places of each."""
    violations = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        (found["id"], [node["target"] for node in found["nodes"][:3]])
        for found in violations
        if found["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_in_light_and_dark(site, buyer, turn_to, path):
    page = turn_to(site + path.format(buyer=buyer.id))
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert serious(page) == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert serious(page, runOnly=["color-contrast", "link-in-text-block"]) == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_screen(site, buyer, turn_to, path):
    page = turn_to(site + path.format(buyer=buyer.id), viewport=PHONE)
    for size in (PHONE, TABLET, DESK):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], size
        sideways = "[...document.querySelectorAll('.scroll:has(> :is(.val-card, .bars))')]"
        assert page.evaluate(f"{sideways}.every(x => x.scrollWidth <= x.clientWidth)"), size


def test_a_long_name_does_not_push_the_figures_off_a_phone(site, turn_to):
    page = turn_to(site, viewport=PHONE)
    page.evaluate(
        "document.querySelectorAll('.ranks th a').forEach(a => "
        "a.textContent = 'a.very.long.mailbox.of.somebody.without.a.name@subdomain.example.com')"
    )
    assert page.locator(".ranks th a").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_charts_are_drawn_and_read_out(site, turn_to, sample_shop):
    page = turn_to(site)
    assert page.locator("figure[data-chart=months] canvas").count() == 1
    readout = page.locator("figure[data-chart=months] .readout")
    last = readout.inner_text()
    assert last
    box = page.locator("figure[data-chart=months] .canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6)
    page.wait_for_function("text => document.querySelector('.readout').innerText !== text", arg=last)


def test_a_search_narrows_while_typing_and_keeps_its_address(site, buyer, turn_to):
    page = turn_to(site + "/customers")
    before = page.locator("[role=status]").inner_text()
    word = buyer.name.split()[-1]
    page.locator("#search").press_sequentially(word)  # who types slowly sees other answers on the way
    page.wait_for_function("word => new URLSearchParams(location.search).get('search') === word", arg=word)
    page.wait_for_function("name => document.querySelector('#rows').innerText.includes(name)", arg=buyer.name)
    assert page.locator("[role=status]").inner_text() != before
    page.reload()
    assert page.locator("#search").input_value() == word


def test_sorting_and_states_change_the_rows_without_a_new_page(site, buyer, turn_to):
    page = turn_to(site + "/customers")
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Orders", exact=True).click()
    page.wait_for_function("id => document.querySelector('#rows a').href.endsWith('/' + id)", arg=buyer.id)
    assert page.evaluate("window.same")
    assert page.locator(".sorts [aria-current]").inner_text() == "Orders"
    page.get_by_role("link", name="Fading", exact=True).click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('#rows .state')].every(x => x.innerText === 'fading')"
    )
    assert page.locator(".sorts [aria-current]").inner_text() == "Orders"
    assert page.locator("form.search input[name=state]").input_value() == "fading"
    assert page.locator(".deeds a[download]").get_attribute("href") == "/customers.csv?state=fading"
    assert page.evaluate("window.same")


def test_further_customers_are_added_below(site, turn_to, sample_shop):
    page = turn_to(site + "/customers")
    assert page.locator("#rows tr:not(.more)").count() == 50
    page.get_by_role("link", name="Show more").click()
    page.wait_for_function("() => document.querySelectorAll('#rows tr:not(.more)').length > 50")
    shown = [a.get_attribute("href").rpartition("/")[2] for a in page.query_selector_all("#rows th a")]
    assert shown == [row.id for row in sample_shop.find(limit=100).rows]


def test_the_timeline_goes_back_and_filters(site, buyer, turn_to, sample_shop):
    page = turn_to(f"{site}/customers/{buyer.id}")
    first = page.locator(".entry").count()
    assert first == 40
    page.get_by_role("link", name="Earlier").click()
    page.wait_for_function("n => document.querySelectorAll('.entry').length > n", arg=first)
    headings = page.locator(".day h3").all_inner_texts()
    assert len(headings) == len(set(headings))
    page.locator("#timeline .chips").get_by_role("link", name="Orders").click()
    page.wait_for_function("() => !document.querySelector('.entry:not(.kind-orders)')")
    assert page.locator(".entry.kind-orders").count() > 0
    assert page.locator("#timeline .chips [aria-current]").inner_text() == "Orders"


def test_the_keyboard_is_enough(site, turn_to):
    page = turn_to(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("anna")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers?search=anna")


def test_without_scripts_everything_can_be_reached(site, buyer, open_page):
    page = open_page(f"{site}/customers?sort=orders", java_script_enabled=False)
    page.get_by_role("link", name="Show more").click()
    assert "cursor=" in page.url
    page.goto(f"{site}/customers/{buyer.id}?kind=orders")
    assert page.locator(".entry:not(.kind-orders)").count() == 0
    page.locator("summary", has_text="As a table").click()
    assert page.locator(".as-table table").first.is_visible()


def test_somebody_signs_in_with_the_keyboard_and_comes_to_what_they_wanted(sample_shop, site, open_page):
    name = "keyboard@example.com"
    if not any(user.email == name for user in sample_shop.users()):
        sample_shop.add_user(name, "administrator")
    sample_shop.set_password(name, "velvet-kettle-orbit")
    page = open_page(site + "/customers?sort=orders", signed_in=False)
    assert serious(page) == []
    assert page.locator("nav.rooms").count() == 0
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type("velvet-kettle-orbit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers?sort=orders")
    page.goto(site + "/account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_a_link_signs_in_by_itself_and_once(sample_shop, site, open_page):
    if not any(user.email == "link@example.com" for user in sample_shop.users()):
        sample_shop.add_user("link@example.com", "associate")
    link = site + sample_shop.user_link("link@example.com", "sign_in").path
    page = open_page(link, signed_in=False)
    page.wait_for_url("**/customers")
    assert page.locator("nav.rooms a").all_inner_texts()[0] == "Customers"


def test_a_session_that_ended_leads_to_the_sign_in_from_a_piece_too(sample_shop, site, open_page):
    if not any(user.email == "ended@example.com" for user in sample_shop.users()):
        sample_shop.add_user("ended@example.com", "agent")
    page = open_page(site + sample_shop.user_link("ended@example.com", "sign_in").path, signed_in=False)
    page.wait_for_url("**/customers")
    page.context.clear_cookies()
    page.get_by_role("link", name="Orders", exact=True).click()
    page.wait_for_url("**/sign-in?next=%2Fcustomers*")
