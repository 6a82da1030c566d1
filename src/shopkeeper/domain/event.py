"""An event: something that happened, once, at a place and time, observed on some identifiers.

Each known event is one frozen struct in ``domain/events/``. Validation, JSON Schema, the reference page, sample
values and the split into facts (kept in the log) and personal values (sealed in the vault) all come from it.
Unknown names are accepted and kept, with every property treated as personal until somebody declares it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.identifier import Identifier
from shopkeeper.domain.personal import Personal, looks_personal


class Properties(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every declared event's properties."""

    def sentence(self) -> str:
        """What happened, in a few words without personal values, for a timeline."""
        return declared(type(self)).name.lower()


class Event(Struct, frozen=True, kw_only=True):
    """One event at the door: named, timed, with the identifiers it was observed on.

    ``occurred_at`` and ``received_at`` are microseconds since 1970 in UTC (``domain.clock``). ``properties`` is a
    declared struct or, for a name nobody declared, a plain mapping. ``traits`` are what an identify call tells of
    the person. ``more`` holds properties that came along undeclared.
    """

    name: str
    message_id: str
    occurred_at: int
    received_at: int
    identifiers: tuple[Identifier, ...] = ()
    properties: Properties | dict[str, Any] = msgspec.field(default_factory=dict)
    more: dict[str, Any] = msgspec.field(default_factory=dict)
    source: str = ""
    brand: str = ""
    channel: str = ""


class Declaration(Struct, frozen=True):
    """What was declared of one event: its struct, version, aliases and which properties are personal."""

    name: str
    struct: type[Properties]
    version: int
    aliases: tuple[str, ...]
    personal: dict[str, Personal]
    fields: frozenset[str]
    sentence: str


EVENTS: dict[str, Declaration] = {}
"""Every declared event by its name."""

ALIASES: dict[str, str] = {}
"""Other spellings clients send (Segment's first ecommerce spec, lower case) to the declared name."""

_BY_STRUCT: dict[type, Declaration] = {}
_S = TypeVar("_S", bound=type[Properties])


def personal(kind: Personal, description: str, example: Any = None) -> Meta:
    """Field metadata of a personal property."""
    return Meta(
        description=description, examples=[example] if example is not None else None, extra={"personal": kind}
    )


def says(description: str, example: Any = None) -> Meta:
    """Field metadata of a property that is no personal data."""
    return Meta(description=description, examples=[example] if example is not None else None)


def event(name: str, *, version: int = 1, aliases: tuple[str, ...] = ()) -> Callable[[_S], _S]:
    """Class decorator: declare a struct as the properties of the event ``name``."""

    def declare(struct: _S) -> _S:
        row = Declaration(
            name=name,
            struct=struct,
            version=version,
            aliases=aliases,
            personal={f: k for f, k in _personal_fields(struct).items() if k is not Personal.NONE},
            fields=frozenset(f.encode_name for f in msgspec.structs.fields(struct)),
            sentence=(struct.__doc__ or "").strip().splitlines()[0],
        )
        EVENTS[name] = _BY_STRUCT[struct] = row
        for spelling in (name, *aliases):
            ALIASES[_fold(spelling)] = name
        return struct

    return declare


def declared(struct: type[Properties]) -> Declaration:
    """The declaration a properties struct belongs to."""
    return _BY_STRUCT[struct]


def _fold(name: str) -> str:
    return name.casefold().replace("_", " ").strip()


def canonical_name(name: str) -> str:
    """The declared name for any spelling of it, or the name itself, trimmed, where nobody declared it.

    >>> import shopkeeper.domain.events
    >>> canonical_name("Completed Order"), canonical_name("order_completed"), canonical_name("Robot Waved")
    ('Order Completed', 'Order Completed', 'Robot Waved')
    """
    if name in EVENTS:
        return name
    return ALIASES.get(_fold(name), name.strip())


def parse(name: str, properties: dict[str, Any]) -> tuple[Properties | dict[str, Any], dict[str, Any]]:
    """Validated properties of the event ``name`` and what came along undeclared.

    Raises BadEvent naming the field and the expected type, never the value.

    >>> import shopkeeper.domain.events
    >>> parse("Product Viewed", {"product_id": "85048", "price": "6.95", "colour": "red"})[1]
    {'colour': 'red'}
    """
    row = EVENTS.get(name)
    if row is None:
        return properties, {}
    try:
        known = msgspec.convert(properties, row.struct, strict=False)
    except msgspec.ValidationError as error:
        raise BadEvent(
            "invalid_property", f"{name}: {error}", hint=f"see the declaration of {name!r}"
        ) from None
    if row.fields.issuperset(properties):
        return known, {}
    return known, {key: value for key, value in properties.items() if key not in row.fields}


def split(properties: Properties | dict[str, Any], more: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Facts that may stand in the log, and personal values that must be sealed.

    >>> import shopkeeper.domain.events
    >>> facts, sealed = split({"score": 3, "who": "Anna"}, {})
    >>> facts, sealed
    ({'score': 3}, {'who': 'Anna'})
    """
    if isinstance(properties, dict):
        everything = {**properties, **more}
        facts = {k: v for k, v in everything.items() if not looks_personal(v)}
        return facts, {k: v for k, v in everything.items() if looks_personal(v)}
    sealed: dict[str, Any] = {}
    for field in _BY_STRUCT[type(properties)].personal:
        value = getattr(properties, field)
        if value is not None and value != "":
            sealed[field] = value
    if sealed:
        properties = msgspec.structs.replace(properties, **dict.fromkeys(sealed))
    if not more:
        return properties, sealed
    plain: dict[str, Any] = {}
    for key, value in more.items():
        (sealed if looks_personal(value) else plain)[key] = value
    if plain:
        return {**msgspec.to_builtins(properties), **plain}, sealed
    return properties, sealed


def _personal_fields(struct: type[Properties]) -> dict[str, Personal]:
    hints = get_type_hints(struct, include_extras=True)
    found: dict[str, Personal] = {}
    for name, hint in hints.items():
        if get_origin(hint) is Annotated:
            for note in get_args(hint)[1:]:
                if isinstance(note, Meta) and note.extra and "personal" in note.extra:
                    found[name] = Personal(note.extra["personal"])
    return found


class Upcaster(Struct, frozen=True):
    """How properties logged under an older version of a declaration become today's."""

    event: str
    version: int
    change: Callable[[dict[str, Any]], dict[str, Any]]


UPCASTERS: dict[tuple[str, int], Upcaster] = {}
"""By (event name, version it starts from); applied one after another when the log is read."""


class Logged:
    """Reads logged properties back into their declared struct, whatever version they were written under."""

    decoders: ClassVar[dict[str, msgspec.json.Decoder[Any]]] = {}

    @classmethod
    def read(cls, name: str, version: int, payload: bytes) -> Any:
        """The struct of a declared event, or a plain mapping."""
        row = EVENTS.get(name)
        if row is None:
            return msgspec.json.decode(payload)
        if version < row.version:
            facts = msgspec.json.decode(payload)
            for step in range(version, row.version):
                facts = UPCASTERS[name, step].change(facts)
            return msgspec.convert(facts, type=row.struct, strict=False)
        decoder = cls.decoders.get(name)
        if decoder is None:
            decoder = cls.decoders[name] = msgspec.json.Decoder(row.struct, strict=False)
        return decoder.decode(payload)
