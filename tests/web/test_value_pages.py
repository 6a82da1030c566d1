"""Value on its page, by the API and on the command line; what was predicted of one customer."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from typer.testing import CliRunner

import shopkeeper
from shopkeeper.cli.app import app
from shopkeeper.domain.value import ValueReport


def test_the_page_says_what_the_report_says(sample_shop, client):
    report = sample_shop.value()
    page = client.get("/value").text
    assert f">{report.total.customers:,}<" in page
    for row in report.states:
        assert f">{row.name}<" in page
    assert "By the channel they came through" in page
    for one in report.scores:
        assert one.name in page
    data = [
        json.loads(text)
        for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    ]
    curve = data[0]
    assert len(curve["names"]) == len(curve["series"][0]["values"]) == len(report.concentration)
    for one in data:
        assert {len(series["values"]) for series in one["series"]} == {len(one["names"])}
    assert re.search(r'href="/value"[^>]*aria-current="page"', page)


def test_the_api_gives_the_report_and_earlier_predictions_in_pieces(sample_shop, client, visit, buyer):
    secret = sample_shop.add_api_key("value", ["report"]).secret

    def ask(body):
        with visit(sample_shop, None) as http:
            key = {"authorization": f"Bearer {secret}"}
            return http.post("/api/v1/value/predicted", json=body, headers=key)

    got = msgspec.json.decode(client.get("/api/v1/value").content, type=ValueReport)
    assert got.total == sample_shop.value().total
    table = sample_shop.predicted()
    rows, cursor = [], None
    for _ in range(3):
        body = ask({"limit": table.num_rows // 3 + 1} | ({"cursor": cursor} if cursor else {})).json()
        rows += body["data"]
        cursor = body["cursor"]["next"]
    assert cursor is None
    assert [row["id"] for row in rows] == [f"c{one}" for one in table["customer"].to_pylist()]
    assert ask({"as_of": "1999-01-01"}).status_code == 404
    points = client.get(f"/api/v1/profiles/{buyer.id}/predictions").json()["points"]
    assert points[-1]["clv_12m"] == pytest.approx(sample_shop.customer(buyer.id).traits["clv_12m"])


def test_a_customers_page_has_what_was_expected_earlier(client, visit, sample_shop, buyer):
    assert f"/customers/{buyer.id}/predictions" in client.get(f"/customers/{buyer.id}").text
    piece = client.get(f"/customers/{buyer.id}/predictions", headers={"hx-request": "true"}).text
    assert "<html" not in piece
    assert 'data-chart="ranges"' in piece
    assert "<html" in client.get(f"/customers/{buyer.id}/predictions").text
    with visit(sample_shop, "analyst") as http:
        assert http.get("/value").status_code == 200
        assert http.get(f"/customers/{buyer.id}/predictions").status_code == 403
        assert http.get(f"/api/v1/profiles/{buyer.id}/predictions").status_code == 403
    with visit(sample_shop, "agent") as http:
        assert http.get("/value").status_code == 403
        assert http.get("/api/v1/value").status_code == 403


def test_before_a_refresh_the_page_says_what_to_do(tmp_path, visit):
    with shopkeeper.create(tmp_path / "shop") as shop, visit(shop) as http:
        page = http.get("/value")
        assert page.status_code == 200
        assert "shopkeeper refresh" in page.text
        assert http.get("/api/v1/value").status_code == 409


def test_commands_tell_value_worth_and_what_was_predicted(sample_shop, tmp_path):
    folder = ["--shop", str(sample_shop.places.folder)]
    run = CliRunner().invoke
    report = sample_shop.value()
    shown = run(app, ["report", "value", *folder])
    assert shown.exit_code == 0, shown.output
    assert "Who holds the value" in shown.output
    assert f"{report.total.customers:,} customers" in shown.output
    trusted = "used" if report.scores else "Too little history"
    for line in ("highest", "lowest", trusted, *(one.name for one in report.states)):
        assert line in shown.output
    as_data = run(app, ["report", "value", "--json", "-", *folder])
    assert msgspec.json.decode(as_data.output, type=ValueReport).total == report.total
    wrong = run(app, ["report", "valu", *folder])
    assert wrong.exit_code == 2
    assert "value" in wrong.output + str(wrong.stderr)
    out = tmp_path / "worth.csv"
    assert run(app, ["worth", "orders >= 2", "--horizon", "13", "--out", str(out), *folder]).exit_code == 0
    assert len(out.read_text().splitlines()) == sample_shop.worth("orders >= 2", horizon=13).num_rows + 1
    told = run(app, ["worth", *folder]).output
    assert "80 % sure to be between" in told
    assert "80 % from" in told
    assert "as predicted" in run(app, ["predicted", *folder]).output
    assert run(app, ["worth", "--horizon", "soon", *folder]).exit_code == 2
