"""Errors at the door: one line, what to do, an exit code, and never a traceback or a personal value."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest

import shopkeeper


@pytest.mark.parametrize(
    "words",
    [
        ("report",),
        ("refresh",),
        ("rebuild",),
        ("serve",),
        ("customer", "anna@example.com"),
        ("export", "anna@example.com", "--to", "-"),
        ("erase", "anna@example.com", "--yes"),
        ("backup",),
        ("doctor",),
        ("import", "orders.csv"),
    ],
    ids=lambda words: words[0],
)
def test_no_command_makes_a_shop_by_a_mistyped_path(cli, tmp_path, words):
    done = cli(*words, "--shop", tmp_path / "nowhere")
    assert done.exit_code == 1
    assert "there is no shop in" in done.stderr
    assert "shopkeeper init" in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_the_shop_may_be_named_by_the_environment(cli, new_shop, monkeypatch):
    monkeypatch.setenv("SHOPKEEPER_SHOP", str(new_shop))
    assert cli("refresh").exit_code == 0
    done = cli("report")
    assert done.exit_code == 0, done.output
    assert "Corner shop" in done.stdout


def test_a_report_before_the_first_refresh_says_what_to_do(cli, new_shop):
    done = cli("report", "--shop", new_shop)
    assert done.exit_code == 1
    assert "refresh" in done.stderr
    assert "Binder" not in done.stderr


def test_an_unknown_customer_is_not_quoted_in_a_traceback(cli, new_shop):
    done = cli("customer", "anna@example.com", "--shop", new_shop)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert "anna" not in done.stderr


def test_a_fault_of_ours_says_so_without_its_message(cli, new_shop, monkeypatch):
    def fails(*_args, **_options):
        raise RuntimeError("anna@example.com")

    monkeypatch.setattr(shopkeeper, "open", fails)
    done = cli("report", "--shop", new_shop)
    assert done.exit_code == 1
    assert "unexpected RuntimeError" in done.stderr
    assert "anna" not in done.output
    with pytest.raises(RuntimeError):
        cli("--debug", "report", "--shop", new_shop)


def test_a_shop_with_a_broken_setting_says_which(cli, new_shop):
    settings = new_shop / "shop.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"EUR"', '"euros"'), encoding="utf-8")
    done = cli("report", "--shop", new_shop)
    assert done.exit_code == 2
    assert "euros" in done.stderr


@pytest.mark.parametrize(
    ("region", "says"),
    [("Germany", "two letters"), ("de", "did you mean 'DE'"), ("XX", "ISO 3166"), ("", "ISO 3166")],
)
def test_a_region_is_a_country_of_two_letters(cli, tmp_path, region, says):
    done = cli("init", tmp_path / "new", "--region", region)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "new" / "shop.toml").exists()


def test_the_width_of_a_pipe_is_what_columns_says(cli, new_shop, orders_file, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    done = cli("import", orders_file, "--kind", "orders", "--shop", new_shop)
    lines = done.stdout.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("What was read")) + 1 :]
    assert max(map(len, table)) <= 60
    assert "read 3, kept 3, repeated 0, refused 0, orders 2" in " ".join(done.stdout.split())
    assert "…" not in done.stdout


def test_a_wrong_option_is_a_wrong_use(cli):
    assert cli("report", "--colour").exit_code == 2
    assert cli("reprot").exit_code == 2


def test_version_and_help(cli):
    assert cli("--version").stdout.startswith("shopkeeper ")
    assert "erase" in cli("--help").stdout


def test_a_pipe_gets_plain_text(cli, new_shop):
    cli("refresh", "--shop", new_shop)
    words = ["shopkeeper", "report", "--shop", str(new_shop)]
    script = f"import sys; sys.argv = {words!r}; from shopkeeper.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout
    assert "Corner shop" in done.stdout


def test_the_commands_run_as_a_module(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["shopkeeper", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("shopkeeper", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("shopkeeper ")
