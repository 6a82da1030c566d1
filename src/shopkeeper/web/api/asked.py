"""Refuses a question with a parameter that the address does not know: a slip would silently change the answer."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from litestar import Request
from litestar.params import ParameterKwarg

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.web.api.shapes import PREFIX

_NOT_ASKED = {"shop", "request", "data", "state", "headers", "cookies", "query", "scope", "socket", "body"}
"""What a handler is given without anybody asking for it."""


async def only_known(request: Request[Any, Any, Any]) -> None:
    """Raise InvalidInput for such a parameter of the API; its name is not repeated, it may be anything."""
    if not request.query_params or not str(request.scope["path"]).startswith(PREFIX):
        return
    known: set[str] = set()
    for name, parameter in request.route_handler.parsed_fn_signature.parameters.items():
        said = parameter.kwarg_definition
        if isinstance(said, ParameterKwarg) and said.name:
            known.add(said.name)
        elif name not in _NOT_ASKED and name not in request.path_params:
            known.add(name)
    for name in request.query_params:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f"did you mean {near[0]!r}? " if near else ""
            listed = ", ".join(sorted(known)) or "none"
            raise InvalidInput("a parameter in the address is not known here", hint=f"{guess}Known: {listed}")
