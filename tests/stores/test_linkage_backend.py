from __future__ import annotations

import pytest

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.stores.lake.linkage import splink_backend


def test_the_engine_of_linkage_touches_no_file(tmp_path):
    (tmp_path / "people.csv").write_text("name\nAnn\n", "utf-8")
    engine = splink_backend(memory_limit="200MB", threads=1).duckdb_con
    with pytest.raises(Exception, match="disabled by configuration"):
        engine.execute(f"SELECT * FROM read_csv('{tmp_path / 'people.csv'}')")
    with pytest.raises(Exception, match="disabled by configuration"):
        engine.execute(f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'")
    with pytest.raises(Exception, match=r"enable_external_access|Cannot"):
        engine.execute("SET enable_external_access = true")
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_two_engines_share_nothing():
    one, other = splink_backend(threads=1), splink_backend(threads=1)
    one.duckdb_con.execute("CREATE TABLE people AS SELECT 1 AS id")
    with pytest.raises(Exception, match="people"):
        other.duckdb_con.execute("SELECT * FROM people")


def test_wrong_bounds_are_said():
    with pytest.raises(InvalidInput, match="memory_limit='much'"):
        splink_backend(memory_limit="much")
