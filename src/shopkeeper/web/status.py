"""From errors to answers: the one table from domain errors to HTTP status, and both faces of an error.

Under ``/api/`` an error is JSON, ``{"error": {"code", "message", "hint", "retry"}}``; elsewhere it is a page, or
a short notice where htmx asked for a piece of one.
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from shopkeeper.domain import errors
from shopkeeper.web.access.declared import FOR_PROGRAMS
from shopkeeper.web.render import render

log = logging.getLogger("shopkeeper.web")

STATUS: dict[type[errors.ShopkeeperError], int] = {
    errors.InvalidInput: 400,
    errors.UnknownName: 400,
    errors.BadCondition: 400,
    errors.BadFile: 422,
    errors.BadEvent: 422,
    errors.NotPermitted: 403,
    errors.NotSignedIn: 401,
    errors.TooManyTries: 429,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TookTooLong: 504,
    errors.StoreFailure: 500,
    errors.StoreAway: 503,
    errors.StoreBusy: 503,
    errors.StoreFull: 507,
    errors.StoreDamaged: 500,
    errors.StoreTooNew: 500,
    errors.ShopkeeperError: 500,
}
"""HTTP status by error class; a class that is not listed takes that of its nearest listed ancestor."""

TITLES: dict[int, str] = {
    400: "That request does not add up",
    401: "Please sign in",
    403: "Not yours to see",
    404: "Nothing here by that name",
    405: "That cannot be done here",
    409: "That is not possible right now",
    421: "Wrong address",
    422: "That could not be read",
    429: "Not so fast",
    500: "Something broke on our side",
    503: "The shop is busy",
    504: "That takes too long",
    507: "The disk is full",
}

_CODES = {400: "invalid_input", 403: "not_permitted", 404: "not_found", 405: "method_not_allowed"}

_MISSING = re.compile(r"Missing required \w+ parameter '(?P<name>\w+)'")
_PLAIN = {
    "Invalid RFC3339 encoded date": "expected a date as YYYY-MM-DD",
    "Invalid RFC3339 encoded datetime": "expected an instant as YYYY-MM-DDTHH:MM:SSZ",
    "'data'": "the request has no body; send at least {}",
}
"""What the HTTP layer says, and what is meant."""


class Problem(Struct, frozen=True):
    """What went wrong: a stable ``code``, a ``message``, what to do (``hint``), whether to try again."""

    code: str
    message: str
    hint: str = ""
    retry: bool = False


class ErrorBody(Struct, frozen=True):
    """The body of every answer of the API that is not a success."""

    error: Problem


def status_of(error: errors.ShopkeeperError) -> int:
    """The HTTP status of a domain error.

    >>> status_of(errors.UnknownName("kind", "ordes", ["orders"])), status_of(errors.StoreBusy("in use"))
    (400, 503)
    """
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def domain_error(request: Request[Any, Any, Any], error: errors.ShopkeeperError) -> Response[Any]:
    """Answer an error that Shopkeeper raised on purpose."""
    problem = Problem(error.code, error.message, error.hint, error.retry)
    return answer(request, status_of(error), problem, headers=_headers(error))


def _headers(error: errors.ShopkeeperError) -> dict[str, str] | None:
    if isinstance(error, errors.TooManyTries):
        return {"retry-after": str(error.wait)}
    if isinstance(error, errors.NotSignedIn):
        return {"www-authenticate": 'Bearer realm="shopkeeper"'}
    return None


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer an error of the HTTP layer: no such path, a parameter of the wrong type."""
    status = error.status_code
    message, hint = error.detail, ""
    if isinstance(error, ValidationException):
        given = [extra for extra in error.extra or () if isinstance(extra, dict)]
        message = "; ".join(f"{e.get('key', 'the request')}: {_plainly(e)}" for e in given)
        if not message and (missing := _MISSING.search(error.detail)):
            message = f"the parameter {missing['name']} is missing"
        message, hint = message or "a parameter is not valid", "see /api/v1/docs for what is expected"
    elif status == 404:
        message, hint = "there is no such address", "see /api/v1/docs" if _wants_json(request) else ""
    code = _CODES.get(status, "invalid_input" if status < 500 else "internal_error")
    return answer(request, status, Problem(code, message, hint), headers=error.headers)


def _plainly(said: dict[str, Any]) -> str:
    """What is wrong with a field, in words that tell how it is written.

    >>> _plainly({"key": "as_of", "message": "Invalid RFC3339 encoded date"}), _plainly({"message": "'data'"})
    ('expected a date as YYYY-MM-DD', 'the request has no body; send at least {}')
    """
    message = str(said.get("message", "not valid"))
    return _PLAIN.get(message, message)


def unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer a defect. Its message may hold personal values, so only its type and place are logged."""
    where = request.scope.get("path_template") or "?"
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s %s failed with %s\n%s", request.method, where, type(error).__name__, frames)
    problem = Problem("internal_error", "this is a defect in Shopkeeper", "the server's log says where")
    return answer(request, 500, problem)


def answer(
    request: Request[Any, Any, Any], status: int, problem: Problem, *, headers: dict[str, str] | None = None
) -> Response[Any]:
    """The error in the face that suits who asked."""
    if _wants_json(request):
        body = msgspec.json.encode(ErrorBody(problem))
        return Response(body, status_code=status, media_type=MediaType.JSON, headers=headers)
    piece = request.headers.get("hx-request") == "true"
    template = "parts/notice.html" if piece else "error.html"
    title = TITLES.get(status, "That did not work")
    page = render(request.app, template, status=status, title=title, problem=problem, here="")
    return Response(page, status_code=status, media_type=MediaType.HTML, headers=headers)


def _wants_json(request: Request[Any, Any, Any]) -> bool:
    return str(request.scope["path"]).startswith(FOR_PROGRAMS)
