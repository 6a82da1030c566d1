"""What a mapping makes of bodies, good and bad; and what was refused, once the mapping is mended."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.collect.mapped.mapped import read
from shopkeeper.collect.mapped.mapping import check
from shopkeeper.collect.mapped.trial import attempt
from shopkeeper.domain.delivery import Delivery, Settled
from shopkeeper.domain.errors import BadEvent

NOW = 1_777_636_800_000_000
SETTLED = Settled(now=NOW, zone="Europe/Berlin", currency="EUR", region="DE", brand="halden", channel="web")
CALLS = """
each = "$.calls[*]"
[[event]]
name = "Contact Opened"
when = { "@.kind" = "open" }
id = ["$.tool", "@.id"]
at = "@.at"
[event.identifiers]
email = ["@.email", "@.others[*]"]
[event.properties]
contact_id = "@.id"
reason = "@.why"
[event.more]
agent = "@.agent"
[[ignore]]
when = { "@.kind" = { starts = "internal" } }
"""


def batch_of(mapping, body, *, topic="", notes=None, **settled):
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    delivery = Delivery(
        source="calls", format="mapped", received_at=NOW, body=raw, topic=topic, notes=notes or {}
    )
    return read(delivery, msgspec.structs.replace(SETTLED, mapping=mapping, **settled)).batch


def one(mapping, body, **told):
    batch = batch_of(mapping, body, **told)
    assert batch.refused == []
    (event,) = batch.events
    return event


def call(**values):
    return {"kind": "open", "id": 7, "at": "2026-05-01T10:00:00+02:00", "email": "r@example.com", **values}


def test_an_element_becomes_an_event_with_all_its_parts():
    event = one(
        CALLS, {"tool": "phone", "calls": [call(why="cancel", agent="Mo", others=["b@example.com", None])]}
    )
    assert (event.name, event.message_id) == ("Contact Opened", "calls:Contact Opened:phone:7")
    assert event.occurred_at == NOW - 4 * 3_600_000_000
    assert [(i.kind, i.value) for i in event.identifiers] == [
        ("email", "r@example.com"),
        ("email", "b@example.com"),
    ]
    assert (event.properties.contact_id, event.properties.reason) == ("7", "cancel")
    assert event.more == {"agent": "Mo"}
    assert (event.source, event.brand, event.channel) == ("calls", "halden", "web")


def test_an_element_that_cannot_be_read_stops_none_of_its_neighbours():
    bad = [call(at="yesterday"), call(why=["x"]), call(email={"a": 1}), 7, {"kind": "odd"}]
    batch = batch_of(CALLS, {"calls": [call(), *bad, call(id=8), {"kind": "internal.note"}]})
    assert [event.properties.contact_id for event in batch.events] == ["7", "8"]
    reasons = [(row.line, row.reason) for row in batch.refused]
    assert reasons == [
        (2, "bad_time"), (3, "invalid_property"), (4, "bad_identifier"), (5, "not_an_object"), (6, "unmapped"),
    ]  # fmt: skip
    assert batch.read == 8
    assert all("example" not in row.detail and "yesterday" not in row.detail for row in batch.refused)
    assert "r@example.com" in batch.refused[0].cells


def test_a_refused_element_is_read_again_by_itself_with_what_the_mapping_needs_of_the_body():
    body = {"tool": "phone", "calls": [call(kind="new"), call(id=9, email="secret@example.com")]}
    (row,) = batch_of(CALLS, body).refused
    assert "secret" not in row.raw  # another person's element stays out
    mended = CALLS.replace('"@.kind" = "open"', '"@.kind" = ["open", "new"]')
    assert one(mended, row.raw.encode()).message_id == "calls:Contact Opened:phone:7"


def test_of_an_element_with_one_bad_event_none_is_taken():
    two = CALLS + '[[event]]\nname = "Review Submitted"\n[event.properties]\nrating = "@.stars"\n'
    assert len(batch_of(two, {"calls": [call(stars=4)]}).events) == 2
    batch = batch_of(two, {"calls": [call(stars="many")]})
    assert (len(batch.events), [row.reason for row in batch.refused]) == (0, ["invalid_property"])


@pytest.mark.parametrize("body", [b"", b"{", b'"\xff"', b"[" * 100_000, b"nil"])
def test_a_body_that_is_no_json_is_refused_whole(body):
    with pytest.raises(BadEvent) as error:
        batch_of(CALLS, body)
    assert error.value.reason == "not_json"


def test_a_body_without_the_list_is_refused_and_an_empty_list_is_not():
    with pytest.raises(BadEvent) as error:
        batch_of(CALLS.replace("$.calls[*]", "$.calls"), {"other": 1})
    assert error.value.reason == "no_elements"
    assert batch_of(CALLS.replace("$.calls[*]", "$.calls"), {"calls": []}).read == 0
    assert batch_of("[[event]]\nname = 'Identified'", []).read == 0


MINI = "[[event]]\nname = 'Beacon Detected'\n"


def test_the_same_element_has_the_same_id_whatever_the_order_of_its_members():
    first = one(MINI, b'{"a": 1, "b": {"c": 2}}').message_id
    assert first == one(MINI, b'{"b": {"c": 2}, "a": 1}').message_id
    assert first != one(MINI, b'{"b": {"c": 2}, "a": 2}').message_id
    twice = batch_of(MINI + MINI, b'{"a": 1}').events
    assert twice[0].message_id != twice[1].message_id


def test_a_very_long_id_is_shortened_the_same_way_every_time():
    mapping = MINI + "id = '@.id'"
    first, other = ({"id": "x" * 2000 + end} for end in "ab")
    assert len(one(mapping, first).message_id) < 100
    assert one(mapping, first).message_id == one(mapping, first).message_id != one(mapping, other).message_id


@pytest.mark.parametrize(
    ("at", "value", "micros"),
    [
        ("at = '@.t'", "1970-01-01T01:00:01", 1_000_000),  # the shop's zone
        ("at = { path = '@.t', zone = 'UTC' }", "1970-01-01 00:00:01", 1_000_000),
        ("at = '@.t'", "2026-05-01T12:00:00.1234567Z", NOW + 123_456),
        ("at = '@.t'", 1_777_636_800, NOW),
        ("at = '@.t'", 1_777_636_800_000, NOW),
        ("at = '@.t'", "1777636800.5", NOW + 500_000),
        ("at = { path = '@.t', format = 'unix' }", 5, 5_000_000),
        ("at = { path = '@.t', format = 'unix_ms' }", "5", 5_000),
        ("at = { path = '@.t', format = 'unix_us' }", 5, 5),
        ("at = { path = '@.t', format = 'mail' }", "Fri, 01 May 2026 13:00:00 +0100", NOW),
        ("at = { path = '@.t', format = '%m/%d/%Y %H:%M' }", "05/01/2026 14:00", NOW),
        ("at = { path = ['@.none', '@.t'] }", "2026-05-01T12:00Z", NOW),
        ("at = { path = '@.none', default = 'arrival' }", "x", NOW),
        ("", "x", NOW),
    ],
)
def test_times_are_read_as_senders_write_them(at, value, micros):
    assert one(MINI + at, {"t": value}).occurred_at == micros


@pytest.mark.parametrize(
    "value", ["", None, "2026-13-01", True, [], 1e300, "99999999999999999999", "0001-01-01"]
)
def test_what_is_no_time_is_refused(value):
    (row,) = batch_of(MINI + "at = '@.t'", {"t": value}).refused
    assert row.reason in ("bad_time", "no_time")


def prop(event, spec, body, field="p"):
    return getattr(one(f"[[event]]\nname = '{event}'\n[event.properties]\n{spec}", body).properties, field)


@pytest.mark.parametrize(
    ("spec", "body", "expected"),
    [
        ("reason = '@.a.b'", {"a": {"b": "x"}}, "x"),
        ("reason = ['@.a', '@.b']", {"a": "", "b": "y"}, "y"),
        ("reason = { const = 'z' }", {}, "z"),
        ("reason = { path = '@.a', default = 'd' }", {"a": None}, "d"),
        ("reason = { path = '@.a', map = { x = 'cancel', '*' = 'question' } }", {"a": "x"}, "cancel"),
        ("reason = { path = '@.a', map = { x = 'cancel', '*' = 'question' } }", {"a": "new"}, "question"),
        ("reason = { path = '@.a', map = { x = 'cancel' } }", {"a": "new"}, "new"),
        ("reason = { path = '@.a', map = { true = 'yes', 7 = 'seven' } }", {"a": True}, "yes"),
        ("reason = { path = '@.a', map = { true = 'yes', 7 = 'seven' } }", {"a": 7.0}, "seven"),
        ("reason = { join = ['@.a', 'and', '@.b'] }", {"a": "x", "b": 2}, "x and 2"),
        ("reason = { join = ['@.a', '@.b'], with = ':' }", {"a": "x"}, ""),
        ("reason = { join = ['@.tags[*]'], with = ', ' }", {"tags": ["a", "b"]}, "a, b"),
        ("reason = { path = '@.url', before = '?', after = '/' }", {"url": "https://x/p/85?u=1"}, "85"),
        ("reason = { path = '@.t[*]', take = 'last' }", {"t": ["a", "b"]}, "b"),
        ("reason = { path = '@.t[*]', take = 'count' }", {"t": ["a", "b"]}, "2"),
        ("reason = { path = '@.day', type = 'date' }", {"day": 1_777_636_800}, "2026-05-01"),
        ("reason = { path = '@.n', type = 'integer' }", {"n": "7.0"}, "7"),
    ],
)
def test_a_property_is_made_as_the_mapping_says(spec, body, expected):
    assert prop("Contact Opened", spec, body, "reason") == expected


def test_amounts_stay_exact():
    spec = (
        "total = { path = '@.cents', multiply = 0.01 }\nrevenue = { path = '@.lines[*].net', take = 'sum' }"
    )
    order = one(
        f"[[event]]\nname = 'Order Refunded'\n[event.properties]\n{spec}",
        {"cents": 1999, "lines": [{"net": 0.1}, {"net": "0.2"}]},
    ).properties
    assert (str(order.total), str(order.revenue)) == ("19.99", "0.3")


@pytest.mark.parametrize("value", ["many", [1], {"a": 1}, True, "NaN", "Infinity"])
def test_what_is_no_number_is_refused(value):
    mapping = "[[event]]\nname = 'Order Refunded'\n[event.properties]\ntotal = { path = '@.t', multiply = 2 }"
    (row,) = batch_of(mapping, {"t": value}).refused
    assert row.reason == "bad_number"


def test_lines_are_filtered_and_kept_in_their_order():
    mapping = (
        "[[event]]\nname = 'Order Completed'\n[event.properties]\norder_id = '@.id'\n[event.properties.products]\n"
        "each = '@.lines'\nwhen = { '@.kind' = { not = 'note' } }\n"
        "fields = { product_id = '@.sku', price = '@.price', quantity = '@.qty' }"
    )
    body = {
        "id": 1,
        "lines": [{"sku": 5, "price": "2.50", "qty": "3"}, {"kind": "note"}, {"sku": "b", "price": 1}],
    }
    lines = one(mapping, body).properties.products
    assert [(line.product_id, str(line.price), line.quantity) for line in lines] == [
        ("5", "2.50", 3),
        ("b", "1", 1),
    ]
    assert one(mapping, {"id": 1, "lines": None}).properties.products == ()


def test_attributes_are_a_table_of_their_own():
    mapping = (
        "[[event]]\nname = 'Profile Enriched'\n[event.properties]\nprovider = { const = 'panel' }\n"
        "attributes = { fields = { age_band = '@.age', dog = '@.pet' } }"
    )
    assert one(mapping, {"age": "35-44"}).properties.attributes == {"age_band": "35-44"}


@pytest.mark.parametrize(
    ("test", "value", "holds"),
    [
        ("'a'", "a", True), ("'7'", 7, True), ("7", "7", True), ("7", 7.0, True), ("true", True, True),
        ("true", 1, False), ("['a', 7]", 7, True), ("['a', 'b']", "c", False), ("{ not = 'a' }", "b", True),
        ("{ not = ['a', 'b'] }", "b", False), ("{ exists = true }", None, False), ("{ exists = false }", None, True),
        ("{ exists = true }", 0, True), ("{ starts = 'ab' }", "abc", True), ("{ starts = 'ab' }", 7, False),
        ("{ above = 5 }", "6.5", True), ("{ above = 5 }", 5, False), ("{ below = 5 }", "x", False),
        ("{ in = ['a'] }", "a", True),
    ],
)  # fmt: skip
def test_conditions(test, value, holds):
    mapping = f"[[event]]\nname = 'Beacon Detected'\nwhen = {{ '@.a' = {test} }}\n[[ignore]]\n"
    assert len(batch_of(mapping, {"a": value}).events) == holds


def test_of_several_tables_of_tests_one_must_hold_and_of_one_all():
    mapping = MINI + "when = [{ '@.a' = 1, '@.b' = 2 }, { topic = 'x' }]\n[[ignore]]\n"
    assert len(batch_of(mapping, {"a": 1, "b": 2}).events) == 1
    assert len(batch_of(mapping, {"a": 1, "b": 3}).events) == 0
    assert len(batch_of(mapping, {"a": 1, "b": 3}, topic="x").events) == 1


def test_the_topic_is_taken_from_the_header_that_the_mapping_names():
    mapping = "topic_header = 'X-Topic-Of-Ours'\n" + MINI + "when = { topic = 'seen' }"
    assert len(batch_of(mapping, {"a": 1}, notes={"x-topic-of-ours": "seen"}).events) == 1
    (row,) = batch_of(mapping, {"a": 1}).refused
    assert row.reason == "unmapped"


def test_a_name_that_turns_out_unknown_is_refused_unless_it_may_be_ones_own():
    mapping = "[[event]]\nname = '@.kind'\n"
    (row,) = batch_of(mapping, {"kind": "robot_waved"}).refused
    assert row.reason == "unknown_event"
    assert one(mapping, {"kind": "Viewed Product"}).name == "Product Viewed"
    assert one(mapping + "undeclared = true", {"kind": "robot_waved"}).name == "robot_waved"


def test_records_are_read_too_and_bad_ones_refused():
    mapping = (
        "[[record]]\nkind = 'stock'\neach = '@.places'\n[record.fields]\n"
        "product_id = '@@.sku'\nstore = '@.store'\nquantity = '@.n'"
    )
    batch = batch_of(mapping, {"sku": 85, "places": [{"store": "S1", "n": "4"}, {"store": "S2", "n": 0}]})
    assert [(kind, r.product_id, r.store, r.quantity) for kind, r in batch.records] == [
        ("stock", "85", "S1", 4.0),
        ("stock", "85", "S2", 0.0),
    ]
    (row,) = batch_of(mapping, {"sku": 85, "places": [{"store": "S1", "n": "few"}]}).refused
    assert (row.reason, "few" in row.detail) == ("invalid_record", False)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["calls", "kind", "id", "at", "email", "others", "why"]), inner, max_size=6
        )
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON)
def test_no_body_brings_the_reader_down(inner, outer):
    for body in (outer, {"calls": [{"kind": "open", "id": inner, "at": outer, "email": inner}]}):
        try:
            batch = batch_of(CALLS, body)
        except BadEvent:
            continue
        assert len(batch.events) + len(batch.refused) <= batch.read
        for row in batch.refused:
            msgspec.json.decode(row.raw)


def test_a_trial_says_which_paths_find_nothing_and_what_is_there_instead():
    mapping = CALLS.replace("@.email", "@.emial").replace('"@.others[*]"', '"@.outher"')
    trial = attempt(
        mapping, msgspec.json.encode({"tool": "t", "calls": [call(), call(id=8)]}), SETTLED, source="s"
    )
    assert (trial.elements, len(trial.events), trial.ignored, trial.refused) == (2, 2, 0, ())
    notes = "\n".join(trial.notes)
    assert "line 9: @.emial finds nothing in the sample; did you mean @.email?" in notes
    assert "line 9: @.outher finds nothing" in notes
    assert "nobody is named in Contact Opened" in notes


def test_a_trial_says_where_ids_are_not_told_apart():
    mapping = CALLS.replace('["$.tool", "@.id"]', '"$.tool"')
    trial = attempt(
        mapping, msgspec.json.encode({"tool": "t", "calls": [call(), call(id=8)]}), SETTLED, source="s"
    )
    assert any("same id" in note for note in trial.notes)


def test_a_mapping_is_compiled_once():
    assert check(CALLS) is check(str(CALLS))
