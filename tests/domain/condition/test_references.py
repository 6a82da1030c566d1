"""Segments that ask for segments."""

from __future__ import annotations

import pytest

from shopkeeper.domain.condition.references import in_order
from shopkeeper.domain.errors import InvalidInput


def test_a_segment_that_asks_for_itself_is_refused_with_the_way():
    assert in_order({"a": ["b"], "b": ["c"], "c": []}) == ["c", "b", "a"]
    with pytest.raises(InvalidInput, match="'a' -> 'a'"):
        in_order({"a": ["a"]})
    with pytest.raises(InvalidInput, match="asks for itself") as caught:
        in_order({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})
    assert caught.value.message.count("->") == 3
