"""The readable page of the API, written from the OpenAPI document and from nothing else."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, get
from litestar.response import Redirect

from shopkeeper.web.access.declared import OPT, SIGNED_IN
from shopkeeper.web.api.describing import described
from shopkeeper.web.api.shapes import PREFIX
from shopkeeper.web.render import render

_OWN_WORDS = {"200": "gives"}
_EXAMPLES = {"identifier": "email:anna@example.com"}


@get(
    PREFIX + "/docs",
    media_type=MediaType.HTML,
    sync_to_thread=True,
    include_in_schema=False,
    opt={OPT: SIGNED_IN},
)
def docs_page(request: Request[Any, Any, Any]) -> str:
    """The page."""
    document = described(request.app.openapi_schema.to_schema())
    return render(
        request.app,
        "docs.html",
        here="docs",
        doc=document,
        operations=operations(document),
        schemas=schemas(document),
        base=str(request.base_url).rstrip("/"),
    )


@get(["/api", PREFIX], sync_to_thread=False, include_in_schema=False, opt={OPT: SIGNED_IN})
def docs_entrance() -> Redirect:
    """Whoever opens the root of the API is led to its page."""
    return Redirect(PREFIX + "/docs")


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations of an OpenAPI document, ready to print, in the order of their paths."""
    found = []
    for path, methods in sorted(document["paths"].items()):
        for verb, op in methods.items():
            if not isinstance(op, dict) or "responses" not in op:
                continue
            example = path
            for name, value in _EXAMPLES.items():
                example = example.replace("{" + name + "}", value)
            if "requestBody" in op:
                example += " -H 'Content-Type: application/json' -d '{}'"
            found.append(
                {
                    "id": op.get("operationId", verb + path),
                    "verb": verb.upper(),
                    "path": path,
                    "text": op.get("description") or op.get("summary", ""),
                    "example": example,
                    "parameters": [
                        {
                            "name": p["name"],
                            "place": p["in"],
                            "type": type_of(p.get("schema", {})),
                            "text": p.get("description") or p.get("schema", {}).get("description", ""),
                        }
                        for p in op.get("parameters", ())
                    ]
                    + _body(document, op),
                    "answers": [
                        {
                            "status": status,
                            "text": _OWN_WORDS.get(status, answer.get("description", "")),
                            "schema": _schema(answer),
                        }
                        for status, answer in sorted(op["responses"].items())
                    ],
                }
            )
    return found


def schemas(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The shapes of an OpenAPI document with their fields."""
    return [
        {
            "name": name,
            "text": schema.get("description", ""),
            "fields": [
                {"name": n, "type": type_of(s), "text": s.get("description", "")}
                for n, s in schema.get("properties", {}).items()
            ],
        }
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    ]


def type_of(schema: dict[str, Any]) -> str:
    """A schema's type in a few signs.

    >>> type_of({"type": "array", "items": {"$ref": "#/components/schemas/Share"}})
    'list of Share'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for joined in ("oneOf", "anyOf"):
        if joined in schema:
            return " or ".join(dict.fromkeys(type_of(part) for part in schema[joined]))
    if "prefixItems" in schema:
        return "[" + ", ".join(type_of(part) for part in schema["prefixItems"]) + "]"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"{type_of(schema['additionalProperties'])} by name"
    if isinstance(kind, list):
        return " or ".join(kind)
    return f"{kind}, {schema['format']}" if "format" in schema else str(kind)


def _body(document: dict[str, Any], op: dict[str, Any]) -> list[dict[str, str]]:
    """The fields of what is sent, printed like parameters."""
    name = _schema(op.get("requestBody", {}))
    shape = document["components"]["schemas"].get(name, {})
    return [
        {"name": field, "place": "body", "type": type_of(of), "text": of.get("description", "")}
        for field, of in shape.get("properties", {}).items()
    ]


def _schema(answer: dict[str, Any]) -> str:
    for content in answer.get("content", {}).values():
        if "$ref" in content.get("schema", {}):
            return type_of(content["schema"])
    return ""
