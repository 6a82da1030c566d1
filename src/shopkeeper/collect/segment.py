"""One call of Segment's HTTP tracking API as one domain event, whatever client or file it came from.

Identifiers are taken as given: making two spellings of an e-mail address equal is the work of a later stage.
Format: https://segment.com/docs/connections/spec/ (track, identify, page, screen, group, alias) and RudderStack's
dialect of it (``originalTimestamp``, ``context.traits``, ``channel``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import msgspec

import shopkeeper.domain.events  # noqa: F401  (fills the table of declared events)
from shopkeeper.collect.external import says_nothing, told_by
from shopkeeper.collect.leniency import validated
from shopkeeper.collect.person import IDENTIFYING, NETWORKED, SAID, person_of
from shopkeeper.domain.clock import DAY, EPOCH, MICROSECOND, SECOND
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import EVENTS, Event, canonical_name
from shopkeeper.domain.identifier import Identifier

LONGEST: Final = 512
"""Characters an identifier, a message id or an event's name may have."""

_SENT: Final = frozenset({"sentAt", "receivedAt", "writeKey", "_metadata"})
_CHANNELS: Final = {"mobile": "app", "server": "", "sources": "", "browser": "web"}
_BY_PREFIX: Final = (
    ("Email ", "email"),
    ("Social ", "social"),
    ("Contact ", "service"),
    ("Store ", "store"),
    ("Beacon ", "store"),
    ("Answer ", "store"),
)

_TELLING: Final = re.compile(r"[^\s@]{1,254}@[^\s@]+|\+?\d(?:[ ().-]{0,2}\d){8,}")
"""An e-mail address, or nine digits and more."""

_NAMING: Final = frozenset({*IDENTIFYING, *NETWORKED, "handle"})
"""Properties by which somebody may be found."""
_NOTHING: Final[dict[str, Any]] = {}
"""The context of a call that has none; never written to."""

Found = list[Identifier]


def parse_call(
    call: dict[str, Any],
    *,
    received_at: int,
    default_source: str = "",
    brand: str = "",
    default_channel: str = "",
) -> Event:
    """The event that one tracking call tells of.

    ``received_at`` is microseconds since 1970, ``default_channel`` holds where the call does not say. A client's clock
    is corrected by how wrong it was when it sent the call, ``received_at - (sentAt - originalTimestamp)``, only when
    ``sentAt`` is there. Raises BadEvent with a
    reason: not_an_object, bad_type, no_name, bad_time, bad_message_id, bad_identifier, no_identifier,
    bad_properties, invalid_property, not_finite, too_large.

    >>> call = {"type": "track", "event": "Viewed Product", "messageId": "m1", "anonymousId": "c1",
    ...         "timestamp": "1970-01-01T00:00:01Z", "properties": {"product_id": "85048", "email": "a@example.com"}}
    >>> event = parse_call(call, received_at=5_000_000)
    >>> event.name, event.occurred_at, [i.kind for i in event.identifiers]
    ('Product Viewed', 1000000, ['anonymous_id', 'email'])
    """
    if type(call) is not dict:
        raise BadEvent("not_an_object", "a tracking call that is no JSON object")
    get = call.get
    kind = get("type")
    read = (_READERS.get(kind) if type(kind) is str else None) or _untyped(call)
    context = _NOTHING if get("context") is None else _mapping(call, "context")
    found: Found = []
    if (value := get("userId")) is not None:
        _add(found, "user_id", value)
    if (value := get("anonymousId")) is not None:
        _add(found, "anonymous_id", value)
    name, given = read(call, context, found)
    if context:
        _from_context(context, found)
        if read is not _identify and (traits := _mapping(context, "traits")):
            _take(traits, found, remove=False)
    properties, more = validated(name, given)
    if context:
        more = _with_context(context, more)
    message_id = get("messageId")
    return Event(
        name=name,
        message_id=message_id
        if type(message_id) is str and 0 < len(message_id) <= LONGEST
        else _message_id(call),
        occurred_at=_occurred(call, received_at),
        received_at=received_at,
        identifiers=tuple(found),
        properties=properties,
        more=more,
        source=default_source,
        brand=brand,
        channel=_channel(call, context, name) or default_channel,
    )


def _track(call: dict[str, Any], _context: dict[str, Any], found: Found) -> tuple[str, dict[str, Any]]:
    event = call.get("event")
    if type(event) is str and event in EVENTS:
        name = event
    elif type(event) is not str or not event.strip() or len(event) > LONGEST:
        raise BadEvent("no_name", "a track call without the name of its event", hint="send a text in 'event'")
    else:
        name = canonical_name(event)
        if name not in EVENTS:
            name = nameless(name)
    properties = call.get("properties")
    if type(properties) is not dict:
        properties = _mapping(call, "properties")
    if _NAMING.isdisjoint(properties):  # of most calls
        return name, properties
    return name, _take(properties, found, remove=name != "Identified")


def nameless(name: str) -> str:
    """An event's undeclared name without what tells a person: names of events stand in reports, in clear.

    >>> nameless("Invited eve@example.com"), nameless("Called +44 20 7946 0000 twice"), nameless("Step 3 of 12")
    ('Invited …', 'Called … twice', 'Step 3 of 12')
    """
    return _TELLING.sub("…", name)


def _identify(call: dict[str, Any], context: dict[str, Any], found: Found) -> tuple[str, dict[str, Any]]:
    traits = {**_mapping(context, "traits"), **_mapping(call, "traits")}
    _take(traits, found, remove=False)
    if not found:
        raise BadEvent(
            "no_identifier", "an identify call without any identifier", hint="send userId or anonymousId"
        )
    return "Identified", person_of(traits)


def _page(call: dict[str, Any], _context: dict[str, Any], found: Found) -> tuple[str, dict[str, Any]]:
    properties = _take(_mapping(call, "properties"), found, remove=True)
    for field in ("name", "category"):
        if field not in properties and type(value := call.get(field)) is str:
            properties = {**properties, field: value}
    return "Page Viewed", properties


def _group(call: dict[str, Any], _context: dict[str, Any], found: Found) -> tuple[str, dict[str, Any]]:
    if not found:
        raise BadEvent(
            "no_identifier", "a group call without any identifier", hint="send userId or anonymousId"
        )
    # a group's e-mail and telephone belong to the firm, not to the person: they stay ordinary properties
    return "Group", {"group_id": call.get("groupId"), **_mapping(call, "traits")}


def _alias(call: dict[str, Any], _context: dict[str, Any], found: Found) -> tuple[str, dict[str, Any]]:
    previous = call.get("previousId")
    value = _text(previous, "previousId") if previous is not None else ""
    if not value or any(identifier.value == value for identifier in found):
        if not found:
            raise BadEvent(
                "no_identifier", "an alias call without any identifier", hint="send userId and previousId"
            )
        return "Identified", {}
    _add(found, "anonymous_id" if _looks_random(value) else "user_id", value)
    return "Alias", {}


_Reader = Callable[[dict[str, Any], dict[str, Any], Found], tuple[str, dict[str, Any]]]
_READERS: Final[dict[str, _Reader]] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _page,
    "group": _group,
    "alias": _alias,
}


def _untyped(call: dict[str, Any]) -> _Reader:
    """What reads a call that does not say of which type it is. Raises BadEvent where it names a type of its own."""
    if call.get("type") is None:
        if "event" in call:
            return _track
        if "traits" in call:
            return _identify
    raise BadEvent(
        "bad_type",
        "a tracking call of no known type",
        hint=f"expected one of {', '.join(sorted(_READERS))}",
    )


def _looks_random(value: str) -> bool:
    """Whether a previousId was made by a client library (a UUID) rather than given by the retailer."""
    return len(value) == 36 and value.count("-") == 4


def _mapping(holder: dict[str, Any], field: str) -> dict[str, Any]:
    value = holder.get(field)
    if value is None:
        return {}
    if type(value) is not dict:
        raise BadEvent("bad_properties", f"{field!r} must be an object")
    return value


def _text(value: Any, field: str) -> str:
    if type(value) is int:
        value = str(value)
    elif type(value) is float and value.is_integer():
        value = str(int(value))
    if type(value) is not str or len(value) > LONGEST:
        raise BadEvent("bad_identifier", f"{field!r} must be a text of at most {LONGEST} characters")
    return value if value.strip() else ""


def _add(found: Found, kind: str, value: Any) -> None:
    if type(value) is not str or len(value) > LONGEST or not value.strip():
        value = _text(value, kind)
        if not value:
            return
    identifier = Identifier(kind, value)
    if not found or identifier not in found:
        found.append(identifier)


def _take(properties: dict[str, Any], found: Found, *, remove: bool) -> dict[str, Any]:
    """Collect the identifiers among properties; with ``remove``, what is left of the properties."""
    present = [key for key in properties if key in IDENTIFYING]
    gone = []
    for key in sorted(present) if len(present) > 1 else present:
        value = properties[key]
        if type(value) is str or type(value) is int:
            _add(found, IDENTIFYING[key], value)
            gone.append(key)
    if (
        "handle" in properties
        and (network := properties.get("network"))
        and type(handle := properties["handle"]) is str
    ):
        _add(found, "social", f"{network}:{handle}")
        gone.append("handle")
    for key in () if NETWORKED.isdisjoint(properties) else NETWORKED & properties.keys():
        if type(handle := properties[key]) is str:
            _add(found, "social", f"{key}:{handle}")
            gone.append(key)
    if not gone or not remove:
        return properties
    return {key: value for key, value in properties.items() if key not in gone}


def _from_context(context: dict[str, Any], found: Found) -> None:
    if device := _mapping(context, "device"):
        for field in ("id", "advertisingId"):
            if (value := device.get(field)) is not None and not says_nothing(value):
                _add(found, "device_id", value)
    if "externalIds" in context or "externalId" in context:
        for kind, value in told_by(context):
            _add(found, kind, value)


def _with_context(context: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """What of the context says something about why they came and what they allow; addresses and browsers do not."""
    kept = {field: context[field] for field in SAID if context.get(field)}
    return {**more, **kept} if kept else more


def _occurred(call: dict[str, Any], received_at: int) -> int:
    original = call.get("originalTimestamp")
    stamped = call.get("timestamp")
    if original is None:
        if stamped is None:
            return received_at
        original = stamped
    elif stamped is not None and "receivedAt" in call:
        return _moment(stamped, "timestamp")  # a server corrected it before it was exported
    at = _moment(original, "timestamp")
    sent = call.get("sentAt")
    if sent is None:
        return at
    if type(sent) is str and sent == original:  # sent at once
        return received_at
    return received_at - (_moment(sent, "sentAt") - at)


def _moment(value: Any, field: str) -> int:
    """Microseconds since 1970 of an ISO text or of seconds or milliseconds since 1970."""
    try:
        if type(value) is str:
            return _instant(value)
        if type(value) is int or type(value) is float:
            scale = 1_000 if abs(value) >= 100_000_000_000 else SECOND
            at = datetime.fromtimestamp(value * scale / SECOND, UTC)
            return (at - EPOCH) // MICROSECOND
    except (ValueError, OverflowError, OSError):
        pass
    raise BadEvent(
        "bad_time", f"{field!r} is no time", hint="send ISO 8601 with a zone, such as 2011-12-09T12:50:00Z"
    )


@lru_cache(maxsize=256)
def _instant(text: str) -> int:
    """Microseconds since 1970 of an ISO text: all calls of a batch were sent at the same time. Raises ValueError."""
    at = datetime.fromisoformat(text)
    since = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds


def _message_id(call: dict[str, Any]) -> str:
    """A stable id for a call that has none: the same call again has the same. Raises BadEvent for a bad one."""
    given = call.get("messageId")
    if given is not None and given != "":
        raise BadEvent("bad_message_id", f"messageId must be a text of at most {LONGEST} characters")
    told = {key: value for key, value in call.items() if key not in _SENT}
    return "auto-" + blake2b(msgspec.json.encode(told, order="deterministic"), digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def usual_channel(name: str) -> str:
    """The channel that an event of this name is of where nothing else tells; empty where that is open.

    >>> usual_channel("Contact Opened"), usual_channel("Order Completed")
    ('service', '')
    """
    return next((channel for prefix, channel in _BY_PREFIX if name.startswith(prefix)), "")


@lru_cache(maxsize=256)
def _told_channel(word: str) -> str:
    """The channel that a client's word for it means; empty where it tells none."""
    return _CHANNELS.get(word.lower(), word.lower())


def _channel(call: dict[str, Any], context: dict[str, Any], name: str) -> str:
    given = call.get("channel") or context.get("channel")
    if type(given) is str and (channel := _told_channel(given)):
        return channel
    if usual := usual_channel(name):
        return usual
    if "page" in context:
        return "web"
    if "device" in context or call.get("type") == "screen":
        return "app"
    library = context.get("library")
    return "web" if type(library) is dict and library.get("name") == "analytics.js" else ""
