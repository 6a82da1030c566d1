"""Says in the OpenAPI document what shapes and their fields mean: the sentences that stand below them in the source.

Nouns are documented once, where they are declared; programs that read the document are told the same.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin
from msgspec import Struct

_OURS = "shopkeeper."


class Described(JsonRenderPlugin):
    """Renders the document with what its shapes mean."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Render it."""
        return super().render(request, described(openapi_schema))


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with a description of every shape and field that has none yet; the same object."""
    shapes: dict[str, Any] = document.get("components", {}).get("schemas", {})
    # A name alone may be that of a shape of another part.
    known: dict[tuple[str, frozenset[str]], Any] = {
        (cls.__name__, frozenset(cls.__struct_fields__)): cls
        for cls in _all(Struct)
        if cls.__module__.startswith(_OURS)
    }
    for name, shape in shapes.items():
        fields = shape.get("properties", {})
        cls = known.get((name, frozenset(fields)))
        if cls is None:
            continue
        shape.setdefault("description", inspect.getdoc(cls) or "")
        for field, sentence in _sentences(cls).items():
            if "$ref" in fields.get(field, {}):  # what stands beside a reference is not read by all
                continue
            fields.get(field, {}).setdefault("description", sentence)
    return document


def _all(root: type) -> Iterator[type[Any]]:
    child: type[Any]
    for child in root.__subclasses__():
        yield child
        yield from _all(child)


@lru_cache(maxsize=1_000)
def _sentences(cls: type) -> dict[str, str]:
    """What stands below each field of a class, and of those it builds on."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith(_OURS):
            continue
        try:
            (made,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        except (OSError, TypeError):  # the source is not there, or it is made without one
            continue
        lines = made.body if isinstance(made, ast.ClassDef) else []
        for line, after in pairwise(lines):
            if (
                isinstance(line, ast.AnnAssign)
                and isinstance(line.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[line.target.id] = inspect.cleandoc(after.value.value)
    return found
