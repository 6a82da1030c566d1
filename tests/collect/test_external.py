"""Numbers of other tools, as Segment and RudderStack hand them on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.collect.external import kind_of, told_by
from shopkeeper.collect.segment import parse_call
from shopkeeper.domain.identifier import IDENTIFIER_KINDS, Identifier
from shopkeeper.resolve.keys import Keys


def one(**entry: Any) -> list[tuple[str, Any]]:
    return list(told_by({"externalIds": [entry]}))


@pytest.mark.parametrize(
    ("of", "kind", "value"),
    [
        ("user_id", "user_id", "7"),
        ("email", "email", "7"),
        ("phone", "phone", "7"),
        ("anonymous_id", "anonymous_id", "7"),
        ("cross_domain_id", "anonymous_id", "7"),
        ("ga_client_id", "anonymous_id", "7"),
        ("android.id", "device_id", "7"),
        ("ios.push_token", "device_id", "7"),
        ("loyaltyCard", "loyalty_card", "7"),
        ("e_receipt", "e_receipt", "7"),
        ("brazeExternalId", "external_id", "brazeexternalid:7"),
        ("Customer ID", "external_id", "customer_id:7"),
        ("crm.user_id", "external_id", "crm.user_id:7"),
        ("crm:contact", "external_id", "crm.contact:7"),
        ("oneSignalPlayerId", "device_id", "onesignalplayerid:7"),
        ("adobe_visitor_id", "anonymous_id", "adobe_visitor_id:7"),
    ],
)
def test_a_known_type_is_our_kind_and_any_other_is_named_by_its_type(of: str, kind: str, value: str) -> None:
    assert one(id="7", type=of, collection="users", encoding="none") == [(kind, value)]


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "7", "type": "braze_id", "collection": "accounts"},
        {"id": "7", "type": "group_id"},
        {"id": "S1/3/41", "type": "order"},
        {"id": "7", "type": " "},
        {"id": "7", "type": "x" * 65},
        {"id": "7" * 441, "type": "braze_id"},
        {"id": "7"},
        {"type": "braze_id"},
        {"id": None, "type": "braze_id"},
        {"id": True, "type": "braze_id"},
        {"id": "null", "type": "braze_id"},
        {"id": "00000000-0000-0000-0000-000000000000", "type": "ios.idfa"},
        {"id": ["7"], "type": ["braze_id"]},
    ],
)
def test_what_names_nobody_is_passed_over(entry: dict[str, Any]) -> None:
    assert one(**entry) == []


def test_what_was_made_unreadable_is_another_type() -> None:
    assert one(id="ab12", type="email", encoding="sha256") == [("external_id", "email_sha256:ab12")]


def test_rudderstack_names_the_object_and_what_its_number_is() -> None:
    context = {
        "externalId": [
            {"type": "HS-contacts", "id": "a@b.example", "identifierType": "email"},
            {"type": "brazeExternalId", "id": 12},
        ]
    }
    assert list(told_by(context)) == [("email", "a@b.example"), ("external_id", "brazeexternalid:12")]
    assert list(told_by({"externalId": {"type": "x_id", "id": "1"}})) == [("external_id", "x_id:1")]


def test_a_call_is_kept_whatever_its_external_ids_are() -> None:
    context = {
        "externalIds": [{"id": "7", "type": "klaviyo_id"}, {"id": "z" * 600, "type": "klaviyo_id"}, 3],
        "device": {"advertisingId": "00000000-0000-0000-0000-000000000000", "id": "d1"},
    }
    call = {"type": "track", "event": "Product Viewed", "anonymousId": "c", "context": context}
    event = parse_call(call, received_at=1)
    assert event.identifiers == (
        Identifier("anonymous_id", "c"),
        Identifier("device_id", "d1"),
        Identifier("external_id", "klaviyo_id:7"),
    )


@given(st.text(max_size=70))
def test_every_type_has_a_kind_and_a_scope_under_which_keys_find_it_again(of: str) -> None:
    found = kind_of(of)
    if found is None:
        return
    kind, scope = found
    assert kind in IDENTIFIER_KINDS
    assert not IDENTIFIER_KINDS[kind].reference
    if kind == "external_id":
        assert Keys()("external_id", f"{scope}:a7") == f"{scope}:a7"
