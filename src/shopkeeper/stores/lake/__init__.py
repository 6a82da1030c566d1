"""The lake on Parquet files, written and asked by DuckDB inside this process.

::

    lake/
      manifest.json                                  which files count, swapped in whole
      events/month=2011-03/g00000004-5f0c....parquet   immutable; g is the generation that wrote it
      order_lines/month=2011-03/...
      identities/ customers/ products/ stores/ spend/  one snapshot each
      writer.lock                                    held by the one who writes

A change writes new files beside the old ones and then swaps the manifest. Whatever the manifest does not list is
garbage, whoever left it, and the next writer or opener sweeps it away. Files that a change put out of use stay
for one more generation, so that a reader in another process can finish; after ``forget`` they go at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopkeeper.stores.contract.lake import Lake


def open_lake(folder: Path, *, memory_limit: str = "2GB", threads: int = 2) -> Lake:
    """The lake in ``folder``, which is made where there is none.

    ``memory_limit`` (as in ``"500MB"``) and ``threads`` bound each engine: one answers questions, another one lives
    while a change is written. What does not fit into memory goes to files beside the lake's.

    Raises StoreDamaged where the folder holds files but no readable manifest, StoreTooNew where a newer
    Shopkeeper wrote it.
    """
    from shopkeeper.stores.lake.lake import ParquetLake

    return ParquetLake(Path(folder), memory_limit=memory_limit, threads=threads)


__all__ = ["open_lake"]
