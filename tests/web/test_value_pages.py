"""Value on its page, by the API and on the command line; what was predicted of one customer."""

from __future__ import annotations

import csv
import io
import json
import math
import re

import msgspec
import pyarrow.parquet as pq
import pytest
from tests.events import DAY, order, put
from typer.testing import CliRunner

import shopkeeper
from shopkeeper.cli.app import app
from shopkeeper.domain.expected import PredictedAll, Worths
from shopkeeper.domain.value import Predicted, ValueReport
from shopkeeper.domain.verdict import verdict
from shopkeeper.web.api.features import PARQUET


def test_the_page_says_what_the_report_says(sample_shop, client, visit):
    report = sample_shop.value()
    page = client.get("/value").text
    assert f">{report.total.customers:,}<" in page
    for row in report.states:
        assert f">{row.name}<" in page
        assert f'href="/customers?state={row.name.replace(" ", "%20")}"' in page
    for one in (*sample_shop.find(limit=7).rows, *sample_shop.find(state="fading", limit=7).rows):
        assert f'href="/customers/{one.id}">{one.name}</a>' in page
    assert "By the channel they came through" in page
    said = verdict(report.scores)
    assert (said.short if said else "too little history") in page
    with visit(sample_shop, "analyst") as http:  # sees figures, and nobody's page
        assert 'href="/customers' not in http.get("/value").text.replace("/customers.csv", "")
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
    run = sample_shop.value()
    assert (body["horizon_weeks"], body["discount"], body["level"]) == (
        run.horizon_weeks,
        run.discount,
        run.level,
    )
    assert (body["model"], body["currency"], body["customers"]) == (run.pick, run.currency, table.num_rows)
    assert ask({"as_of": "1999-01-01"}).status_code == 404
    points = client.get(f"/api/v1/profiles/{buyer.id}/predictions").json()["points"]
    assert points[-1]["clv_12m"] == pytest.approx(sample_shop.customer(buyer.id).traits["clv_12m"])


@pytest.fixture(scope="module")
def ask_worth(sample_shop, visit):
    secret = sample_shop.add_api_key("worth", ["report"]).secret
    with visit(sample_shop, None) as http:
        yield lambda body, accept="*/*": http.post(
            "/api/v1/value/worth",
            json=body,
            headers={"authorization": f"Bearer {secret}", "accept": accept},
        )


def test_worth_over_any_horizon_comes_in_pieces_with_all_of_them_together(sample_shop, ask_worth):
    table = sample_shop.worth("orders >= 2", horizon=13, discount=0.2)
    told = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    asked = {"condition": "orders >= 2", "horizon": 13, "discount": 0.2, "limit": table.num_rows // 2 + 1}
    first = ask_worth(asked).json()
    second = ask_worth(asked | {"cursor": first["cursor"]["next"]}).json()
    assert (first["cursor"]["has_more"], second["cursor"]["has_more"]) == (True, False)
    rows = first["data"] + second["data"]
    assert [row["id"] for row in rows] == [f"c{one}" for one in table["customer"].to_pylist()]
    assert [row["value"] for row in rows] == pytest.approx(table["value"].to_pylist())
    assert sum(row["value"] for row in rows) == pytest.approx(first["total"], abs=0.01)
    for name in (
        "total",
        "total_low",
        "total_high",
        "horizon_weeks",
        "discount",
        "together",
        "level",
        "tested_weeks",
    ):
        assert float(told[name]) == first[name] == second[name], name
    assert (first["run"], "\n".join(first["notes"])) == (int(told["run"]), told["notes"])
    assert (first["as_of"], first["model"], first["customers"]) == (
        told["as_of"],
        told["model"],
        table.num_rows,
    )


def test_all_of_them_come_as_one_file(sample_shop, ask_worth):
    answer = ask_worth({"horizon": "inf"}, accept=PARQUET)
    assert answer.headers["content-type"] == PARQUET
    declined = ask_worth({"limit": 1}, accept=f"{PARQUET};q=0")
    assert declined.json()["cursor"]["limit"] == 1
    lines = ask_worth({"limit": 1}, accept="text/csv").text.splitlines()
    assert lines[0].startswith('"customer","expected_orders"')
    assert len(lines) == sample_shop.worth().num_rows + 1
    found = pq.read_table(io.BytesIO(answer.content))
    table = sample_shop.worth(horizon=math.inf)
    assert found.schema.metadata[b"horizon_weeks"] == b"inf"
    assert found["customer"].equals(table["customer"])
    assert found["value"].to_pylist() == pytest.approx(table["value"].to_pylist())


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"horizon": 0}, 400, "horizon"),
        ({"horizon": "soon"}, 400, "horizon"),
        ({"until": "2001-01-01"}, 400, "is not after"),
        ({"until": "2090-01-01", "horizon": 4}, 400, "both a horizon"),
        ({"horizon": "inf", "discount": 0}, 400, "without end"),
        ({"discount": 10}, 400, "discount"),
        ({"weeks": 3}, 400, "weeks"),
        ({"as_of": "2031-01-01"}, 400, "not over yet"),
        ({"condition": "orderz > 1"}, 400, "orders"),
        ({"as_of": "1999-01-01"}, 404, "no prediction that early"),
        ({"as_of": "1.2.1999"}, 400, "YYYY-MM-DD"),
        (None, 400, "no body"),
    ],
)
def test_what_cannot_be_worth_anything_is_refused(ask_worth, body, status, said):
    answer = ask_worth(body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


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
        assert http.post("/api/v1/value/worth", json={}).status_code == 403


def test_before_a_refresh_the_page_says_what_to_do(tmp_path, visit):
    with shopkeeper.create(tmp_path / "shop") as shop, visit(shop) as http:
        page = http.get("/value")
        assert page.status_code == 200
        assert "shopkeeper refresh" in page.text
        assert http.get("/api/v1/value").status_code == 409


def test_commands_tell_value_worth_and_what_was_predicted(sample_shop, tmp_path, buyer):
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
    told = run(app, ["predictions", buyer.id, *folder]).output
    assert f"{buyer.id}, as predicted at" in told
    assert str(sample_shop.predictions(buyer.id).points[-1].state) in told
    assert run(app, ["worth", "--horizon", "soon", *folder]).exit_code == 2
    assert run(app, ["worth", "--until", "2001-01-01", *folder]).exit_code == 2
    told = run(app, ["worth", "--until", "2090-01-01", "--limit", "1", *folder])
    assert "until 2090-01-01" in told.stdout


def test_commands_hand_value_to_the_next_in_a_pipe(sample_shop, tmp_path, buyer):
    folder = ["--shop", str(sample_shop.places.folder)]
    run = CliRunner().invoke
    rows = list(csv.DictReader(io.StringIO(run(app, ["worth", "orders >= 9", "--out", "-", *folder]).stdout)))
    table = sample_shop.worth("orders >= 9")
    assert [int(row["customer"]) for row in rows] == table["customer"].to_pylist()
    said = run(app, ["worth", "orders >= 9", "--json", "-", "--out", str(tmp_path / "both.csv"), *folder])
    assert (tmp_path / "both.csv").is_file()
    got = msgspec.json.decode(said.stdout, type=Worths)
    assert [row.id for row in got.data] == [f"c{one}" for one in table["customer"].to_pylist()]
    assert (got.currency, got.customers) == (sample_shop.settings.currency, table.num_rows)
    said = run(app, ["predicted", "orders >= 9", "--json", str(tmp_path / "there.json"), *folder])
    assert said.exit_code == 0, said.output
    got = msgspec.json.decode((tmp_path / "there.json").read_bytes(), type=PredictedAll)
    assert {row["id"] for row in got.data} == {f"c{one}" for one in table["customer"].to_pylist()}
    said = run(app, ["predictions", buyer.id, "--json", "-", *folder])
    assert msgspec.json.decode(said.stdout, type=Predicted) == sample_shop.predictions(buyer.id)
    wrong = run(app, ["worth", "--out", str(tmp_path / "worth.xlsx"), *folder])
    assert (wrong.exit_code, list(tmp_path.glob("*.xlsx"))) == (2, [])
    assert ".csv or .parquet" in wrong.output + str(wrong.stderr)


def test_pages_and_commands_say_the_horizon_of_the_predictions(shop, visit):
    buys = [
        order(f"{who}-{at}", -at * DAY, ids={"user_id": f"u{who}"}, price="20.00")
        for who in range(6)
        for at in range(who, 300, 20 + 3 * who)
    ]
    put(shop, *buys)
    asked = shop.settings
    assert shop.horizon_weeks == 52, "before the first refresh, as the setting says"
    shop.places.settings = msgspec.structs.replace(asked, horizon_weeks=13)
    shop.refresh()
    shop.places.settings = asked  # changed since: what was predicted still looks 13 weeks ahead
    shop.save_segment("keen", "orders >= 2", activate=True)
    pages = (
        "/", "/value", "/customers", f"/customers/{shop.customer('user_id:u0').id}", "/advocates", "/about",
        "/segments", "/segments/keen", "/segment-builder",
    )  # fmt: skip
    with visit(shop) as http:
        for path in pages:
            answer = http.get(path)
            assert answer.status_code == 200, path
            page = answer.text.replace("the last 12 months", "")
            assert re.search("[Nn]ext 13 weeks", page), path
            assert not re.search("12 months|52 weeks", page), path
    folder = str(shop.places.folder)
    for words in (["report"], ["report", "value"], ["insight", "regulars"]):
        told = CliRunner().invoke(
            app, [*words, "--shop", folder], env={"COLUMNS": "160"}, catch_exceptions=False
        )
        assert told.exit_code == 0, told.output
        said = " ".join(told.stdout.split()).replace("the last 12 months", "")
        assert "13 weeks" in said, words
        assert not re.search("12 months|52 weeks", said), words
