"""The project's own promises: what is pinned, what is linked, what is not said anywhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    broken = [
        target
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def pins() -> dict[str, list[Requirement]]:
    """The pinned requirements by package."""
    found: dict[str, list[Requirement]] = {}
    for line in PROJECT["tool"]["uv"]["constraint-dependencies"]:
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def test_what_is_installed_is_what_is_pinned():
    """Every package this environment got for a declared need, down to the last transitive one, is pinned."""
    installed = {canonicalize_name(dist.metadata["Name"]): dist for dist in distributions()}
    pinned = pins()
    roots = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    waiting = [(Requirement(line), frozenset[str]()) for line in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    loose = []
    while waiting:
        requirement, extras = waiting.pop()
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        name, wanted = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, wanted) in seen or name not in installed:
            continue
        seen.add((name, wanted))
        version = installed[name].version
        fits = [pin for pin in pinned.get(name, []) if pin.marker is None or pin.marker.evaluate()]
        if not any(version in pin.specifier for pin in fits):
            loose.append(f"{name} {version}")
        waiting += [(Requirement(line), wanted) for line in installed[name].requires or ()]
    assert loose == [], "run 'just pin'"


def test_pins_and_hashed_requirements_agree():
    pinned = {
        f"{name}=={str(pin.specifier).removeprefix('==')}" for name, rows in pins().items() for pin in rows
    }
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    hashed = {line.split(" ")[0] for line in text.splitlines() if "==" in line}
    assert hashed <= pinned
    assert text.count("--hash=sha256:") >= len(hashed)


def test_there_are_at_most_ten_recipes():
    recipes = re.findall(
        r"^[a-z][\w-]*(?: [*+]?\w+)*:", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert 1 <= len(recipes) <= 10


def test_no_address_of_an_index_is_committed():
    if not (ROOT / ".git").exists():
        files = [path for path in ROOT.glob("*") if path.is_file()]
    else:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\n")
        files = [ROOT / name for name in listed if name]
    index = re.compile(rb"files\.pythonhosted\.org|pypi\.org/simple|--(?:extra-)?index-url|--find-links")
    named = [
        str(path.relative_to(ROOT))
        for path in files
        if path.is_file() and path != Path(__file__) and index.search(path.read_bytes())
    ]
    assert named == []
