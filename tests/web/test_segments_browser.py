"""The builder of segments in a real browser: clicked, typed, by the keyboard alone; and everybody can use the pages."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from shopkeeper.shop.demo import build

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
MIXED = (
    "orders > 3 and (p_alive < 0.5 or events('Product Viewed', category => 'Lighting', days => 14) >= 2) and not "
    "(country ilike '%king%' or state in ('fading', 'lapsed') or last_order >= today() - interval '3 months' "
    "or revenue / orders > 10)"
)


@pytest.fixture(scope="module")
def segmented(tmp_path_factory):
    shop, _ = build(tmp_path_factory.mktemp("clicked") / "shop", size=0.02)
    with shop:
        shop.save_segment("keen", "state = 'fading' or orders >= 5", title="Keen")
        shop.save_segment("keen-online", "segment('keen') and web_orders >= 1", title="Keen online")
        yield shop


@pytest.fixture(scope="module")
def pages(segmented, served):
    with served(segmented) as address:
        yield address


COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What a dark page can fail where the same page in the light did not."""


def serious(page, **options):
    violations = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    found = [v for v in violations if v["impact"] in {"serious", "critical"}]
    return [(v["id"], [node["target"] for node in v["nodes"][:3]]) for v in found]


def typed(page):
    return page.get_by_role("textbox", name="Or by typing")


def says(page, text):
    """Wait until the text box, which the server writes, says so."""
    page.wait_for_function("text => document.querySelector('#f-condition').value === text", arg=text)


def counted(page, number):
    """Wait until the exact number of customers stands there."""
    page.wait_for_function("n => document.querySelector('#size-n').textContent === n", arg=f"{number:,}")


def pick(page, words, label, within=None):
    (within or page).get_by_role("button", name="Add a condition").last.click()
    page.locator("#pick-search").fill(words)
    page.locator("#picker").get_by_role("button", name=re.compile(f"^{label}")).first.click()


def test_a_condition_is_clicked_together_and_saved(segmented, pages, turn_to):
    page = turn_to(pages + "/segment-builder")
    pick(page, "orders placed", "Orders")
    assert "1 row or filter is not complete yet" in page.locator("#unfinished").inner_text()
    page.get_by_label("Orders: value").fill("2")
    says(page, "orders >= 2")
    counted(page, segmented.size("orders >= 2").customers)
    assert page.locator("#english").inner_text() == "Orders at least 2."
    page.get_by_label("Orders: how").select_option("between")
    page.get_by_label("Orders: to").fill("9")
    says(page, "orders between 2 and 9")

    page.locator(".cond-group").first.get_by_role("button", name="Add a group").click()
    inner = page.locator(".cond-group .cond-group")
    inner.get_by_label("Match").select_option("none")
    pick(page, "state", "State", inner)
    page.get_by_label("State: how").select_option("in")
    page.get_by_label("fading", exact=True).check()
    says(
        page,
        "orders between 2 and 9 and not state in ('new', 'fading')".replace("not state in", "state not in"),
    )

    pick(page, "product viewed", "Product Viewed", inner)
    page.get_by_label("How often they did something: how").select_option(">=")
    page.get_by_label("How often they did something: value").fill("3")
    page.get_by_role("button", name="Add a filter").click()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Fact"
    assert "1 row or filter is not complete yet" in page.locator("#unfinished").inner_text()
    page.get_by_label("category", exact=True).fill("Lighting")
    assert page.locator("#unfinished").inner_text() == ""
    page.get_by_label("When", exact=True).focus()
    page.get_by_label("When", exact=True).select_option("hours")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "When"
    page.get_by_label("When", exact=True).select_option("days")
    page.get_by_label("How many days").fill("365")
    text = (
        "orders between 2 and 9 and not (state in ('new', 'fading') or events('Product Viewed', category => "
        "'Lighting', days => 365) >= 3)"
    )
    says(page, text)
    counted(page, segmented.size(text).customers)

    page.get_by_label("Title").fill("Née & Söhne, 2011!")
    assert page.get_by_label("Name", exact=True).input_value() == "nee-sohne-2011"
    page.get_by_role("button", name="Save and use").click()
    page.wait_for_url("**/segments/nee-sohne-2011?done=saved")
    assert page.locator("h1").inner_text() == "Née & Söhne, 2011!"
    saved = segmented.segment("nee-sohne-2011").segment
    assert (saved.condition, saved.state, saved.size) == (text, "live", segmented.size(text).customers)


def test_what_was_clicked_a_moment_ago_is_saved_too(segmented, pages, turn_to):
    page = turn_to(pages + "/segment-builder")
    pick(page, "orders placed", "Orders")
    page.get_by_label("Orders: value").fill("2")
    says(page, "orders >= 2")
    page.get_by_label("Name", exact=True).fill("hasty")
    page.evaluate(
        "() => { const field = document.querySelector('[aria-label=\"Orders: value\"]'); field.value = '7';"
        "field.dispatchEvent(new Event('input')); document.querySelector('[value=save]').click(); }"
    )
    page.wait_for_url("**/segments/hasty?done=saved")
    assert segmented.segment("hasty").segment.condition == "orders >= 7"


def test_a_large_shop_is_estimated_first_and_counted_then(segmented, pages, turn_to, monkeypatch):
    monkeypatch.setattr("shopkeeper.stores.lake.sample.SAMPLE_CUSTOMERS", 60)
    estimate = segmented.read_back("orders >= 1", size="estimate").size
    assert not estimate.exact
    page = turn_to(pages + "/segment-builder")
    page.evaluate(
        "() => { const [n, note] = document.querySelectorAll('#size-n, #size-n-note'); window.seen = [];"
        "new MutationObserver(() => window.seen.push(`${n.textContent}|${note.textContent}`))"
        ".observe(document.querySelector('#size'), {childList: true, subtree: true, characterData: true}); }"
    )
    typed(page).fill("orders >= 1")
    counted(page, segmented.size("orders >= 1").customers)
    said = f"about {estimate.customers:,}|{estimate.low:,} to {estimate.high:,}; counting exactly …"
    assert said in page.evaluate("window.seen")


def test_what_is_typed_shows_as_rows_which_can_be_changed(segmented, pages, turn_to):
    page = turn_to(pages + "/segment-builder")
    typed(page).fill(MIXED)
    page.wait_for_function("() => document.querySelectorAll('.cond-row').length === 7")
    assert page.locator(".cond-group").count() == 3
    assert page.get_by_label("Still a customer: value").input_value() == "50"
    assert page.get_by_label("Country: value").input_value() == "king"
    assert page.get_by_label("Last order: how many").input_value() == "3"
    assert page.locator(".cond-sql").inner_text() == "revenue / orders > 10"
    assert typed(page).input_value() == MIXED, "what somebody types is left as it is"
    page.get_by_label("Still a customer: value").fill("30")
    says(page, MIXED.replace("0.5", "0.3"))
    page.get_by_label("Last order: unit").select_option("week")
    says(page, MIXED.replace("0.5", "0.3").replace("3 months", "3 weeks"))
    page.locator(".cond-row", has=page.locator(".cond-sql")).get_by_role("button", name="Remove").click()
    says(
        page,
        MIXED.replace("0.5", "0.3").replace("3 months", "3 weeks").replace(" or revenue / orders > 10", ""),
    )


@pytest.mark.parametrize(
    "text",
    [
        "events('Product Added', then_not => 'Order Completed', within_days => 3) >= 1",
        "spend(category => 'Lighting', since => this_month()) > 100",
        "last('Product Viewed', 'Product Added') >= date '2011-01-31'",
        "orders(channel in ('web', 'app'), since => date '2011-01-01', before => date '2011-02-01') between 1 and 3",
        "not events('Email Opened', machine => true, hours => 36)",
        "first_order < date '2011-01-01' and country is not null and not omnichannel",
        "last_seen < now() - interval '2 hours' or clv_12m > revenue",
        "segment('keen') and not segment('keen-online')",
        "main_place like 'S%' or country not in ('France', 'Spain') or mean_gap not between 2.5 and 9",
    ],
)
def test_rows_give_back_exactly_the_text_they_were_made_of(pages, turn_to, text):
    page = turn_to(pages + "/segment-builder")
    typed(page).fill(text)
    page.wait_for_function("() => document.querySelectorAll('.cond-row').length > 0")
    assert page.locator(".cond-sql").count() == 0
    pick(page, "orders placed", "Orders")
    page.get_by_label("Orders: value").fill("1")
    page.wait_for_function("() => document.querySelector('#f-condition').value.includes('orders >= 1')")
    page.locator(".cond-row", has_text="Orders").last.get_by_role("button", name="Remove", exact=True).click()
    says(page, text)


def test_an_error_is_shown_at_its_place(pages, turn_to):
    page = turn_to(pages + "/segment-builder")
    box = typed(page)
    box.fill("country = '\N{CAT FACE}' and ordrs > 3")
    page.locator("#wrong").wait_for()
    assert page.locator("#wrong-place mark").inner_text() == "ordrs"
    assert "Did you mean 'orders'?" in page.locator("#wrong").inner_text()
    assert box.get_attribute("aria-invalid") == "true"
    assert serious(page) == []
    page.get_by_role("button", name="Go to the place").click()
    selected = (
        "() => { const b = document.activeElement; return b.value.slice(b.selectionStart, b.selectionEnd); }"
    )
    assert page.evaluate(selected) == "ordrs"
    page.keyboard.type("orders")
    page.wait_for_function("() => document.querySelector('#wrong').hidden")
    assert box.get_attribute("aria-invalid") is None
    box.fill("")
    page.wait_for_function("() => !document.querySelector('.cond-row')")
    page.locator("#english", has_text="Nothing is asked yet").wait_for()


def test_the_keyboard_alone_builds_and_saves(segmented, pages, turn_to):
    page = turn_to(pages + "/segment-builder")

    def tab_to(text, key="Tab"):
        for _ in range(60):
            page.keyboard.press(key)
            name = page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
            if name.strip() == text:
                return
        raise AssertionError(text)

    tab_to("Add a condition")
    page.keyboard.press("Enter")
    page.keyboard.type("orders online")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Orders online: value"
    page.keyboard.type("2")
    says(page, "web_orders >= 2")
    counted(page, segmented.size("web_orders >= 2").customers)
    tab_to("Add a condition")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Add a condition"
    page.locator("#f-title").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/segments/by-keyboard?done=saved")
    assert segmented.segment("by-keyboard").segment.condition == "web_orders >= 2"


def test_a_segment_is_changed_and_laid_beside_others(segmented, pages, turn_to):
    page = turn_to(pages + "/segments/keen")
    page.locator("#comparison .seg-facts").first.wait_for()
    page.locator("#channels table").wait_for()
    page.locator("#overlaps table").wait_for()
    assert page.locator("figure[data-chart=audience] canvas").count() == 1
    assert f"{segmented.segment('keen').segment.size} in it" in page.locator(".readout").inner_text()
    before = page.locator("#comparison .measure").inner_text()
    page.get_by_label("Beside").select_option("other buyers")
    page.wait_for_function(
        "text => document.querySelector('#comparison .measure').innerText !== text", arg=before
    )
    assert page.get_by_label("Beside").input_value() == "other buyers"
    page.get_by_role("link", name="Change the condition").click()
    page.wait_for_function("() => document.querySelectorAll('.cond-row').length === 2")
    assert page.get_by_label("Name", exact=True).get_attribute("readonly") is not None
    assert page.locator(".cond-group").first.get_attribute("data-match") == "any"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_them_and_nothing_is_wider_than_the_screen(pages, turn_to, scheme):
    for path in ("/segments", "/segments/keen", "/segments/keen/comparison", "/segment-builder?of=keen"):
        page = turn_to(pages + path, color_scheme=scheme)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert serious(page, **(COLOURS if scheme == "dark" else {})) == [], path
        for size in (PHONE, DESK):
            page.set_viewport_size(size)
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
    typed(page).fill(MIXED)
    page.wait_for_function("() => document.querySelectorAll('.cond-row').length === 7")
    assert serious(page, **(COLOURS if scheme == "dark" else {})) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Add a condition").first.click()
    assert serious(page) == []


def test_without_scripts_a_condition_is_typed_read_back_and_saved(segmented, pages, open_page):
    page = open_page(pages + "/segment-builder", java_script_enabled=False)
    typed(page).fill("ordrs > 2")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_role("button", name="Read it back").click()
    assert page.locator("#wrong-place mark").inner_text() == "ordrs"
    typed(page).fill("orders > 2")
    page.get_by_role("button", name="Read it back").click()
    assert page.locator("#english").inner_text() == "Orders above 2."
    assert page.locator("#size-n").inner_text() == f"{segmented.size('orders > 2').customers:,}"
    page.get_by_role("button", name="Save as a draft").click()
    assert segmented.segment("plain").segment.state == "draft"
    page.get_by_role("link", name="What they have in common").click()
    assert page.locator(".seg-facts").first.is_visible()
