"""Whatever somebody is called, and however long: the tables of every page stay on the screen and can be read."""

from __future__ import annotations

import pytest
from tests.events import DAY, order, put

MAIL = f"{'thelongmailboxofacallcentre' * 2}@{'subdomainofaverylargecompany' * 2}.example.com"
NAMED = "N" * 60
KEY = "programthatreads" * 3
SUBJECT, DETAIL = "c" + "0123456789" * 9, "detail" * 25
SOURCE, BRAND = "source" * 6, "brand" * 15
PRODUCT, KIND = "product" * 14, "dance" * 18
SIZES = {"phone": (390, 844), "tablet": (800, 1100), "desk": (1280, 900)}
PAGES = {
    "/settings/audit": (MAIL, SUBJECT, DETAIL),
    "/settings/users": (MAIL, NAMED, "x" + MAIL),
    "/settings/keys": (KEY,),
    "/account": (MAIL,),
    "/sources": (SOURCE, BRAND),
    "/sources/" + SOURCE: (SOURCE,),
    "/flow": (SOURCE,),
    "/quarantine": (SOURCE,),
    "/identities": ("z" + MAIL,),
    "/customers": (MAIL,),
    "/customers/{customer}": (MAIL, PRODUCT),
    "/": (MAIL,),
}
HIDDEN_ON_A_PHONE = {"/settings/audit": {DETAIL}}

LOOK = """([width, values]) => {
    const beyond = e => e.getBoundingClientRect().right > width + 0.5;
    const text = [...document.querySelectorAll('main *')].filter(e => e.checkVisibility() && e.children.length === 0);
    const lines = e => { const r = document.createRange(); r.selectNodeContents(e); return new Set(
        [...r.getClientRects()].filter(b => b.width > 1).map(b => Math.round(b.top))).size; };
    const holds = v => [...document.querySelectorAll('main *')].filter(
        e => e.checkVisibility() && e.textContent.includes(v));
    return {
        page: document.documentElement.scrollWidth,
        beyond: text.filter(e => beyond(e) && !e.closest('pre, .chips, .unseen, .scroll')).map(e => e.outerHTML),
        sideways: [...document.querySelectorAll('main .scroll')].filter(
            e => e.scrollWidth > e.clientWidth && !e.querySelector('.matrix')).map(e => e.ariaLabel),
        missing: values.filter(v => holds(v).length === 0),
        when: Math.max(0, ...[...document.querySelectorAll('table .when')].filter(
            e => e.checkVisibility() && e.children.length === 0).map(lines)),
    };
}"""


@pytest.fixture
def wordy(shop, visit):
    """A shop in which everything that somebody may name bears one long word; gives it and its customer."""
    shop.add_user(MAIL, "administrator")
    shop.add_user("x" + MAIL, "analyst", name=NAMED)
    shop.add_user("anna@example.com", "marketer", name="Anna Example")
    shop.add_api_key(KEY, ["report", "look_up", "see_demographic"])
    key = shop.add_source(SOURCE, "tracking", brand=BRAND)
    put(shop, *[order(f"o{n}", -n * DAY, product=PRODUCT, ids={"email": MAIL}) for n in range(6)])
    put(
        shop,
        *[
            order(f"s{n}", ids={"user_id": f"7{n}", "phone": "+447700900123", "email": "z" + MAIL})
            for n in range(2)
        ],
    )
    shop.refresh()
    with visit(shop) as http:
        calls = [
            {"type": "track", "event": "Seen", "userId": "u1"},
            {"type": KIND},
            {"type": "track", "userId": "u"},
        ]
        assert http.post("/v1/batch", json={"batch": calls}, auth=(key, "")).status_code == 200
    shop.hear()
    user = shop.enter(shop.user_link(MAIL, "sign_in").token)
    shop._note("open /" + "longaddress" * 8, "u1", outcome="refused")
    for outcome in ("allowed", "refused"):
        shop._note("hand over the job 'refresh'", SUBJECT, DETAIL, actor=user.user.id, outcome=outcome)
    return shop, shop.customer(MAIL).id, user.token


def test_no_long_word_pushes_anything_off_the_screen(wordy, served, open_page):
    shop, customer, token = wordy
    with served(shop) as address:
        page = open_page(address + "/about", signed_in=False)
        page.context.add_cookies([{"name": f"shopkeeper-{shop.mark}", "value": token, "url": address}])
        for path, given in PAGES.items():
            page.goto(address + path.format(customer=customer))
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                hidden = HIDDEN_ON_A_PHONE.get(path, set()) if size == "phone" else set()
                found = page.evaluate(LOOK, [width, [v for v in given if v not in hidden]])
                assert found.pop("page") <= width, (path, size)
                assert found.pop("when") <= (3 if size == "phone" else 1), (path, size)
                assert found == {"beyond": [], "sideways": [], "missing": []}, (path, size)
        page.goto("about:blank")  # asks no more
