"""The pages show what the shop knows, and say it when there is nothing to show."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from itertools import pairwise

import pytest

from shopkeeper.web.show import Show, place


def text_of(page: str) -> str:
    """What a reader sees of a page, in one line."""
    bare = re.sub(r"<script.*?</script>|<(?!wbr)[^>]+>", " ", page, flags=re.DOTALL).replace("<wbr>", "")
    return " ".join(html.unescape(bare).split())


def test_the_overview_tells_the_report(client, sample_shop):
    report = sample_shop.report()
    page = text_of(client.get("/").text)
    show = Show(report.currency, "Europe/London")
    assert (
        f"{show.count(report.people.customers)} customers stand behind {show.count(report.people.identities)}"
        in page
    )
    assert show.short(report.trade.amount) in page
    assert show.short(report.fading_value) in page
    for row in (*report.most_valuable[:8], *report.fading[:8]):
        assert row.name in page
    for ranked in (*report.categories[:5], *report.places):
        assert place(ranked.name) in page
    for name, count in report.states.items():
        assert f"{name.capitalize()} {show.count(count)}" in page


def test_the_intake_adds_up_on_the_page(client, sample_shop):
    page = text_of(client.get("/").text)
    for file in sample_shop.report().imports:
        assert file.read == file.kept + file.repeated + file.quarantined
        figures = " ".join(Show.count(n) for n in (file.read, file.kept, file.repeated, file.quarantined))
        assert f"{file.file} {file.kind.replace('_', ' ')} {figures}" in page
        if file.exact:
            assert Show.digits(file.exact) in page
            assert Show.digits(file.rounded) in page
            assert Show.digits(file.difference) in page


def test_the_score_card_says_who_won(client, sample_shop):
    chosen = next((score for score in sample_shop.report().scores if score.chosen), None)
    if chosen is None:
        pytest.skip("the sample is too small for a test inside the past")
    told = f"{chosen.name[:1].upper()}{chosen.name[1:]} is used"
    for page in ("/", "/value"):
        assert told in text_of(client.get(page).text), page


def test_links_on_the_overview_lead_somewhere(client):
    for address in set(re.findall(r'href="(/[^"#?]*)', client.get("/").text)):
        assert client.get(address).status_code == 200, address


def test_a_standing_clock_and_simulated_data_are_said_on_every_page(client, buyer):
    for path in (
        "/",
        "/customers",
        f"/customers/{buyer.id}",
        "/quarantine",
        "/about",
        "/api/v1/docs",
        "/nothing",
    ):
        page = text_of(client.get(path).text)
        assert "As of 10 December 2011" in page, path
        assert "Partly simulated data" in page, path


def test_about_says_what_is_simulated(client, sample_shop):
    assert " ".join(sample_shop.settings.simulated.split()) in text_of(client.get("/about").text)


def test_the_list_searches_sorts_and_pages(client, sample_shop, buyer):
    whole = client.get("/customers").text
    assert f"{sample_shop.find().total:,} customers" in text_of(whole)
    piece = client.get("/customers", params={"search": buyer.name}, headers={"hx-request": "true"}).text
    assert "<html" not in piece
    assert f"/customers/{buyer.id}" in piece
    by_orders = client.get("/customers?sort=orders").text
    assert re.search(r'<th scope="row"><a href="/customers/(\w+)"', by_orders)[1] == buyer.id
    more = html.unescape(re.search(r'hx-get="(/customers\?[^"]*cursor[^"]*)"', by_orders)[1])
    rows = client.get(more, headers={"hx-request": "true"}).text
    found = re.findall(r'<a href="/customers/(\w+)">', rows)
    expected = [row.id for row in sample_shop.find(sort="orders", limit=100).rows][50:]
    assert found == expected


def test_the_list_keeps_to_a_state_and_is_a_file(client, sample_shop, visit):
    found = sample_shop.find(state="fading", limit=50)
    page = client.get("/customers?state=fading").text
    assert re.findall(r'<th scope="row"><a href="/customers/(\w+)"', page) == [row.id for row in found.rows]
    assert f"{found.total:,} fading customer" in text_of(page)
    assert client.get("/customers?sort=fading").text == page, "how it was asked for once"
    first = found.rows[0]
    assert {row.state for row in found.rows} == {"fading"}
    traits = sample_shop.customer(first.id).traits
    for given, name in ((first.clv_low, "clv_low"), (first.clv_high, "clv_high"), (first.clv_12m, "clv_12m")):
        assert given == pytest.approx(traits[name])
    assert Show("GBP", "Europe/London").day(first.state_since) in page
    for address in set(re.findall(r'href="(/(?:customers.csv|segment-builder)[^"]*)"', page)):
        assert client.get(html.unescape(address)).status_code == 200, address
    sheet = client.get("/customers.csv?state=fading")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert 'filename="customers-fading-2011-12-10.csv"' in sheet.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(sheet.text)))
    assert {line["state"] for line in lines} == {"fading"}
    assert len(lines) >= found.total
    assert (lines[0]["id"], lines[0]["next_order"]) == (first.id, first.next_order.date().isoformat())
    assert first.name not in sheet.text
    searched = sample_shop.find(first.name, state="active")
    assert first.id not in {row.id for row in searched.rows}
    for path in ("/customers", "/customers.csv"):
        assert client.get(f"{path}?state=asleep").status_code == 400, path
    with visit(sample_shop, "associate") as http:
        assert "customers.csv" not in http.get("/customers?state=fading").text
        assert http.get("/customers.csv").status_code == 403


def test_a_search_without_a_match_says_so(client):
    page = text_of(client.get("/customers?search=zzzzqqqq").text)
    assert "Nobody is known by that." in page


def test_a_customer_in_full(client, sample_shop, buyer):
    profile = sample_shop.customer(buyer.id)
    page = text_of(client.get(f"/customers/{buyer.id}").text)
    assert profile.name in page
    for identifier in profile.identifiers:
        assert identifier.value in page
    for share in (*profile.places[:8], *profile.categories[:8]):
        assert place(share.name) in page
    for looked in profile.looked_not_bought:
        assert looked.name in page
    for consent in profile.consents:
        assert consent.label.capitalize()[:10] in page
    for answer in profile.answers.values():
        assert answer in page
    for value in profile.attributes.values():
        assert value in page


def test_silence_is_drawn_and_said_beside_the_orders(client, sample_shop):
    fading = max(sample_shop.find(state="fading", limit=50).rows, key=lambda row: row.orders)
    profile = sample_shop.customer(fading.id)
    page = client.get(f"/customers/{fading.id}").text
    assert "Why fading: by their own rhythm" in page
    picture = re.search(r"Why fading.*?<svg.*?</svg>.*?</p>", page, re.DOTALL)[0]
    assert picture.count("<circle") == min(len(profile.order_days), 14)
    assert "band-warn" in picture
    assert f"unusual from {Show('GBP', 'Europe/London').day(fading.state_since)}" in picture
    gaps = [(b - a).days for a, b in pairwise(profile.order_days)]
    assert f"at the longest after {Show.span(max(gaps))}" in picture
    once = next(row for row in sample_shop.find(state="new", limit=50).rows if row.orders == 1)
    told = client.get(f"/customers/{once.id}").text
    assert "By the rhythm of all customers" in told
    assert "Why" not in re.findall(r"<figcaption>(.*?)</figcaption>", told)


def test_an_open_case_stands_on_top(client, sample_shop):
    rows = sample_shop.query("SELECT id FROM customers WHERE open_cases > 0 LIMIT 1").to_pylist()
    if not rows:
        pytest.skip("nobody in this small sample has an open case")
    who = str(rows[0]["id"])
    profile = sample_shop.customer(who if who.startswith("c") else f"c{who}")
    page = client.get(f"/customers/{profile.id}").text
    assert f"Open case: {profile.open_cases[0].reason.replace('_', ' ')}" in text_of(page)
    assert page.index("Open case") < page.index("What to expect")


def test_an_identifier_leads_to_the_customers_own_address(client, sample_shop, buyer):
    email = next(i for i in sample_shop.customer(buyer.id).identifiers if i.kind in {"email", "loyalty_card"})
    answer = client.get(f"/customers/{email.kind}:{email.value}", follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/customers/{buyer.id}"


def test_chart_data_is_the_profiles_months_without_gaps(client, sample_shop, buyer):
    profile = sample_shop.customer(buyer.id)
    block = re.search(
        r'<script type="application/json">(.*?)</script>', client.get(f"/customers/{buyer.id}").text
    )
    data = json.loads(block[1])
    shown = dict(zip(data["months"], data["margin"], strict=True))
    for month, margin in profile.months:
        assert shown[month] == pytest.approx(margin, abs=0.01)
    years = [int(m[:4]) * 12 + int(m[5:]) for m in data["months"]]
    assert years == list(range(years[0], years[-1] + 1))


def test_the_timeline_pages_and_filters(client, sample_shop, buyer):
    count = lambda page: len(re.findall(r'<li class="entry ', page))  # noqa: E731
    page = client.get(f"/customers/{buyer.id}/timeline").text
    assert count(page) == len(sample_shop.timeline(buyer.id, limit=40).entries)
    orders = client.get(f"/customers/{buyer.id}/timeline?kind=orders").text
    assert count(orders) > 0
    assert set(re.findall(r'class="entry kind-(\w+)"', orders)) == {"orders"}


def test_quarantine_says_what_was_refused(client, sample_shop):
    refused = sample_shop.quarantine(limit=100)
    page = text_of(client.get("/quarantine").text)
    assert ("Nothing was refused." in page) == (not refused)
    for row in refused[:20]:
        assert row.reason.replace("_", " ").lower() in page.lower()
        assert row.source in page


def test_a_new_shop_says_what_to_do_next(shop, visit, tmp_path):
    with visit(shop) as http:
        page = text_of(http.get("/").text)
        assert "shopkeeper import orders.csv" in page
        assert "No customers yet." in text_of(http.get("/customers").text)
        assert "Nothing was refused." in text_of(http.get("/quarantine").text)
        orders = tmp_path / "orders.csv"
        orders.write_text(
            "order_id,customer_email,date,product,quantity,price\n1,a@example.com,2026-03-01,shoes,1,80\n"
        )
        shop.collect(orders, kind="orders")
        page = text_of(http.get("/").text)
        assert "1 event was read" in page
        assert "nobody has come in" not in page
        assert http.get("/customers.csv").status_code == 409, "nobody was worked out yet"
        assert "Nothing is simulated." in text_of(http.get("/about").text)
        assert http.get("/api/v1/customers").json()["data"] == []


def test_every_file_a_page_names_is_there(client, buyer):
    named = set()
    for path in ("/", f"/customers/{buyer.id}", "/api/v1/docs"):
        named |= set(re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get(path).text))
    assert len(named) > 8
    for address in named:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "?v=" in address
