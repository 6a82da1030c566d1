"""What was foretold of everybody, in columns and as rows."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.shop.advocating import Explained
from shopkeeper.shop.predicting.foretold import Foretold

_KINDS = {
    "clv_12m": (pa.float64(), st.floats(-1e6, 1e6)),
    "brought_customers": (pa.int64(), st.integers(-5, 5)),
    "regular": (pa.bool_(), st.booleans()),
    "state": (pa.string(), st.sampled_from(["", "new", "fading"])),
    "state_since": (
        pa.timestamp("us", tz="UTC"),
        st.sampled_from([datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]),
    ),
}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_rows_are_what_the_columns_say(data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 9))
    columns = {"customer": pa.array(range(1, size + 1), pa.int64())}
    for name, (kind, values) in _KINDS.items():
        listed = data.draw(st.lists(st.none() | values, min_size=size, max_size=size))
        columns[name] = pa.array(listed, kind)
    foretold = Foretold(pa.table(columns))
    assert [row for rows in foretold.rows(4) for row in rows] == foretold.table.to_pylist()


def test_only_who_has_a_score_or_a_friend_is_explained() -> None:

    points = {"said": np.array([1.0, 0.0, 2.0]), "liked": np.array([0.5, 0.0, 0.0])}
    scored = {"advocacy_parts": np.array([True, False, True])}
    made = Explained(np.array([4, 7, 9]), {"advocacy_parts": points}, scored, [(7, 9), (8, 4)])
    assert made.of(np.array([9, 5, 7, 4])) == [
        {"advocacy_parts": {"said": 2.0, "liked": 0.0}, "brought_by": 7},
        {},
        {"brought": [9]},
        {"advocacy_parts": {"said": 1.0, "liked": 0.5}, "brought_by": 8},
    ]
    assert made.named() == {7, 8, 9}
