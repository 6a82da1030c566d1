"""The blocks of a mapping: what makes an event, and what makes a record of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from shopkeeper.collect.mapped.conditions import Holds, condition
from shopkeeper.collect.mapped.paths import Path, Scope
from shopkeeper.collect.mapped.spots import Spot, told
from shopkeeper.collect.mapped.times import Moment, checked, moment, zone_of
from shopkeeper.collect.mapped.values import Lines, Paths, Value, as_text, blank, is_path, value_of
from shopkeeper.domain.catalogue import KEYS, RECORDS
from shopkeeper.domain.errors import InvalidInput
from shopkeeper.domain.event import EVENTS, canonical_name
from shopkeeper.domain.identifier import IDENTIFIER_KINDS

_EVENT: Final = (
    "name", "undeclared", "when", "each", "id", "at", "channel", "brand", "identifiers", "properties", "more",
)  # fmt: skip
_RECORD: Final = ("kind", "when", "each", "fields")
_AT: Final = ("path", "format", "zone", "default")

Many = Callable[[Scope], list[Any]]


class When(Struct, frozen=True):
    """How the time of an event is read."""

    path: Value
    read: Moment
    zone: str
    """Zone of times without one; the shop's where empty."""
    arrival: bool
    """Whether the time of arrival counts where none is told."""


class EventBlock(Struct, frozen=True, kw_only=True):
    """What makes one kind of event."""

    title: str
    """What it is called in messages: 'event 2'."""
    name: Value
    literal: str
    """Its name where that is always the same."""
    undeclared: bool
    when: Holds | None
    each: Path | None
    id: Value | None
    at: When | None
    channel: Value | None
    brand: Value | None
    identifiers: tuple[tuple[str, Many], ...]
    properties: tuple[tuple[str, Value], ...]
    texts: frozenset[str]
    """Properties that are text, whatever a sender makes of them."""
    more: tuple[tuple[str, Value], ...]
    paths: tuple[tuple[int, tuple[Path, ...]], ...]
    """Every path of this block, with its line."""


class RecordBlock(Struct, frozen=True, kw_only=True):
    """What makes one kind of record."""

    title: str
    kind: str
    when: Holds | None
    each: Path | None
    fields: tuple[tuple[str, Value], ...]
    texts: frozenset[str]
    """Fields that are text, whatever a sender makes of them."""
    paths: tuple[tuple[int, tuple[Path, ...]], ...]


def event_block(spot: Spot, paths: Paths) -> EventBlock:
    """An [[event]], checked against the declared events."""
    spot.table(_EVENT)
    before = len(paths.used)
    undeclared = spot.value.get("undeclared", False)
    if type(undeclared) is not bool:
        raise spot.at("undeclared").wrong("expected true or false")
    if "name" not in spot:
        raise spot.wrong("it does not say which event it is", hint="name = 'Order Completed'")
    name, names = _name(spot.at("name", spot.what), paths, undeclared=undeclared)
    structs = [EVENTS[one].struct for one in names if one in EVENTS]
    properties = _properties(spot, paths, names, structs)
    _required(spot, names, {field for field, _ in properties})
    more = spot.at("more") if "more" in spot else None
    if more is not None:
        more.table()
    return EventBlock(
        title=spot.what,
        name=name,
        literal=names[0] if len(names) == 1 else "",
        undeclared=undeclared,
        when=condition(spot.at("when"), paths) if "when" in spot else None,
        each=paths.path(spot.at("each")) if "each" in spot else None,
        id=_id(spot.at("id"), paths) if "id" in spot else None,
        at=_at(spot.at("at"), paths) if "at" in spot else None,
        channel=_word(spot, "channel", paths),
        brand=_word(spot, "brand", paths),
        identifiers=_identifiers(spot, paths),
        properties=properties,
        texts=frozenset[str]().union(*map(texts_of, structs)),
        more=tuple((key, value_of(one, paths)) for key, one in more.items()) if more is not None else (),
        paths=tuple(paths.used[before:]),
    )


def record_block(spot: Spot, paths: Paths) -> RecordBlock:
    """A [[record]], checked against the kinds of the catalogue."""
    spot.table(_RECORD)
    before = len(paths.used)
    kind = spot.at("kind").text() if "kind" in spot else ""
    if kind not in RECORDS:
        raise (spot.at("kind", spot.what) if kind else spot).unknown("kind of record", kind, RECORDS)
    if "fields" not in spot:
        raise spot.wrong("it has no fields", hint="[record.fields] says what they are read from")
    fields, struct = spot.at("fields"), RECORDS[kind]
    fields.table(struct.__struct_fields__, f"field of a {kind}")
    for field in msgspec.structs.fields(struct):
        if field.required and field.name not in fields:
            raise fields.wrong(
                f"a {kind} needs {field.name!r}", hint=f"it is kept by {', '.join(KEYS[kind])}"
            )
    hints = _hints(struct)
    return RecordBlock(
        title=spot.what,
        kind=kind,
        when=condition(spot.at("when"), paths) if "when" in spot else None,
        each=paths.path(spot.at("each")) if "each" in spot else None,
        fields=tuple((name, value_of(one, paths, fits=_fits(hints[name]))) for name, one in fields.items()),
        texts=texts_of(struct),
        paths=tuple(paths.used[before:]),
    )


def _name(spot: Spot, paths: Paths, *, undeclared: bool) -> tuple[Value, list[str]]:
    """The name of an event, and all names it can turn out to be as far as they are told."""
    if type(spot.value) is str and not is_path(spot.value):
        name = _declared(spot, spot.value, undeclared=undeclared)
        return (lambda _scope: name), [name]
    read = value_of(spot, paths)
    names: list[str] = []
    if type(spot.value) is dict:
        table = spot.value.get("map", {})
        given = [*table.values()] if type(table) is dict else []
        given += [spot.value[key] for key in ("default", "const") if key in spot.value]
        names = [_declared(spot, one, undeclared=undeclared) for one in given]
    return read, names


def _declared(spot: Spot, name: Any, *, undeclared: bool) -> str:
    if type(name) is not str or not name.strip():
        raise spot.wrong(f"the name of an event is a text, not {told(name)}")
    known = canonical_name(name)
    if known not in EVENTS and not undeclared:
        raise spot.unknown("event", name, EVENTS, "An event of your own needs 'undeclared = true'")
    return known


def _properties(
    spot: Spot, paths: Paths, names: list[str], structs: Sequence[type[Struct]]
) -> tuple[tuple[str, Value], ...]:
    if "properties" not in spot:
        return ()
    given = spot.at("properties")
    given.table()
    hints: dict[str, Any] = {}
    for struct in structs:
        hints |= _hints(struct)
    found = []
    for field, one in given.items():
        if hints and field not in hints:
            what = f"property of {' or '.join(names[:3])}"
            raise one.unknown(what, field, hints, "What has no property stands in [event.more]")
        hint = hints.get(field)
        found.append(
            (field, value_of(one, paths, fits=_fits(hint), lines=_line_shape(hint) if hint else None))
        )
    return tuple(found)


def _required(spot: Spot, names: list[str], given: set[str]) -> None:
    for name in names:
        if name not in EVENTS:
            continue
        for field in msgspec.structs.fields(EVENTS[name].struct):
            if field.required and field.name not in given:
                raise spot.wrong(f"{name!r} needs the property {field.name!r}")


def _id(spot: Spot, paths: Paths) -> Value:
    """The parts that name one event among the source's; a part that is no path is a word."""
    if type(spot.value) is str:
        path = paths.path(spot)
        return lambda scope: as_text(found) if not blank(found := path.one(scope)) else ""
    if type(spot.value) is not list or not any(is_path(part) for part in spot.value):
        raise spot.wrong(
            "expected a path, or a list of paths and words", hint="id = ['@.id', '@.updated_at']"
        )
    parts: list[Path | str] = [
        paths.path(one) if is_path(part) else one.text()
        for part, one in ((part, spot.at(place, spot.what)) for place, part in enumerate(spot.value))
    ]

    def value(scope: Scope) -> str:
        texts = [
            part if isinstance(part, str) else "" if blank(found := part.one(scope)) else as_text(found)
            for part in parts
        ]
        told_ = any(text for text, part in zip(texts, parts, strict=True) if not isinstance(part, str))
        return ":".join(texts) if told_ else ""

    return value


def _at(spot: Spot, paths: Paths) -> When:
    if type(spot.value) is str or type(spot.value) is list:
        return When(value_of(spot, paths), moment(), "", arrival=False)
    spot.table(_AT)
    if "path" not in spot:
        raise spot.wrong("it does not say where the time stands", hint="at = '@.created_at'")
    zone, style, default = "", "auto", spot.value.get("default")
    try:
        if "zone" in spot:
            zone = spot.at("zone", spot.what).text()
            zone_of(zone)
        if "format" in spot:
            style = checked(spot.at("format", spot.what).text())
    except InvalidInput as error:
        if error.message.startswith("line "):
            raise
        raise spot.wrong(error.message, hint=error.hint) from None
    if default not in (None, "arrival"):
        raise spot.at("default", spot.what).wrong("the default of a time is 'arrival'")
    return When(
        value_of(spot.at("path", spot.what), paths), moment(style), zone, arrival=default == "arrival"
    )


def _word(spot: Spot, key: str, paths: Paths) -> Value | None:
    """A channel or brand: a word, or what a path finds."""
    if key not in spot:
        return None
    one = spot.at(key)
    if type(one.value) is str and not is_path(one.value):
        word = one.value
        return lambda _scope: word
    return value_of(one, paths)


def _identifiers(spot: Spot, paths: Paths) -> tuple[tuple[str, Many], ...]:
    if "identifiers" not in spot:
        return ()
    given = spot.at("identifiers")
    given.table(IDENTIFIER_KINDS, "identifier")
    return tuple((kind, _every(one, paths)) for kind, one in given.items())


def _every(spot: Spot, paths: Paths) -> Many:
    """All values of an identifier: a person may have several addresses."""
    if type(spot.value) is dict:
        if "const" in spot.value:
            raise spot.wrong("an identifier that is always the same would make everybody one person")
        value = value_of(spot, paths)
        return lambda scope: [value(scope)]
    given = (
        [spot.at(place, spot.what) for place in range(len(spot.value))]
        if type(spot.value) is list
        else [spot]
    )
    found = [paths.path(one) for one in given]
    if len(found) == 1:
        return found[0].find
    return lambda scope: [one for path in found for one in path.find(scope)]


@lru_cache(maxsize=256)
def _hints(struct: type[Struct]) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


def _fits(hint: Any) -> Callable[[Any], str] | None:
    """What judges whether a constant can stand in a field of that type."""
    if hint is None:
        return None

    def judge(value: Any) -> str:
        if type(value) in (int, float) and _takes_text(hint):
            value = str(value)
        try:
            msgspec.convert(value, hint, strict=False)
        except msgspec.ValidationError as error:
            return str(error).partition(" - at")[0].replace("`", "'")
        return ""

    return judge


def _takes_text(hint: Any) -> bool:
    return str in _choices(hint)


def _choices(hint: Any) -> tuple[Any, ...]:
    """The types that a field may be of, without what is said about them."""
    if get_origin(hint) is Annotated:
        return _choices(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return tuple(one for part in get_args(hint) for one in _choices(part))
    return (hint,)


def _line_shape(hint: Any) -> Lines | None:
    """What the lines may hold of a property that is a list of structs, such as the lines of an order."""
    for choice in _choices(hint):
        for part in get_args(choice):
            if isinstance(part, type) and issubclass(part, Struct):
                return Lines(part.__struct_fields__, texts_of(part))
    return None


@lru_cache(maxsize=256)
def texts_of(struct: type[Struct]) -> frozenset[str]:
    """The fields of a struct that are text."""
    return frozenset(name for name, hint in _hints(struct).items() if _takes_text(hint))
