"""What the documentation tells to type works: Python blocks run in order, console lines run as commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from shopkeeper.cli import app

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = "$ uv run shopkeeper "


def blocks(page: str) -> list[tuple[str, str]]:
    """The blocks of a page that can be run, as (language, text)."""
    return _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def run_page(page: str) -> str:
    """Run a page from its first block to its last in the current folder; returns what the commands printed."""
    space: dict[str, object] = {"__name__": "page"}
    printed = []
    for number, (language, text) in enumerate(blocks(page), 1):
        if language == "python":
            exec(compile(text, f"{page}, block {number}", "exec"), space)
            continue
        for line in text.splitlines():
            if line.startswith("$ "):
                assert line.startswith(_COMMAND), line
                done = CliRunner().invoke(app, shlex.split(line.removeprefix(_COMMAND)))
                assert done.exit_code == 0, f"{line}\n{done.output}"
                printed.append(done.output)
    return "\n".join(printed)


def test_the_tutorial_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHOPKEEPER_SHOP", raising=False)
    printed = run_page("docs/tutorial.md")
    assert "customers stand behind" in printed
    assert (tmp_path / "report.json").stat().st_size > 1000
    assert (tmp_path / "orders.map.json").exists()


def test_the_library_example_of_the_readme_runs(tmp_path, monkeypatch, sample_shop, capsys):
    (tmp_path / "sample-shop").symlink_to(sample_shop.places.folder)
    monkeypatch.chdir(tmp_path)
    run_page("README.md")
    assert capsys.readouterr().out.strip()


def test_the_page_on_value_models_runs(capsys):
    run_page("docs/how-to/value-as-a-library.md")
    assert "alpha" in capsys.readouterr().out


def test_the_names_for_those_who_come_from_another_package_exist():
    """The tables end each row with names of this package: bare ones, and members of a fit, a log or amounts."""
    from shopkeeper.predict import value

    text = (ROOT / "docs/how-to/value-as-a-library.md").read_text(encoding="utf-8")
    rows = [
        line
        for line in text.split("## Coming from another package")[1].splitlines()
        if line.startswith("| `")
    ]
    said = " ".join(line.split("|")[-2] for line in rows)
    owners = {"fit": value.ParetoNBDFit, "log": value.Summary, "amounts": value.GammaGammaFit}
    members = re.findall(r"(?<![\w.])(fit|log|amounts)\.(\w+)", said)
    assert len(rows) > 30
    assert len(members) > 20
    assert [(owner, name) for owner, name in members if not hasattr(owners[owner], name)] == []
    bare = set(re.findall(r"`([A-Za-z_]\w+)(?:\(|`)", said)) - {"litt", "p_alive", "expected_purchases"}
    bare -= {"discounted_purchases", "p_value", "per_order"}
    assert bare - set(value.__all__) == set()
    assert {"summarise", "split", "compare", "alive_path", "simulate", "load"} <= bare


def test_the_page_on_what_a_group_has_in_common_runs(tmp_path, monkeypatch, sample_shop, capsys):
    (tmp_path / "my-shop").symlink_to(sample_shop.places.folder)
    monkeypatch.chdir(tmp_path)
    run_page("docs/how-to/what-they-have-in-common.md")
    printed = capsys.readouterr().out
    assert "as often" in printed
    assert "orders came within 14 days after" in printed


HOW_TO = [f"docs/how-to/{path.name}" for path in sorted((ROOT / "docs" / "how-to").glob("*.md"))]


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", *HOW_TO])
def test_every_command_that_is_named_exists(page):
    known = set(typer.main.get_command(app).commands)
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:\$ |`|^)(?:uv run )?shopkeeper ([a-z]+)", text, re.MULTILINE))
    assert named
    assert named <= known


def test_the_page_on_regularity_seasons_and_covariates_runs(capsys):
    run_page("docs/how-to/regularity-seasons-covariates.md")
    printed = capsys.readouterr().out
    assert "MBG/CNBD-3" in printed
    assert "the data show no effect of channel" in printed
