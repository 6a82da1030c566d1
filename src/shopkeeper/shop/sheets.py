"""Tables as a spreadsheet takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_FORMULA = r"^[=+\-@\t\r\n]"
"""How a text begins that a spreadsheet may run."""


def as_csv(found: pa.Table) -> bytes:
    """A table as CSV in UTF-8, with ``|`` between the texts of a list.

    A text that a spreadsheet would take for a formula begins with an apostrophe: texts come from outside.

    >>> import pyarrow as pa
    >>> way = pa.array(["@x"]).dictionary_encode()
    >>> print(as_csv(pa.table({"name": ["=1+1"], "tags": [["a", "b"]], "way": way, "orders": [3]})).decode(), end="")
    "name","tags","way","orders"
    "'=1+1","a|b","'@x",3
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv

    for at, field in enumerate(found.schema):
        if pa.types.is_list(field.type):
            found = found.set_column(at, field.name, pc.binary_join(found.column(at), "|"))
        column = found.column(at)
        if _is_text(column.type):
            column = column.cast(pa.string())
            plain = pc.binary_join_element_wise("'", column, "")
            meant = pc.match_substring_regex(column, _FORMULA)
            found = found.set_column(at, field.name, pc.if_else(meant, plain, column))
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(found, out)
    return bytes(out.getvalue().to_pybytes())


def _is_text(kind: pa.DataType) -> bool:
    """Whether values are texts, however they are kept."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return any(
        check(kind) for check in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def plain(found: pa.Table, time_zone: str) -> pa.Table:
    """A table of customers as people read it: ids as pages write them, instants as the days they fall on.

    >>> import pyarrow as pa
    >>> from datetime import UTC, datetime
    >>> late = pa.array([datetime(2026, 5, 2, 23, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    >>> plain(pa.table({"id": [7], "last_order": late}), "Europe/Berlin").to_pylist()
    [{'id': 'c7', 'last_order': datetime.date(2026, 5, 3)}]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for at, field in enumerate(found.schema):
        column = found.column(at)
        if field.name == "id":
            found = found.set_column(at, "id", pc.binary_join_element_wise("c", column.cast(pa.string()), ""))
        elif pa.types.is_timestamp(field.type) and field.type.tz:
            utc = column.cast(pa.timestamp("us", "UTC"))
            midnight = pc.equal(
                pc.floor_temporal(utc, unit="day"), utc
            )  # a day without a time, in every zone
            local = pc.local_timestamp(utc.cast(pa.timestamp("us", time_zone))).cast(pa.date32(), safe=False)
            day = pc.local_timestamp(utc).cast(pa.date32(), safe=False)
            found = found.set_column(at, field.name, pc.if_else(midnight, day, local))
    return found
