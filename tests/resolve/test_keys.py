from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.domain.identifier import IDENTIFIER_KINDS
from shopkeeper.resolve.keys import Keys

KEYS = Keys("GB")


@pytest.mark.parametrize(
    ("kind", "given_", "expected"),
    [
        ("email", "  Anna.Berg@Example.COM ", "anna.berg@example.com"),
        ("email", "anna@münchen.example", "anna@xn--mnchen-3ya.example"),
        ("phone", "020 7946 0958", "+442079460958"),
        ("phone", "+44 (0)20 7946 0958", "+442079460958"),
        ("phone", "0049 30 901820", "+4930901820"),
        ("loyalty_card", "lc 12-34", "LC1234"),
        ("social", "Pinster:@Anna", "pinster:anna"),
        ("user_id", " 12347 ", "12347"),
        ("anonymous_id", "AbC", "AbC"),
        (
            "email",
            "anna.berg+shop@gmail.com",
            "anna.berg+shop@gmail.com",
        ),  # what is known of others is spelled so
        ("e_receipt", " er-4711 ", "er-4711"),
        ("external_id", " Braze ID : aB:7 ", "braze_id:aB:7"),
    ],
)
def test_one_spelling_per_identifier(kind: str, given_: str, expected: str) -> None:
    assert KEYS(kind, given_) == expected


@pytest.mark.parametrize(
    ("kind", "junk"),
    [
        ("email", "test@test.com"), ("email", "noreply@example.com"), ("email", "no address"), ("email", "a@b"),
        ("phone", "0000000000"), ("phone", "n/a"), ("phone", "12"), ("user_id", ""), ("user_id", "NULL"),
        ("loyalty_card", "0000"), ("anonymous_id", "undefined"), ("user_id", "x" * 600), ("social", "pinster:"),
        ("e_receipt", "yes"), ("e_receipt", "true"), ("e_receipt", "1"), ("external_id", "123"),
        ("external_id", "braze_id:"), ("external_id", ":7"), ("external_id", "braze_id: NULL"),
        ("external_id", "braze_id:0000"),
    ],
)  # fmt: skip
def test_junk_names_nobody(kind: str, junk: str) -> None:
    assert KEYS(kind, junk) is None


@given(
    st.sampled_from(sorted(IDENTIFIER_KINDS)),
    st.text(max_size=80) | st.builds("{}:{}".format, st.text(max_size=9), st.text(max_size=9)),
)
def test_any_text_is_read_and_a_canonical_value_stays_what_it_is(kind: str, text: str) -> None:
    once = KEYS(kind, text)
    if once is not None:
        assert KEYS(kind, once) == once
