"""Brings the lake up to the ledger before models ask it: a refresh feeds it once more when their scores are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from shopkeeper.domain.traits import Trait
from shopkeeper.shop.asking import changed, customers
from shopkeeper.shop.feeding import customers_table, feed_with
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting.foretold import Foretold
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


def _customers(places: Places, reader: LedgerReader, traits: Sequence[Trait]) -> pa.Table:
    """Everybody: from the lake as it is and, of whom the ledger knows more, from there, where these are few."""
    import pyarrow as pa

    manifest = places.lake.manifest()
    there = places.lake.query("SELECT * FROM customers LIMIT 0").schema.names
    few = manifest.as_of is not None and {trait.name for trait in traits} <= set(there)
    if few and changed(reader, manifest.watermark, manifest.turn) is not None:
        return customers(places, None, traits).replace_schema_metadata(None)
    predicted = [Foretold.of_rows({}).table]
    for chunk in reader.all_records():
        said = reader.predictions([row.customer for row in chunk])
        rows = {customer: msgspec.json.decode(one.body) for customer, one in said.items()}
        predicted.append(Foretold.of_rows(rows).table)
    return customers_table(places, reader, traits, Foretold(pa.concat_tables(predicted)))
