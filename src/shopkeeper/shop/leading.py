"""Brings the lake up to the ledger before models ask it: a refresh feeds it once more when their scores are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shopkeeper.domain.traits import Trait
from shopkeeper.shop.asking import changed, customers
from shopkeeper.shop.feeding import customers_table, feed_with, said_now
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import runs
from shopkeeper.stores.contract.ledger import LedgerReader

if TYPE_CHECKING:
    import pyarrow as pa


def ahead(places: Places, traits: Sequence[Trait]) -> int:
    """Feed the lake what it lacks, customers with the scores they have so far; returns how many events were added."""
    manifest = places.lake.manifest()
    with places.ledger.read() as reader:
        if int(reader.setting("cursor") or 0) == manifest.watermark and manifest.as_of is not None:
            return 0
    return feed_with(places, lambda reader: _customers(places, reader, traits))


def _customers(places: Places, reader: LedgerReader, traits: Sequence[Trait]) -> tuple[pa.Table, int]:
    """Everybody: from the lake as it is and, of whom the ledger knows more, from there, where these are few. Also
    returns the run whose predictions these are.
    """
    manifest = places.lake.manifest()
    there = places.lake.query("SELECT * FROM customers LIMIT 0").schema.names
    few = manifest.as_of is not None and {trait.name for trait in traits} <= set(there)
    if few and changed(reader, manifest.watermark, manifest.turn) is not None:
        return customers(places, None, traits).replace_schema_metadata(None), manifest.run
    return customers_table(places, reader, traits, said_now(reader)), runs.number_in_force(reader)
