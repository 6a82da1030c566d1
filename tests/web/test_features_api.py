"""The table of features over HTTP and on the command line: what the library gives."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

AS_OF = date(2011, 6, 1)


@pytest.fixture
def get(visit, sample_shop):
    secret = sample_shop.add_api_key("features", ["report"]).secret
    with visit(sample_shop, None) as http:
        yield lambda query: http.get(
            f"/api/v1/features?{query}", headers={"authorization": f"Bearer {secret}"}
        )


def test_the_table_is_the_librarys(get, sample_shop):
    answer = get("as_of=2011-06-01&horizon=13")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(answer.content))
    expected = sample_shop.features(as_of=AS_OF, horizon=13)
    assert table.schema.equals(expected.schema)
    assert [table[name].equals(expected[name]) for name in ("id", "views_13w", "first_category")] == [
        True
    ] * 3
    for name in ("margin_52w", "label_margin"):
        ours, theirs = (one[name].to_numpy(zero_copy_only=False) for one in (table, expected))
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert table.num_rows > 30
    assert sum(table["views_ever"].to_pylist()) > 0
    assert 0 < sum(table["label_orders"].to_pylist()) < sum(table["orders"].to_pylist())


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "as_of is missing"),
        ("as_of=tomorrow", "YYYY-MM-DD"),
        ("as_of=2031-01-01", "last refresh"),
        ("as_of=2011-06-01&horizon=0", "horizon"),
        ("as_of=2011-06-01&horizen=13", "not known here"),
    ],
)
def test_what_cannot_be_asked_is_refused(get, query, said):
    answer = get(query)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]


def test_a_parameter_that_is_not_known_is_refused_and_the_nearest_named(get):
    error = get("as_of=2011-06-01&horizen=13").json()["error"]
    assert error["hint"] == "did you mean 'horizon'? Known: as_of, horizon, known"
    assert "horizen" not in error["message"]
