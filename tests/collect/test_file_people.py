"""Files about people: customers, consents, unsubscribes, contacts, third-party attributes, and tables of events."""

from __future__ import annotations

import pytest
from tests.collect.conftest import NOW

from shopkeeper.domain.clock import instant
from shopkeeper.domain.errors import BadFile
from shopkeeper.domain.identifier import Identifier

CUSTOMERS = "Kundennummer;Vorname;Nachname;E-Mail;Telefon;PLZ;Ort;Kunde seit;Kundenkarte\n"
ANNA = "100;Anna;Berg;anna@example.com;0113 496 0001;LS1 1AA;Leeds;31.01.2010;LC1\n"
BO = "101;Bo;Lind;;;;;15.02.2010;\n"


def test_a_customer_file_tells_who_they_are(bring):
    brought = bring(CUSTOMERS + ANNA + BO, "kunden.csv", zone="Europe/London")
    anna, bo = brought.events
    assert anna.name == "Identified"
    assert {i.kind: i.value for i in anna.identifiers} == {
        "user_id": "100", "email": "anna@example.com", "phone": "0113 496 0001", "loyalty_card": "LC1",
    }  # fmt: skip
    told = anna.properties
    assert (told.first_name, told.last_name, told.postcode, told.city) == ("Anna", "Berg", "LS1 1AA", "Leeds")
    assert (told.email, told.joined) == ("anna@example.com", "2010-01-31")
    assert instant(anna.occurred_at).isoformat() == "2010-01-31T00:00:00+00:00"
    assert bo.identifiers == (Identifier("user_id", "101"),)
    assert bo.properties.email is None


def test_a_number_at_an_e_receipt_service_is_an_identifier_but_a_receipts_number_is_not(bring):
    brought = bring(
        "Customer Number;First Name;E-Receipt Account ID;E-Receipt Number\n100;Anna;ER-4711;R-1\n",
        "customers.csv",
    )
    assert {i.kind: i.value for i in brought.events[0].identifiers} == {
        "user_id": "100",
        "e_receipt": "ER-4711",
    }


def test_the_same_customers_again_are_nothing_new_and_a_changed_row_is_told_as_of_now(bring):
    bring(CUSTOMERS + ANNA + BO, "customers.csv")
    again = bring(CUSTOMERS + BO + ANNA, "customers.csv")
    assert (again.events, again.total("repeated")) == ([], 2)
    moved = ANNA.replace("Leeds", "York")
    later = bring(CUSTOMERS + moved + BO, "customers.csv", now=NOW + 5)
    (event,) = later.events
    assert (event.properties.city, event.occurred_at) == ("York", NOW + 5)
    assert (later.total("kept"), later.total("repeated")) == (1, 1)
    back = bring(CUSTOMERS + ANNA + BO, "customers.csv", now=NOW + 9)
    assert [(e.properties.city, e.occurred_at) for e in back.events] == [("Leeds", NOW + 9)]


def test_two_different_rows_of_one_customer_in_one_file_do_not_fight_for_ever(bring):
    both = CUSTOMERS + ANNA + ANNA.replace("Leeds", "York")
    assert len(bring(both, "customers.csv").events) == 2
    assert bring(both, "customers.csv", now=NOW + 5).events == []


def test_a_full_name_is_split_and_an_update_time_is_obeyed(bring):
    head = "customer id,full name,updated at,birth date\n"
    brought = bring(head + "7,Maria del Mar,2011-05-01T10:00:00Z,02/05/1980\n", "customers.csv")
    (event,) = brought.events
    assert (event.properties.first_name, event.properties.last_name) == ("Maria del", "Mar")
    assert event.properties.birthday == "1980-05-02"
    assert instant(event.occurred_at).isoformat() == "2011-05-01T10:00:00+00:00"


def test_a_customer_without_any_identifier_is_reported(bring):
    brought = bring(CUSTOMERS + ANNA + ";Bo;Lind;;;;;15.02.2010;\n", "customers.csv")
    assert brought.reasons == {3: "missing_value"}


def test_consents_are_given_or_withdrawn(bring):
    head = "email,purpose,status,occurred_at,lawful_basis,source\n"
    rows = [
        "a@example.com,Marketing email,given,2011-01-01T00:00:00Z,Legitimate interest,till",
        "a@example.com,profiling,withdrawn,2011-01-02T00:00:00Z,,form",
        "a@example.com,profiling,perhaps,2011-01-02T00:00:00Z,,form",
        "a@example.com,profiling,,2011-01-02T00:00:00Z,,form",
        ",profiling,given,2011-01-02T00:00:00Z,,form",
    ]
    brought = bring(head + "\n".join(rows) + "\n", "consents.csv")
    given, withdrawn = brought.events
    assert (given.name, given.properties.purpose, given.properties.lawful_basis) == (
        "Consent Given", "marketing_email", "legitimate_interest",
    )  # fmt: skip
    assert (withdrawn.name, withdrawn.properties.purpose, withdrawn.properties.method) == (
        "Consent Withdrawn", "profiling", "form",
    )  # fmt: skip
    assert brought.reasons == {4: "bad_value", 5: "missing_value", 6: "missing_value"}
    again = bring(head + "\n".join(rows) + "\n", "consents.csv")
    assert [e.message_id for e in again.events] == [e.message_id for e in brought.events]


def test_a_list_of_addresses_is_a_list_of_unsubscribes_where_its_name_says_so(bring):
    brought = bring("email\na@example.com\n\nb@example.com\n", "unsubscribed_2011.csv")
    assert brought.guess.kind == "unsubscribes"
    assert [(e.name, e.channel, e.occurred_at) for e in brought.events] == [
        ("Email Unsubscribed", "email", NOW)
    ] * 2


def test_contacts_are_opened_and_closed_once_however_often_they_are_exported(bring):
    head = "case id,opened at,closed at,channel,reason,sentiment,email,order_id,notes,resolution\n"
    opened = (
        "K1,2011-01-01 10:00,,phone,Missing part,negative,a@example.com,489434,Three screws are missing,\n"
    )
    first = bring(head + opened, "contacts.csv")
    (event,) = first.events
    assert (event.name, event.channel, event.properties.reason) == (
        "Contact Opened",
        "service",
        "missing_part",
    )
    assert event.properties.subject == "Three screws are missing"
    closed = opened.replace(",,phone", ",2011-01-02 09:00,phone").replace("missing,\n", "missing,part sent\n")
    second = bring(head + closed, "contacts.csv")
    (end,) = second.events
    assert (end.name, end.properties.outcome, end.message_id) == (
        "Contact Closed",
        "part sent",
        "contact:till:K1:closed",
    )
    third = bring(head + closed, "contacts.csv")
    assert (third.events, third.total("repeated")) == ([], 1)


def test_every_further_column_is_an_attribute_but_names_and_streets_are_not(bring):
    head = "email,first_name,street,Age Band,household_size,provider,as_of\n"
    brought = bring(
        head + "a@example.com,Anna,1 High Street,35-44,2,Panel X,2011-06-30\n", "demographics.csv"
    )
    assert brought.guess.kind == "attributes"
    (event,) = brought.events
    assert event.name == "Profile Enriched"
    assert event.properties.attributes == {"age_band": "35-44", "household_size": "2"}
    assert (event.properties.provider, event.properties.as_of) == ("Panel X", "2011-06-30")
    assert any("first_name, street" in note for note in brought.notes)


def test_a_table_of_events(bring):
    head = "event,timestamp,user_id,anonymous_id,event_id,product_id,price,email\n"
    rows = "Viewed Product,2011-12-09T12:50:00Z,7,c1,m1,85048,6.95,a@example.com\nRobot Waved,1323435000,,c2,m2,,,\n"
    brought = bring(head + rows, "events.csv")
    seen, waved = brought.events
    assert (seen.name, seen.message_id, seen.properties.product_id) == ("Product Viewed", "m1", "85048")
    assert {i.kind for i in seen.identifiers} == {"user_id", "anonymous_id", "email"}
    assert (
        instant(seen.occurred_at).isoformat()
        == instant(waved.occurred_at).isoformat()
        == "2011-12-09T12:50:00+00:00"
    )
    assert (waved.name, waved.properties) == ("Robot Waved", {})


def test_json_lines_of_tracking_calls(bring):
    good = '{"type":"track","event":"Product Viewed","anonymousId":"c1","timestamp":"2011-12-09T12:50:00Z",'
    rows = [
        good + '"messageId":"m1","sentAt":"2011-12-09T12:50:10Z","properties":{"product_id":"1"}}',
        good + '"properties":{"price":"cheap","who":{"mail":"anna@example.com"}}}',
        '{"type":"identify","userId":"7","traits":{"email":"a@example.com"},"timestamp":"2011-12-09T12:50:00Z"}',
    ]
    brought = bring("\n".join(rows), "events.jsonl")
    assert [e.name for e in brought.events] == ["Product Viewed", "Identified"]
    assert instant(brought.events[0].occurred_at).isoformat() == "2011-12-09T12:50:00+00:00"
    assert brought.reasons == {2: "invalid_property"}
    assert "anna@example.com" in brought.refused[0].cells
    assert "cheap" not in brought.refused[0].detail
    again = bring("\n".join(rows), "events.jsonl", now=NOW + 60)
    assert [e.message_id for e in again.events] == [e.message_id for e in brought.events]


def test_json_lines_of_which_none_is_a_call_bring_nothing(bring):
    with pytest.raises(BadFile, match="no row"):
        bring('{"type":"track","anonymousId":"c1"}\n' * 3, "events.jsonl")
