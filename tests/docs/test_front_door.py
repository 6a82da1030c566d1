"""The front door: small, light, and every name documented."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import shopkeeper

HEAVY = {"numpy", "scipy", "pyarrow", "duckdb", "litestar", "typer", "rich", "sqlglot", "jinja2", "pandas"}
SOURCE = Path(shopkeeper.__file__).parent


def loaded(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    code = f"{statement}\nimport sys\nprint(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout.split()
    )


def test_importing_shopkeeper_loads_nothing_heavy():
    assert loaded("import shopkeeper") & HEAVY == set()


def test_the_command_line_loads_no_engine_before_a_command_runs():
    assert loaded("import shopkeeper.cli") & (HEAVY - {"typer", "rich"}) == set()


def test_the_front_door_is_small_and_documented():
    names = [name for name in shopkeeper.__all__ if not name.startswith("_")]
    assert len(names) <= 12
    for name in names:
        assert inspect.getdoc(getattr(shopkeeper, name)), f"{name} says nothing about itself"


def test_every_name_a_module_exports_exists():
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        exported = [
            element.value
            for node in tree.body
            if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets)
            for element in getattr(node.value, "elts", [])
        ]
        if exported:
            relative = path.relative_to(SOURCE.parent).with_suffix("")
            module = importlib.import_module(".".join(relative.parts).removesuffix(".__init__"))
            missing = [name for name in exported if not hasattr(module, name)]
            assert missing == [], f"{relative} exports {missing}"


def test_every_public_name_says_what_it_is():
    silent = []
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None and tree.body:
            silent.append(f"{path.relative_to(SOURCE)}: module")
        for owner in (tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_")):
            for node in owner.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    overload = any(
                        getattr(d, "id", getattr(d, "attr", "")) in {"overload", "setter"}
                        for d in node.decorator_list
                    )
                    if not node.name.startswith("_") and not overload and ast.get_docstring(node) is None:
                        silent.append(f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}")
    assert silent == []


def test_no_file_grew_beyond_one_idea():
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
