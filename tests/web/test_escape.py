"""A customer may be called anything, and a page stays a page."""

from __future__ import annotations

import csv
import html

import pytest

import shopkeeper

SCRIPT = "<script>alert(1)</script>"
BREAKING = "\"><img src=x onerror=alert(1)>' </script><!--"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A shop in which a customer, a product, a store and a file are named to break the pages."""
    folder = tmp_path_factory.mktemp("hostile")

    def written(name, *rows):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        return folder / name

    shop = shopkeeper.create(folder / "shop", name=f"Shop {SCRIPT}", now="2026-05-01T12:00:00+00:00")
    shop.collect(
        written(
            "customers.csv",
            ("customer_id", "first_name", "last_name", "email", "city"),
            ("7", SCRIPT, BREAKING, "eve@example.com", BREAKING),
        ),
        kind="customers",
    )
    shop.collect(
        written(
            "orders.csv",
            (
                "order_id",
                "order_date",
                "customer_id",
                "product_id",
                "product_name",
                "quantity",
                "price",
                "currency",
            ),
            *(
                (
                    str(n),
                    f"2026-0{n}-03 10:00:00",
                    "7",
                    f"P{SCRIPT}",
                    BREAKING,
                    "2",
                    "9.99",
                    shop.settings.currency,
                )
                for n in range(1, 5)
            ),
            ("9", BREAKING, "7", "P1", "x", "2", SCRIPT, shop.settings.currency),
        ),
        kind="orders",
    )
    shop.refresh()
    with shop:
        yield shop


PATHS = (
    "/",
    "/customers",
    "/customers?search={script}",
    "/customers/user_id:7",
    "/quarantine",
    "/{script}",
    "/about",
)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_given_becomes_markup(hostile, path, visit):
    with visit(hostile) as http:
        page = http.get(path.format(script=SCRIPT)).text
    assert SCRIPT not in page
    assert "<img src=x" not in page
    assert html.escape(SCRIPT) in page


def test_nothing_runs_in_a_browser(hostile, served, open_page):
    with served(hostile) as site:
        look_around(open_page(site + "/customers"), site)


def look_around(page, site):
    said = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    assert SCRIPT in page.locator("#rows").inner_text()
    page.locator("#rows a").first.click()
    page.wait_for_load_state("networkidle")
    assert SCRIPT in page.locator("h1").inner_text()
    page.goto(site, wait_until="networkidle")
    assert page.locator("figure canvas").count() == 1
    assert not said
    page.close()
