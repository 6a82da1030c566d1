"""The engine on which linkage compares millions of pairs: Splink's backend on DuckDB, in memory only.

``resolve.linkage`` names no engine; it is handed this function, or the same for another engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from shopkeeper.domain.errors import InvalidInput

if TYPE_CHECKING:
    from splink import DuckDBAPI


def splink_backend(*, memory_limit: str = "4GB", threads: int = 2) -> DuckDBAPI:
    """A fresh engine in memory, as Splink wants it. It writes no file and reads none: names never touch a disk.

    ``memory_limit`` (as in ``"500MB"``) and ``threads`` bound it. A question that needs more memory fails, for what
    would spill are personal values in the clear. Raises InvalidInput where DuckDB refuses the two.

    >>> splink_backend(memory_limit="200MB", threads=1).query_sql("SELECT 1 AS one").as_dict()
    {'one': [1]}
    """
    from splink import DuckDBAPI

    try:
        engine = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "threads": threads,
                "temp_directory": "",
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            },
        )
        engine.execute("SET enable_external_access = false")
    except duckdb.Error:
        raise InvalidInput(
            f"the engine refuses memory_limit={memory_limit!r} and threads={threads!r}",
            hint="Give a size such as '4GB' and a number of threads from 1",
        ) from None
    return DuckDBAPI(connection=engine)
