"""The reference is written from the code; what is committed must be what the code says now."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str):
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = tool("reference")


@pytest.mark.parametrize("page", sorted(reference.PAGES))
def test_a_committed_page_is_current(page):
    committed = (reference.FOLDER / f"{page}.md").read_text(encoding="utf-8")
    assert committed == reference.written(page), "run 'just reference'"


def test_there_is_no_page_without_a_writer():
    assert {path.stem for path in reference.FOLDER.glob("*.md")} == set(reference.PAGES)
