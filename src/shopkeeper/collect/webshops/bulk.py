"""Shopify's bulk exports: JSON Lines in which lines of an order follow it, near or far, naming it as ``__parentId``.

See https://shopify.dev/docs/api/usage/bulk-operations/queries. The file is gone through twice: once to learn which line
belongs to which order, holding two numbers a line, and once in that order. So any file is read in bounded memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
from msgspec import Struct, field

from shopkeeper.collect.files.sniff import blocks
from shopkeeper.collect.webshops.graphql import read_customer, read_order, read_product
from shopkeeper.collect.webshops.parts import leaves, number_of
from shopkeeper.collect.webshops.telling import Teller
from shopkeeper.domain.batch import Batch, Refused
from shopkeeper.domain.errors import BadEvent

AT_ONCE: Final = 2_000
"""Orders in one batch."""
LONGEST: Final = 1 << 20
_RAW: Final = 65_536
_GID: Final = "gid://shopify/"
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class _Head(Struct):
    """What of a line says where it belongs."""

    id: str = ""
    parent: str | None = field(default=None, name="__parentId")


_head = msgspec.json.Decoder(_Head).decode


def looks_like(objects: list[dict[str, Any]]) -> bool:
    """Whether the first objects of a file are those of a bulk export.

    >>> looks_like([{"id": "gid://shopify/Order/1"}, {"id": "gid://shopify/LineItem/2", "__parentId": "..."}])
    True
    >>> looks_like([{"id": "1", "event": "Product Viewed"}])
    False
    """
    named = [one for one in objects if str(one.get("id", "")).startswith(_GID) or "__parentId" in one]
    return len(named) * 2 > len(objects) and any(str(one.get("id", "")).startswith(_GID) for one in named)


class Export:
    """A bulk export on disk, packed by gzip or not."""

    def __init__(self, path: Path, *, packed: bool) -> None:
        self.path = path
        self.packed = packed
        self.fraction = 0.0

    def batches(self, teller: Teller, *, at_once: int = AT_ONCE) -> Iterator[Batch]:
        """Everything in the export, some orders at a time."""
        with self._file() as file:
            batch, count = Batch(), 0
            for line, body, children in self._families(file, batch):
                try:
                    _tell(teller, batch, body, children)
                except BadEvent as error:
                    batch.refused.append(_refused(line, body, children, error))
                count += 1
                if count >= at_once:
                    yield _counted(batch)
                    batch, count = Batch(), 0
            yield _counted(batch)

    def _file(self) -> BinaryIO:
        if not self.packed:
            return self.path.open("rb")
        unpacked = TemporaryFile()  # noqa: SIM115 - the caller closes it
        for block in blocks(self.path, packed=True):
            unpacked.write(block)
        unpacked.seek(0)
        return unpacked

    def _families(
        self, file: BinaryIO, batch: Batch
    ) -> Iterator[tuple[int, dict[str, Any], list[dict[str, Any]]]]:
        """Every record with the line it stood on and what belongs to it."""
        starts, numbers, owners, orphans = _survey(file)
        order = np.argsort(np.frombuffer(owners, np.int64), kind="stable")
        offsets = np.frombuffer(starts, np.int64)
        owner = np.frombuffer(owners, np.int64)[order]
        batch.refused.extend(orphans)
        at = 0
        while at < len(order):
            end = int(np.searchsorted(owner, owner[at], "right"))
            own = int(owner[at])
            lines = [own, *(line for line in order[at:end].tolist() if line != own)]
            family = [self._read(file, int(offsets[line])) for line in lines]
            yield numbers[lines[0]], family[0], family[1:]
            at = end
            self.fraction = at / len(order)

    def _read(self, file: BinaryIO, offset: int) -> dict[str, Any]:
        file.seek(offset)
        found: dict[str, Any] = _decode(file.readline())
        return found


def _survey(file: BinaryIO) -> tuple[array[int], array[int], array[int], list[Refused]]:
    """Of every usable line: where it begins, its number, and the place of the record it belongs to.

    A line that belongs to a record that is not in the file is a record of its own, and refused as such.
    """
    starts, numbers, owners = array("q"), array("q"), array("q")
    roots: dict[str, int] = {}
    waiting: list[tuple[int, str]] = []
    refused: list[Refused] = []
    for number, begin, line in _lines(file):
        try:
            head = _head(line) if len(line) <= LONGEST else None
            if head is not None and type(_decode(line)) is not dict:
                head = None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            head = None
        if head is None or not (head.id or head.parent):
            refused.append(_bad_line(number, line))
            continue
        place = len(owners)
        if head.parent is None:
            roots[head.id] = owner = place
        elif (owner := roots.get(head.parent, -1)) < 0:
            waiting.append((place, head.parent))
        starts.append(begin)
        numbers.append(number)
        owners.append(owner)
    for place, parent in waiting:
        owners[place] = roots.get(parent, place)
    return starts, numbers, owners, refused


def _lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Number, place and bytes of every line that is not blank; of one that is too long its beginning."""
    begin = number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        end = begin + len(line)
        while len(line) > LONGEST and not line.endswith(b"\n") and (rest := file.readline(LONGEST)):
            end += len(rest)
            if rest.endswith(b"\n"):
                break
        if not line.isspace():
            yield number, begin, line
        begin = end


def _tell(teller: Teller, batch: Batch, body: dict[str, Any], children: list[dict[str, Any]]) -> None:
    kind = str(body.get("id", "")).removeprefix(_GID).partition("/")[0]
    usual = {"now": teller.received_at}
    if "__parentId" in body:
        raise BadEvent("no_parent", "a line whose order is not in the file", hint="export it again, whole")
    if not number_of(str(body.get("id", ""))):
        raise BadEvent("no_key", "a record without an id", hint="ask for 'id' in the bulk query")
    if kind == "Order":
        lines = [one for one in children if "quantity" in one]
        order = read_order(body, lines, currency=teller.settled.currency, **usual)
        teller.order(order, batch)
    elif kind == "Customer":
        teller.person(read_customer(body, **usual), batch)
    elif kind == "Product":
        batch.records.append(("product", read_product(body, children)))
    else:
        batch.passing("unused_record")


def _counted(batch: Batch) -> Batch:
    batch.read = len(batch.events) + len(batch.records) + len(batch.refused)
    return batch


def _bad_line(number: int, line: bytes) -> Refused:
    raw = line[:_RAW].decode("utf-8", "replace")
    return Refused(line=number, reason="bad_json", detail="the line is no JSON object with an id", raw=raw)


def _refused(line: int, body: dict[str, Any], children: list[dict[str, Any]], error: BadEvent) -> Refused:
    raw = b"\n".join(msgspec.json.encode(one) for one in (body, *children)).decode()
    cells = dict.fromkeys(leaf for one in (body, *children) for leaf in leaves(one))
    return Refused(line=line, reason=error.reason, detail=error.message, raw=raw[:_RAW], cells=tuple(cells))
