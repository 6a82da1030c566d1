"""What is wrong with a mapping is said when it is saved: the line, what was expected, the nearest right name."""

from __future__ import annotations

import pytest

from shopkeeper.collect.mapped.mapping import check
from shopkeeper.domain.errors import InvalidInput, UnknownName

GOOD = """\
title = "Calls"
each = "$.calls[*]"

[signature]
header = "X-Sign"

[[event]]
name = "Contact Opened"
when = { "@.kind" = "open" }
id = "@.id"
at = { path = "@.at", format = "unix" }

[event.identifiers]
email = "@.email"

[event.properties]
reason = { path = "@.why", map = { C = "cancel" }, default = "question" }

[[event]]
name = "Order Completed"
[event.properties]
order_id = "@.id"
[event.properties.products]
each = "@.lines"
fields = { product_id = "@.sku", price = "@.price" }
"""


def test_a_good_mapping_is_compiled():
    mapping = check(GOOD)
    assert mapping.title == "Calls"
    assert mapping.signature.header == "X-Sign"
    assert [block.literal for block in mapping.events] == ["Contact Opened", "Order Completed"]


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('name = "Contact Opened"', 'name = "Contact Opend"', 8, "did you mean 'Contact Opened'"),
        ('title = "Calls"', 'titel = "Calls"', 1, "did you mean 'title'"),
        ('email = "@.email"', 'e_mail = "@.email"', 14, "did you mean 'email'"),
        ('email = "@.email"', 'email = "email"', 14, "write '@.email'"),
        ('email = "@.email"', 'email = { const = "a@example.com" }', 14, "everybody one person"),
        ('email = "@.email"', 'email = "@.e[?"', 14, "character 6"),
        ("reason = {", "raeson = {", 17, "did you mean 'reason'"),
        ("map = {", "mapp = {", 17, "did you mean 'map'"),
        ('"@.kind" = "open"', '"@.kind" = { is = "open" }', 9, "unknown test"),
        ('"@.kind" = "open"', '"@.kind" = { above = "x" }', 9, "needs a number"),
        ('"@.kind" = "open"', '"kind" = "open"', 9, "write '@.kind'"),
        ('format = "unix"', 'format = "unixx"', 11, "no format of times"),
        ('format = "unix"', 'format = "%H:%M"', 11, "whole date"),
        ('format = "unix"', 'zone = "Mars"', 11, "no time zone"),
        ('id = "@.id"\n', 'id = ["x"]\n', 10, "a path, or a list"),
        ("product_id = ", "produkt_id = ", 25, "did you mean 'product_id'"),
        ('each = "@.lines"', 'evry = "@.lines"', 24, "unknown key"),
        ('each = "$.calls[*]"', 'each = "@.calls[*]"', 2, "begins with $"),
        ('header = "X-Sign"', 'header = "X-Sign"\nalgorithm = "md5"', 4, "unknown algorithm"),
        ('header = "X-Sign"', 'prefix = "v1="', 4, "which header"),
        ('header = "X-Sign"', 'header = "X-Sign"\ntolerance_seconds = "x"', 4, "Expected 'int'"),
        ('reason = { path = "@.why"', 'reason = { const = ["x"], path = "@.why"', 17, "expected one of"),
        ('order_id = "@.id"', "total = { const = true }", 22, "cannot stand here"),
        ('order_id = "@.id"', 'total = { path = "@.t", map = { a = "ten" } }', 22, "cannot stand here"),
        ('order_id = "@.id"', 'total = { path = "@.t", default = [] }', 22, "cannot stand here"),
        ('order_id = "@.id"', 'total = { path = "@.t", take = "median" }', 22, "unknown way to take"),
        ('order_id = "@.id"', 'total = { path = "@.t", multiply = "2" }', 22, "must be a number"),
        ('order_id = "@.id"', "order_id = 7", 22, "expected a table"),
    ],
)
def test_every_error_has_its_line(old, new, line, says):
    with pytest.raises(InvalidInput) as error:
        check(changed(old, new))
    assert f"line {line}" in error.value.message
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing comes of it"),
        ("title = x", "line 1: this is no TOML"),
        ('title = "a"\n[[event]\n', "line 2: this is no TOML"),
        ("[event]\nname = 'Identified'", "[[event]]"),
        ("[[event]]\n", "which event it is"),
        ("[[event]]\nname = 'Consent Given'", "needs the property 'purpose'"),
        ("[[record]]\nkind = 'product'\n[record.fields]\nname = '@.n'", "needs 'product_id'"),
        ("[[record]]\nkind = 'products'", "did you mean 'product'"),
        ("[[record]]\nkind = 'stock'", "has no fields"),
        ("[[event]]\nname = 'Robot Waved'", "undeclared = true"),
        ("x" * 300_000, "characters"),
    ],
)
def test_what_is_no_mapping_at_all(text, says):
    with pytest.raises(InvalidInput) as error:
        check(text)
    assert says in str(error.value)


def test_an_event_of_ones_own_is_allowed_where_it_is_said():
    mapping = check(
        "[[event]]\nname = 'Robot Waved'\nundeclared = true\n[event.properties]\nanything = '@.x'"
    )
    assert mapping.events[0].literal == "Robot Waved"


def test_every_name_that_a_map_can_give_is_checked():
    text = (
        "[[event]]\n[event.name]\npath = '@.kind'\n[event.name.map]\na = 'Email Opened'\nb = 'Email Clickd'"
    )
    with pytest.raises(UnknownName, match="Email"):
        check(text)


def test_a_property_may_be_one_of_any_of_the_events_it_can_be():
    text = "[[event]]\n[event.name]\npath = '@.kind'\nmap = { a = 'Email Opened', b = 'Review Submitted' }\n"
    assert check(text + "[event.properties]\nrating = '@.r'\nmachine = '@.m'").events
    with pytest.raises(UnknownName, match="Email Opened or Review Submitted"):
        check(text + "[event.properties]\nratng = '@.r'")


def test_lines_are_found_behind_comments_quotes_and_long_values():
    text = (
        '# [[event]]\ntitle = """\n[[event]]\n"""\n[[ignore]]\nwhen."@.a.b" = [\n  "#]",\n  "x",\n]\n\n'
        "[[event]]\r\nname = 'Identified'\n[event.identifiers]\n\"email\" = '@.e'\nfone = '@.p'\n"
    )
    with pytest.raises(UnknownName, match=r"line 15 .*did you mean 'phone'"):
        check(text)
