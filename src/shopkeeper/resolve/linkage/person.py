"""What one record says of a person, as linkage takes it in."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from msgspec import Struct, structs

from shopkeeper.domain.errors import InvalidInput

TEXTS = (
    "first_name", "last_name", "birthday", "street", "city", "postcode", "state", "email", "phone", "gender",
    "reference",
)  # fmt: skip


class Person(Struct, frozen=True, kw_only=True):
    """One record about somebody: a row of a customer file, a delivery address, an account. Empty says nothing.

    >>> Person(id="crm-17", first_name="Ann", last_name="Lee", strong={"loyalty_card": "LC0012"}).birthday is None
    True
    """

    id: str
    """Names this record among all; a record that changed comes again under the same id."""
    first_name: str | None = None
    last_name: str | None = None
    birthday: str | None = None
    """A day: year first, or day-month-year."""
    street: str | None = None
    """One address line: street and house number."""
    city: str | None = None
    postcode: str | None = None
    state: str | None = None
    email: str | None = None
    phone: str | None = None
    gender: str | None = None
    reference: str | None = None
    """A number that people type (a customer number on a form, a tax number): compared, mistyped at times, no veto."""
    strong: dict[str, str] = {}
    """Kind to value of identifiers of which a person has one (loyalty_card, user_id): equal ones join, others veto."""


SCHEMA = pa.schema(
    [("id", pa.string())]
    + [(text, pa.string()) for text in TEXTS]
    + [("strong", pa.map_(pa.string(), pa.string()))]
)
"""The columns of a table of persons; only ``id`` must be there, the order is free."""


def people_table(people: Iterable[Person]) -> pa.Table:
    """Persons as an Arrow table with the columns of ``SCHEMA``, one row each.

    >>> people_table([Person(id="a", first_name="Ann")]).select(["id", "first_name"]).to_pylist()
    [{'id': 'a', 'first_name': 'Ann'}]
    """
    rows = [structs.asdict(person) for person in people]
    for row in rows:
        row["strong"] = list(row["strong"].items())
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def checked(table: pa.Table) -> pa.Table:
    """The table with all columns of ``SCHEMA`` and their types; missing ones are filled with nulls.

    Raises InvalidInput where ``id`` is missing, null or not unique, or a column is not known.
    """
    unknown = sorted(set(table.column_names) - set(SCHEMA.names))
    if unknown or "id" not in table.column_names:
        raise InvalidInput(
            f"a table of persons was given columns {table.column_names}, expected 'id' and some of {SCHEMA.names[1:]}",
            hint=f"Rename or drop {unknown}" if unknown else "Add a column 'id' that names each record",
        )
    ids = table["id"].cast(pa.string())
    if ids.null_count or len(ids.unique()) != len(ids):
        raise InvalidInput(
            f"{len(ids) - len(ids.unique()) + ids.null_count:,} of {len(ids):,} records have no id of their own",
            hint="Give each record its own 'id'",
        )
    columns = []
    for field in SCHEMA:
        if field.name in table.column_names:
            columns.append(table[field.name].cast(field.type))
        else:
            columns.append(pa.chunked_array([pa.nulls(len(table), field.type)]))
    return pa.Table.from_arrays(columns, schema=SCHEMA)
