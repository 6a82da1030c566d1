"""One tracking call becomes one event, whichever client sent it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.collect.segment import parse_call
from shopkeeper.domain.clock import SECOND, instant
from shopkeeper.domain.errors import BadEvent
from shopkeeper.domain.event import EVENTS
from shopkeeper.domain.identifier import Identifier

NOW = 1_323_435_000 * SECOND
"""2011-12-09T12:50:00Z."""


def call(**fields):
    return {"type": "track", "event": "Product Viewed", "messageId": "m1", "anonymousId": "c1", **fields}


def parsed(**fields):
    return parse_call(call(**fields), received_at=NOW, default_source="web")


def kinds(event):
    return {i.kind: i.value for i in event.identifiers}


def test_a_call_without_time_happened_when_it_came():
    assert parsed().occurred_at == NOW


@pytest.mark.parametrize("field", ["timestamp", "originalTimestamp"])
def test_a_wrong_clock_is_corrected_by_how_wrong_it_was_when_sending(field):
    hour = "2011-12-09T11:00:00+00:00"
    assert parsed(**{field: hour}).occurred_at == NOW - 110 * 60 * SECOND
    late = parsed(**{field: hour, "sentAt": "2011-12-09T11:00:30.500Z"})
    assert late.occurred_at == NOW - 30_500_000


def test_a_call_sent_at_once_happened_when_it_came_whatever_its_clock_says():
    wrong = "2001-01-01T00:00:00.250Z"
    assert parsed(timestamp=wrong, sentAt=wrong).occurred_at == NOW
    with pytest.raises(BadEvent) as caught:
        parsed(timestamp="yesterday", sentAt="yesterday")
    assert caught.value.reason == "bad_time"


def test_a_call_that_a_server_corrected_already_keeps_its_time():
    event = parsed(
        timestamp="2011-12-09T10:00:00Z", originalTimestamp="2001-01-01T00:00:00Z", sentAt="2001-01-01T00:00:01Z",
        receivedAt="2011-12-09T10:00:01Z",
    )  # fmt: skip
    assert instant(event.occurred_at).isoformat() == "2011-12-09T10:00:00+00:00"


@pytest.mark.parametrize(
    "value", [1_323_435_000, 1_323_435_000_000, "2011-12-09T12:50:00Z", "2011-12-09T14:50+02:00"]
)
def test_times_as_clients_send_them(value):
    assert parsed(timestamp=value).occurred_at == NOW


def test_identifiers_are_found_everywhere_and_leave_the_properties():
    event = parsed(
        userId=12345,
        properties={
            "product_id": "1", "email": "A@example.com", "loyaltyCard": "LC1", "payment_token": "t", "gift_card": "g",
            "network": "pinster", "handle": "anna", "colour": "red",
        },
        context={
            "device": {"id": "d1", "advertisingId": "ad1", "type": "ios"},
            "traits": {"phone": "0113 496 0001"},
            "externalIds": [
                {"id": "x1", "type": "android.idfa", "collection": "users", "encoding": "none"},
                {"id": "y", "type": "ga_client_id"}, "rubbish",
            ],
        },
    )  # fmt: skip
    assert set(event.identifiers) == {
        Identifier("user_id", "12345"), Identifier("anonymous_id", "c1"), Identifier("email", "A@example.com"),
        Identifier("loyalty_card", "LC1"), Identifier("payment_token", "t"), Identifier("gift_card", "g"),
        Identifier("social", "pinster:anna"), Identifier("device_id", "d1"), Identifier("device_id", "ad1"),
        Identifier("device_id", "x1"), Identifier("anonymous_id", "y"), Identifier("phone", "0113 496 0001"),
    }  # fmt: skip
    assert event.properties.product_id == "1"
    assert event.more == {"network": "pinster", "colour": "red"}
    assert event.channel == "app"


def test_identify_tells_who_somebody_is():
    event = parse_call(
        {
            "type": "identify", "userId": "7", "context": {"traits": {"gender": "f", "lastName": "Old"}},
            "traits": {
                "email": "a@example.com", "firstName": "Anna", "last_name": "Berg", "birthday": "1980-05-02",
                "address": {"street": "1 High Street", "postalCode": "LS1 1AA", "city": "Leeds", "country": "UK"},
                "company": {"name": "Berg Ltd"}, "points": 7, "plan": None,
            },
        },
        received_at=NOW,
    )  # fmt: skip
    told = event.properties
    assert event.name == "Identified"
    assert kinds(event) == {"user_id": "7", "email": "a@example.com"}
    assert (told.first_name, told.email, told.gender, told.birthday) == (
        "Anna",
        "a@example.com",
        "f",
        "1980-05-02",
    )
    assert (told.street, told.postcode, told.city, told.country) == (
        "1 High Street",
        "LS1 1AA",
        "Leeds",
        "UK",
    )
    assert told.company == "Berg Ltd"
    assert event.more == {"points": 7}


def test_a_page_and_a_screen_are_pages():
    page = parse_call(
        {
            "type": "page",
            "name": "Home",
            "anonymousId": "c",
            "properties": {"path": "/"},
            "context": {"page": {"x": 1}},
        },
        received_at=NOW,
    )
    assert (page.name, page.properties.name, page.properties.path, page.channel) == (
        "Page Viewed",
        "Home",
        "/",
        "web",
    )
    screen = parse_call({"type": "screen", "name": "Start", "anonymousId": "c"}, received_at=NOW)
    assert (screen.name, screen.channel) == ("Page Viewed", "app")


def test_an_alias_names_both_and_a_self_alias_is_nothing():
    event = parse_call({"type": "alias", "previousId": "6", "userId": "7"}, received_at=NOW)
    assert (event.name, set(event.identifiers)) == (
        "Alias",
        {Identifier("user_id", "7"), Identifier("user_id", "6")},
    )
    cookie = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    event = parse_call({"type": "alias", "previousId": cookie, "userId": "7"}, received_at=NOW)
    assert kinds(event) == {"user_id": "7", "anonymous_id": cookie}
    for told in ({"previousId": "7", "userId": "7"}, {"userId": "7"}, {"previousId": 7, "userId": "7"}):
        event = parse_call({"type": "alias", **told}, received_at=NOW)
        assert (event.name, kinds(event)) == ("Identified", {"user_id": "7"})


def test_a_groups_address_is_not_the_persons():
    event = parse_call(
        {"type": "group", "userId": "7", "groupId": "g", "traits": {"email": "office@example.com"}},
        received_at=NOW,
    )
    assert (event.name, kinds(event)) == ("Group", {"user_id": "7"})
    assert event.properties == {"group_id": "g", "email": "office@example.com"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"channel": "mobile"}, "app"), ({"channel": "server"}, ""), ({"channel": "Till"}, "till"),
        ({"event": "Email Opened"}, "email"), ({"event": "Store Visited"}, "store"),
        ({"context": {"library": {"name": "analytics.js"}}}, "web"), ({}, ""),
    ],
)  # fmt: skip
def test_the_channel(given, expected):
    assert parsed(**given).channel == expected


def test_first_names_of_the_spec_and_numbers_for_texts_and_nulls_are_understood():
    event = parse_call(
        {
            "event": "Completed Order", "userId": "7",
            "properties": {
                "order_id": 489434, "revenue": "83.40", "coupon": None, "tax": "",
                "products": [{"product_id": 85048.0, "price": 6.95, "quantity": "12", "name": None}],
            },
        },
        received_at=NOW,
    )  # fmt: skip
    assert event.name == "Order Completed"
    line = event.properties.products[0]
    assert (event.properties.order_id, line.product_id, str(line.price), line.quantity) == (
        "489434",
        "85048",
        "6.95",
        12,
    )


def test_a_call_without_id_has_the_same_one_each_time_and_when_sent_again():
    one = parse_call(call(messageId=None, timestamp="2011-12-09T11:00:00Z"), received_at=NOW)
    again = dict(reversed(call(messageId="", timestamp="2011-12-09T11:00:00Z").items())) | {
        "sentAt": "2011-12-09T11:00:00Z"
    }
    del again["messageId"]
    bare = {k: v for k, v in call(timestamp="2011-12-09T11:00:00Z").items() if k != "messageId"}
    assert parse_call(again, received_at=NOW + 5).message_id == parse_call(bare, received_at=NOW).message_id
    assert one.message_id.startswith("auto-")
    assert (
        parse_call({**bare, "anonymousId": "c2"}, received_at=NOW).message_id
        != parse_call(bare, received_at=NOW).message_id
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "not_an_object"), ("x", "not_an_object"), ({}, "bad_type"), ({"type": "tracked"}, "bad_type"),
        ({"type": ["track"]}, "bad_type"), ({"type": "track"}, "no_name"), (call(event="  "), "no_name"),
        (call(timestamp="yesterday"), "bad_time"), (call(timestamp=1e300), "bad_time"),
        (call(timestamp=1, sentAt=[]), "bad_time"),
        (call(messageId=7), "bad_message_id"), (call(messageId="x" * 600), "bad_message_id"),
        (call(userId={"a": 1}), "bad_identifier"), (call(userId="x" * 600), "bad_identifier"),
        (call(userId=True), "bad_identifier"), (call(properties=[1]), "bad_properties"),
        (call(context="x"), "bad_properties"), (call(properties={"price": "cheap"}), "invalid_property"),
        (call(properties={"price": "NaN"}), "not_finite"), (call(properties={"quantity": 1e300}), "too_large"),
        (call(properties={"price": "1e30"}), "too_large"),
        ({"type": "identify", "traits": {"plan": 1}}, "no_identifier"),
        ({"type": "alias"}, "no_identifier"), ({"type": "group"}, "no_identifier"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_has_a_reason_and_shows_no_value(given, reason):
    with pytest.raises(BadEvent) as caught:
        parse_call(given, received_at=NOW)
    assert caught.value.reason == reason
    assert "cheap" not in str(caught.value)


@pytest.mark.parametrize("name", EVENTS)
def test_every_declared_event_can_be_sent_without_properties(name):
    if name in ("Consent Given", "Consent Withdrawn"):
        with pytest.raises(BadEvent):
            parsed(event=name)
    else:
        assert parsed(event=name).name == name


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["type", "event", "userId", "anonymousId", "messageId", "timestamp", "sentAt", "properties", "traits", "context",
     "previousId", "groupId", "channel", "name"]
)  # fmt: skip
inner_fields = st.sampled_from(
    ["email", "phone", "price", "products", "quantity", "traits", "device", "externalIds", "library", "address", "name",
     "network", "handle", "social", "order_id", "facebook"]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["track", "identify", "page", "screen", "group", "alias"]),
    st.sampled_from([*EVENTS, "Robot Waved"]),
    st.dictionaries(fields, json_values | st.dictionaries(inner_fields, json_values, max_size=4), max_size=6),
)
def test_whatever_comes_is_an_event_or_a_bad_event(kind, name, more):
    given_call = json.loads(json.dumps({"type": kind, "event": name, "anonymousId": "c", **more}))
    try:
        event = parse_call(given_call, received_at=NOW)
    except BadEvent as error:
        reason = error.reason
    else:
        reason = "fine"
        assert event.message_id
        assert all(i.value.strip() for i in event.identifiers)
        assert isinstance(event.occurred_at, int)
    assert reason


def test_an_order_named_by_a_client_ties_it_to_nobody() -> None:
    context = {
        "externalIds": [{"id": "S1/3/2026-04-20/41", "type": "order"}, {"id": "LC1", "type": "loyalty_card"}]
    }
    event = parse_call(
        {"type": "identify", "userId": "7", "messageId": "m", "context": context}, received_at=1
    )
    assert [identifier.kind for identifier in event.identifiers] == ["user_id", "loyalty_card"]
