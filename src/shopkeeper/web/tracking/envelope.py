"""What stands around the events of a tracking call: whether it can be read, how many there are, and the write key."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from shopkeeper.web.tracking.answers import Refusal

MOST: Final = 2_500
"""Events in one batch."""
_DEEPEST: Final = 100
"""Levels of nesting, where a body has to be mended."""


class _Call(Struct):
    writeKey: Any = None  # noqa: N815 - the wire's name


class _Batch(Struct):
    batch: list[Raw] | UnsetType = UNSET
    writeKey: Any = None  # noqa: N815


_call: Final = msgspec.json.Decoder(_Call).decode
_batch: Final = msgspec.json.Decoder(_Batch).decode
_any: Final = msgspec.json.Decoder(Raw).decode


def opened(body: bytes, *, batch: bool) -> tuple[bytes, int, str]:
    r"""The body, how many events it holds, and the write key inside it. Raises Refusal 400.

    The body is as it came, unless a JSON reader would choke on it where its writer did not: half a surrogate pair from
    JavaScript, NaN from Python. That is mended here, because one such value must not cost its neighbours.

    >>> opened(b'{"writeKey":"k","batch":[{},{}]}', batch=True)[1:]
    (2, 'k')
    >>> opened(b'{"event":"cut \\ud83d","price":NaN}', batch=False)
    (b'{"event":"cut \xef\xbf\xbd","price":null}', 1, '')
    """
    try:
        found = _read(body, batch=batch)
    except msgspec.ValidationError:
        expected = "an object with a list 'batch'" if batch else "one JSON object"
        raise Refusal(400, "bad_shape", f"the body must be {expected}") from None
    except msgspec.DecodeError:
        body = _mended(body)
        try:
            found = _read(body, batch=batch)
        except msgspec.DecodeError:
            raise Refusal(400, "bad_shape", "the body is not what this address takes") from None
    key = found.writeKey
    key = key if type(key) is str else ""
    if not batch:
        return body, 1, key
    if found.batch is UNSET:
        raise Refusal(400, "bad_shape", "the body must be an object with a list 'batch'")
    events = len(found.batch)
    if events > MOST:
        raise Refusal(400, "too_many_events", f"a batch may hold {MOST} events, this one holds {events}")
    return body, events, key


def readable(body: bytes) -> bytes:
    """A body of any JSON, mended where that is needed. Raises Refusal 400."""
    try:
        if not body.isascii():
            body.decode()
        _any(body)
    except UnicodeDecodeError:
        raise Refusal(400, "not_utf8", "the body is not UTF-8") from None
    except RecursionError:
        raise _deep() from None
    except msgspec.DecodeError:
        return _mended(body)
    return body


def _read(body: bytes, *, batch: bool) -> Any:
    try:
        if not body.isascii():
            body.decode()  # what is skipped over is not decoded, and so not checked, below
        return (_batch if batch else _call)(body)
    except UnicodeDecodeError:
        raise Refusal(400, "not_utf8", "the body is not UTF-8") from None
    except RecursionError:
        raise _deep() from None


def _mended(body: bytes) -> bytes:
    """The body written anew without what only lenient readers accept. Raises Refusal 400."""
    try:
        return msgspec.json.encode(_plain(json.loads(body.decode("utf-8-sig"), parse_constant=_nothing), 0))
    except RecursionError:
        raise _deep() from None
    except (ValueError, TypeError, OverflowError, msgspec.MsgspecError):
        raise Refusal(400, "bad_json", "the body is not JSON") from None


def _nothing(_: str) -> None:
    """What NaN and Infinity are in JSON."""


def _plain(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise _deep()
    if type(value) is str:
        return (
            value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if type(value) is list:
        return [_plain(each, depth + 1) for each in value]
    if type(value) is dict:
        return {_plain(name, depth): _plain(each, depth + 1) for name, each in value.items()}
    return value


def _deep() -> Refusal:
    return Refusal(400, "too_deep", "the body is nested too deeply")
