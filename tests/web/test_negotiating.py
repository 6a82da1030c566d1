"""JSON or a file, as the request wants it."""

from __future__ import annotations

import pytest

from shopkeeper.web.api.features import PARQUET
from shopkeeper.web.api.negotiating import preferred

JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ([], JSON),
        (["*/*"], JSON),
        ([PARQUET], PARQUET),
        ([PARQUET.upper()], PARQUET),
        ([f"{PARQUET};q=0"], JSON),
        ([f"{PARQUET};q=0, */*"], JSON),
        ([f"*/*, {PARQUET} ; Q=0.000"], JSON),
        ([f"{PARQUET}, {JSON}"], JSON),
        ([f"{PARQUET}, {JSON};q=0.9"], PARQUET),
        ([f"{PARQUET};q=0.5, {JSON};q=0.51"], JSON),
        ([f"{PARQUET};q=0.001, */*;q=0.0"], PARQUET),
        (["application/*;q=0.3", f"{JSON};q=0.2"], PARQUET),
        ([f"application/*;q=0.1, {PARQUET}"], PARQUET),
        ([f"*/*;q=0.1, {JSON};q=0"], PARQUET),
        ([f'text/plain;note="a, {PARQUET}", {JSON};charset=utf-8;q=0.5'], JSON),
        ([f"{PARQUET};q=2, {JSON};q=0.1"], JSON),
        ([f"{PARQUET};q=", JSON], JSON),
        (["text/csv"], JSON),
        (["", ",;=,"], JSON),
    ],
)
def test_the_most_specific_range_says_how_much_a_form_is_wanted(accept: list[str], form: str) -> None:
    assert preferred(accept, [JSON, PARQUET]) == form
