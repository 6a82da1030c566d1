"""init and import: what a retailer does on the first morning."""

from __future__ import annotations

import json

import pytest

import shopkeeper


def squeezed(words: str) -> str:
    return " ".join(words.split())


def test_init_makes_a_shop_with_the_settings_given(new_shop):
    with shopkeeper.open(new_shop) as shop:
        assert (shop.settings.name, shop.settings.currency, shop.settings.time_zone) == (
            "Corner shop",
            "EUR",
            "Europe/Berlin",
        )


def test_init_where_there_is_a_shop_already_touches_nothing(cli, new_shop):
    before = (new_shop / "shop.toml").read_bytes()
    done = cli("init", new_shop, "--name", "Other")
    assert done.exit_code == 1
    assert "already" in done.stderr
    assert (new_shop / "shop.toml").read_bytes() == before


@pytest.mark.parametrize(("option", "value"), [("--currency", "euros"), ("--time-zone", "Berlin")])
def test_init_refuses_settings_that_mean_nothing(cli, tmp_path, option, value):
    done = cli("init", tmp_path / "new", option, value)
    assert done.exit_code == 2
    assert value in done.stderr
    assert "Traceback" not in done.output


def test_import_shows_the_mapping_and_accounts_for_every_line(cli, new_shop, orders_file):
    done = cli("import", orders_file, "--kind", "orders", "--shop", new_shop)
    assert done.exit_code == 0, done.output
    shown = squeezed(done.stdout)
    assert "order_id Order No" in shown
    assert "orders.csv orders 3 3 0 0 2" in shown
    assert "exact sum of price times quantity is EUR 61.50" in shown
    with shopkeeper.open(new_shop) as shop:
        shop.advance()
        assert shop.customer("anna@example.com").traits["orders"] == 1


def test_the_same_file_twice_adds_nothing(cli, new_shop, orders_file):
    cli("import", orders_file, "--kind", "orders", "--shop", new_shop)
    again = cli("import", orders_file, "--kind", "orders", "--shop", new_shop)
    assert again.exit_code == 0
    assert "orders.csv orders 3 0 3 0" in squeezed(again.stdout)


def test_bad_lines_are_named_by_number_and_reason_but_not_quoted(cli, new_shop, orders_file):
    broken = orders_file.read_text(encoding="utf-8") + "1003;the day after;A1;Tea;1;4,50;carla@example.com\n"
    orders_file.write_text(broken, encoding="utf-8")
    done = cli("import", orders_file, "--kind", "orders", "--shop", new_shop, "--anyway")
    assert done.exit_code == 0, done.output
    shown = squeezed(done.stdout)
    assert "orders.csv orders 4 3 0 1" in shown
    assert "1 row in quarantine" in shown
    assert " 5 " in shown[shown.index("In quarantine") :]
    assert "carla" not in done.output


def test_a_mapping_is_given_saved_and_used_again(cli, new_shop, orders_file, tmp_path):
    renamed = orders_file.read_text(encoding="utf-8").replace("Article;", "Thing;")
    orders_file.write_text(renamed, encoding="utf-8")
    saved = tmp_path / "orders.map.json"
    words = ("import", orders_file, "--kind", "orders", "--shop", new_shop)
    first = cli(*words, "--map", "product_id=Thing", "--save-map", saved)
    assert first.exit_code == 0, first.output
    assert json.loads(saved.read_text(encoding="utf-8"))["columns"]["product_id"] == "Thing"
    again = cli(*words, "--use-map", saved)
    assert again.exit_code == 0, again.output
    assert "orders.csv orders 3 0 3 0" in squeezed(again.stdout)


def test_several_files_in_one_call(cli, new_shop, orders_file, tmp_path):
    products = tmp_path / "products.csv"
    products.write_text("product_id,name,category,unit_cost\nA1,Tea,Kitchen,1.20\n", encoding="utf-8")
    done = cli("import", products, orders_file, "--shop", new_shop, "--yes")
    assert done.exit_code == 0, done.output
    shown = squeezed(done.stdout)
    assert "products.csv products 1 1" in shown
    assert "guessed from its columns" in shown


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--kind", "ordes"), 2, "did you mean 'orders'"),
        (("--map", "order_id"), 2, "is not field=column"),
        (("--kind", "orders", "--map", "order_id=No such column"), 2, "No such column"),
        (("--kind", "orders", "--map", "ordr_id=Order No"), 2, "did you mean 'order_id'"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(cli, new_shop, orders_file, words, code, says):
    done = cli("import", orders_file, *words, "--shop", new_shop, "--yes")
    assert done.exit_code == code, done.output
    assert says in squeezed(done.stderr)
    assert "Traceback" not in done.output


def test_files_that_are_none(cli, new_shop, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.touch()
    for path in (tmp_path / "nowhere.csv", tmp_path, empty):
        done = cli("import", path, "--kind", "orders", "--shop", new_shop)
        assert done.exit_code in {1, 2}, done.output
        assert done.stderr.startswith("error: ")


def test_a_saved_mapping_that_is_none(cli, new_shop, orders_file, tmp_path):
    wrong = tmp_path / "map.json"
    for body in (
        "not json",
        "[1, 2]",
        '{"kind": "orders"}',
        '{"kind": "orders", "columns": {"order_id": 3}}',
    ):
        wrong.write_text(body, encoding="utf-8")
        done = cli("import", orders_file, "--use-map", wrong, "--shop", new_shop, "--yes")
        assert done.exit_code == 2
        assert "--save-map" in done.stderr


def test_a_guessed_kind_is_confirmed_on_a_terminal(cli, new_shop, orders_file, monkeypatch):
    monkeypatch.setattr("shopkeeper.cli.bring.asked", lambda: True)
    no = cli("import", orders_file, "--shop", new_shop, typed="n\n")
    assert no.exit_code == 1
    with shopkeeper.open(new_shop) as shop:
        assert shop.health()["events"] == 0
    yes = cli("import", orders_file, "--shop", new_shop, typed="y\n")
    assert yes.exit_code == 0, yes.output
    with shopkeeper.open(new_shop) as shop:
        assert shop.health()["events"] > 0


def test_a_file_of_which_much_cannot_be_used_is_brought_in_only_when_told(
    cli, new_shop, orders_file, monkeypatch
):
    broken = orders_file.read_text(encoding="utf-8") + "1003;the day after;A1;Tea;1;4,50;carla@example.com\n"
    orders_file.write_text(broken, encoding="utf-8")
    words = ("import", orders_file, "--kind", "orders", "--shop", new_shop)
    stopped = cli(*words, "--yes")
    assert stopped.exit_code == 2
    assert "1 of the first 4 rows" in squeezed(stopped.stderr)
    assert "--anyway" in stopped.stderr
    assert "expected a time" in squeezed(stopped.stdout)
    monkeypatch.setattr("shopkeeper.cli.bring.asked", lambda: True)
    assert cli(*words, typed="n\n").exit_code == 1
    with shopkeeper.open(new_shop) as shop:
        assert shop.health()["events"] == 0
    assert cli(*words, typed="y\n").exit_code == 0
    assert "orders.csv orders 4 0 3 1" in squeezed(cli(*words, "--anyway").stdout)


def test_no_file_is_brought_in_where_a_later_one_stops(cli, new_shop, orders_file, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert cli("import", orders_file, empty, "--shop", new_shop, "--yes").exit_code != 0
    with shopkeeper.open(new_shop) as shop:
        assert shop.health()["events"] == 0


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ((), "2024-04-03"),
        (("--dates", "month-first"), "2024-03-04"),
        (("--dates", "day-first"), "2024-04-03"),
    ],
)
def test_dates_that_do_not_tell_are_read_as_said(cli, new_shop, tmp_path, words, day):
    file = tmp_path / "us.csv"
    file.write_text("order_id,date,sku,quantity,price,email\n1,03/04/2024 12:00,A,1,2.00,anna@example.com\n")
    done = cli("import", file, "--shop", new_shop, "--yes", *words)
    assert done.exit_code == 0, done.output
    with shopkeeper.open(new_shop) as shop:
        shop.advance()
        assert day in str(shop.customer("anna@example.com").traits["first_order"])


def test_a_shop_in_the_states_reads_the_month_first(cli, tmp_path):
    file, folder = tmp_path / "us.csv", tmp_path / "shop"
    file.write_text("order_id,date,sku,quantity,price,email\n1,03/04/2024 12:00,A,1,2.00,anna@example.com\n")
    cli("init", folder, "--currency", "USD", "--time-zone", "America/New_York", "--region", "US")
    assert cli("import", file, "--shop", folder, "--yes").exit_code == 0
    with shopkeeper.open(folder) as shop:
        shop.advance()
        assert "2024-03-04" in str(shop.customer("anna@example.com").traits["first_order"])


def test_how_a_file_is_written_is_said_and_saved_with_its_mapping(cli, new_shop, tmp_path):
    file, saved = tmp_path / "odd.csv", tmp_path / "odd.map.json"
    text = "order_id#date#name#quantity#price\n1#03/04/2024#Чай#1#1,250\n"
    file.write_bytes(text.encode("cp1251"))
    told = ("--delimiter", "#", "--encoding", "cp1251", "--decimal", "comma", "--dates", "month-first")
    first = cli("import", file, "--shop", new_shop, "--yes", *told, "--save-map", saved)
    assert first.exit_code == 0, first.output
    assert "EUR 1.25" in squeezed(first.stdout)
    assert json.loads(saved.read_text(encoding="utf-8"))["decimal"] == "comma"
    again = cli("import", file, "--shop", new_shop, "--use-map", saved)
    assert "odd.csv orders 1 0 1 0" in squeezed(again.stdout)


def test_a_word_for_dates_that_does_not_exist_is_named(cli, new_shop, orders_file):
    done = cli("import", orders_file, "--shop", new_shop, "--yes", "--dates", "month-frist")
    assert done.exit_code == 2
    assert "month-first" in done.stderr


def test_numbers_of_another_system_are_other_people(cli, new_shop, tmp_path):
    head = "order_id,date,sku,quantity,price,customer_id\n"
    web, pos = tmp_path / "web.csv", tmp_path / "pos.csv"
    web.write_text(head + "17,2024-03-01,A,1,2.00,5\n")
    pos.write_text(head + "17,2024-03-01,A,1,3.00,5\n")
    assert cli("import", web, "--shop", new_shop, "--yes", "--source", "web").exit_code == 0
    words = ("--source", "pos", "--numbering", "pos")
    assert cli("import", pos, "--shop", new_shop, "--yes", *words).exit_code == 0
    with shopkeeper.open(new_shop) as shop:
        shop.advance()
        assert shop.customer("user_id:5").traits["revenue"] == 2.0
        assert shop.customer("user_id:pos:5").traits["revenue"] == 3.0


def test_a_folder_is_named_in_the_error(cli, new_shop):
    assert "error: '.' is a directory" in cli("import", ".", "--shop", new_shop).stderr
