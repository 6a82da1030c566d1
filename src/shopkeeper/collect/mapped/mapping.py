"""A mapping: how one system's JSON becomes events and records, told in TOML and checked whole before it is used.

What may stand in it is in ``docs/how-to/connect-anything.md``. ``check`` compiles a mapping or says in which line what
is wrong with it.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

import shopkeeper.domain.events  # noqa: F401  (fills the table of declared events)
from shopkeeper.collect.mapped.blocks import EventBlock, RecordBlock, event_block, record_block
from shopkeeper.collect.mapped.conditions import Holds, condition
from shopkeeper.collect.mapped.paths import Path
from shopkeeper.collect.mapped.spots import Place, Spot, lines_of
from shopkeeper.collect.mapped.values import Paths
from shopkeeper.domain.errors import InvalidInput, UnknownName
from shopkeeper.domain.signature import Signature
from shopkeeper.domain.signature import checked as checked_signature

LONGEST: Final = 200_000
"""Characters a mapping may have."""
_KEYS: Final = (
    "title", "channel", "brand", "each", "topic_header", "signature", "event", "record", "ignore",
)  # fmt: skip
_AT_LINE: Final = re.compile(r"^(.*?) \(at (?:line (\d+), column \d+|end of document)\)$", re.DOTALL)


class Mapping(Struct, frozen=True, kw_only=True):
    """A compiled mapping."""

    title: str
    channel: str
    brand: str
    topic_header: str
    """The header in which the sender says what a body is about; in lower case, empty where there is none."""
    signature: Signature | None
    each: Path | None
    events: tuple[EventBlock, ...]
    records: tuple[RecordBlock, ...]
    ignored: tuple[Holds, ...]
    around: tuple[Path, ...]
    """Paths into the body as a whole: what of it must stay with an element that is kept by itself."""


@lru_cache(maxsize=64)
def check(text: str) -> Mapping:
    r"""The mapping that a TOML text tells. Raises InvalidInput or UnknownName with the line of what is wrong.

    >>> check('[[event]]\nname = "Order Complete"')
    Traceback (most recent call last):
    shopkeeper.domain.errors.UnknownName: unknown event in line 2 (event 1): 'Order Complete'; did you mean 'Order ...
    """
    top = _parsed(text)
    top.table(_KEYS)
    paths = Paths()
    each = paths.path(top.at("each")) if "each" in top else None
    if each is not None and each.level:
        raise top.at("each").wrong("a path into the whole body begins with $", hint="such as $.events[*]")
    events = tuple(event_block(spot, paths) for spot in top.tables("event", "event"))
    records = tuple(record_block(spot, paths) for spot in top.tables("record", "record"))
    if not events and not records:
        raise top.wrong("nothing comes of it", hint="say what becomes of a body: [[event]] or [[record]]")
    ignored = []
    for spot in top.tables("ignore", "ignore"):
        spot.table(("when", "why"))
        ignored.append(condition(spot.at("when"), paths) if "when" in spot else _always)
    header = _text(top, "topic_header").lower()
    return Mapping(
        title=_text(top, "title"),
        channel=_text(top, "channel"),
        brand=_text(top, "brand"),
        topic_header=header,
        signature=_signature(top),
        each=each,
        events=events,
        records=records,
        ignored=tuple(ignored),
        around=tuple(
            p for _, several in paths.used for p in several if not p.level and p is not each and p.names
        ),
    )


def _always(_scope: Any, _topic: str) -> bool:
    return True


def _parsed(text: str) -> Spot:
    if len(text) > LONGEST:
        raise InvalidInput(f"a mapping may have at most {LONGEST} characters", hint="split the source in two")
    try:
        told = tomllib.loads(text)
        lines: dict[Place, int] = lines_of(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text) from None
    except RecursionError:
        raise InvalidInput("the mapping is nested too deeply", hint="see docs/how-to") from None
    return Spot(told, lines)


def _not_toml(message: str, text: str) -> InvalidInput:
    found = _AT_LINE.match(message)
    line = found.group(2) if found and found.group(2) else str(text.count("\n") + 1)
    what = found.group(1) if found else message
    hint = "words stand in quotes, keys with dots or brackets too"
    return InvalidInput(f"line {line}: this is no TOML ({what[:100]})", hint=hint)


def _text(spot: Spot, key: str) -> str:
    return spot.at(key).text() if key in spot else ""


def _signature(top: Spot) -> Signature | None:
    if "signature" not in top:
        return None
    spot = top.at("signature", "[signature]")
    spot.table(Signature.__struct_fields__)
    if "header" not in spot:
        raise spot.wrong("it does not say which header holds the signature", hint="header = 'X-Signature'")
    try:
        return checked_signature(msgspec.convert(spot.value, Signature))
    except msgspec.ValidationError as error:
        raise spot.wrong(_short(error)) from None
    except UnknownName as error:
        raise InvalidInput(f"line {spot.line}, [signature]: {error.message}", hint=error.hint) from None
    except InvalidInput as error:
        raise spot.wrong(error.message, hint=error.hint) from None


def _short(error: Exception) -> str:
    return str(error).replace("`", "'")
