"""XML from outside, piece by piece: no DTDs, no entities, no external anything, and bounded memory.

What is refused: a document type declaration (and with it entity bombs and external entities), elements nested deeper
than ``DEEPEST``, one markup longer than ``LONGEST`` bytes (a huge attribute), a piece larger than ``LARGEST`` bytes or
with more than ``MOST`` elements. Names are local names: vendors declare namespaces, misspell them or leave them out.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.parsers import expat

from shopkeeper.domain.errors import BadEvent

DEEPEST: Final = 64
"""Elements within each other; a POSLog has about twelve."""
LONGEST: Final = 1 << 20
"""Bytes of one tag, comment or attribute."""
LARGEST: Final = 1 << 23
"""Bytes of one transaction."""
MOST: Final = 100_000
"""Elements of one transaction."""
KEPT: Final = 1 << 20
"""Bytes kept of a piece as it came: one that is longer cannot be read again from quarantine."""
_STEP: Final = 1 << 16
_PARTS: Final = 16
"""Runs of text kept of an element outside of pieces."""


class Node:
    """An element: local name, attributes by local name, text and children."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.text = ""
        self.children: list[Node] = []

    def child(self, *names: str) -> Node | None:
        """The first child of one of these names, in the order of the names."""
        for name in names:
            for one in self.children:
                if one.name == name:
                    return one
        return None

    def get(self, *names: str) -> str:
        """The text of the first child of one of these names that has any, trimmed."""
        for name in names:
            for one in self.children:
                if one.name == name and one.text:
                    return one.text
        return ""

    def attribute(self, *names: str) -> str:
        """The first of these attributes, trimmed; "" where there is none."""
        for name in names:
            if (value := self.attributes.get(name)) is not None:
                return value.strip()
        return ""

    def all(self, *names: str) -> list[Node]:
        """All children of these names."""
        return [one for one in self.children if one.name in names]

    def within(self) -> Iterator[Node]:
        """Itself and everything in it, in document order."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting.extend(reversed(one.children))

    def texts(self) -> Iterator[str]:
        """All texts and attributes in it."""
        for one in self.within():
            if one.text:
                yield one.text
            yield from (value for value in one.attributes.values() if value)


class Piece:
    """One element of the wanted name, with where it began and how it stood there."""

    __slots__ = ("line", "node", "raw")

    def __init__(self, node: Node, line: int, raw: str) -> None:
        self.node = node
        self.line = line
        self.raw = raw


class Pieces:
    """The outermost elements called ``name`` of a document, one after another.

    ``around`` collects texts of the elements directly in the root that stand before or between them (a store's number
    that is told once for all). Iterating raises BadEvent: bad_xml, unsafe_xml or too_large.

    >>> blocks = [b"<p:POSLog xmlns:p='u'><RetailStoreID>S1</RetailStoreID><p:Transaction a='1'>",
    ...           b"<N> 7 </N></p:Transaction></p:POSLog>"]
    >>> pieces = Pieces(blocks, "Transaction")
    >>> [(piece.line, piece.node.attributes, piece.node.get("N")) for piece in pieces], pieces.around
    ([(1, {'a': '1'}, '7')], {'RetailStoreID': 'S1'})
    """

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self.blocks = blocks
        self.name = name
        self.root = ""
        self.around: dict[str, str] = {}
        self.found = 0
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self._depth = 0
        self._inside = 0
        """Depth at which the present piece began; 0 outside of one."""
        self._count = 0
        self._began = self._line = 0
        self._ready: list[Piece] = []
        self._encoding = "utf-8"
        self._buffer = bytearray()
        self._base = 0
        """Where in the document the buffer begins."""

    def __iter__(self) -> Iterator[Piece]:
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        parser.UnparsedEntityDeclHandler = _refuse_doctype
        parser.ExternalEntityRefHandler = _refuse_doctype
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            for block in self._steps():
                self._buffer += block
                parser.Parse(block, False)
                self._check()
                yield from self._ready
                self._ready.clear()
            parser.Parse(b"", True)
        except BadEvent:
            raise
        except expat.ExpatError as error:
            raise BadEvent(
                "bad_xml",
                f"this is no well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}",
                hint="it may have been cut off; export or send it again",
            ) from None
        except (ValueError, LookupError) as error:  # an encoding that nobody knows, among others
            raise BadEvent("bad_xml", f"this XML cannot be read: {type(error).__name__}") from None
        finally:
            # the handlers are methods of this object: without this the two hold each other
            parser.StartElementHandler = parser.EndElementHandler = None
            parser.CharacterDataHandler = parser.XmlDeclHandler = None
        yield from self._ready
        self._ready.clear()

    def _steps(self) -> Iterator[bytes]:
        """The document in small steps, in UTF-8 where it came in UTF-16."""
        decoder: codecs.IncrementalDecoder | None = None
        first = True
        for block in self.blocks:
            for start in range(0, len(block), _STEP):
                step = block[start : start + _STEP]
                if first and step[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                    decoder = codecs.getincrementaldecoder("utf-16")()
                first = False
                yield (
                    step
                    if decoder is None
                    else decoder.decode(step)
                    .encode()
                    .replace(b'"UTF-16"', b'"UTF-8"')
                    .replace(b'"utf-16"', b'"UTF-8"')
                )

    def _check(self) -> None:
        """Forget what is behind, and refuse what grows without end."""
        here = self._parser.CurrentByteIndex
        seen = self._base + len(self._buffer)
        if seen - here > LONGEST + _STEP:
            raise BadEvent("too_large", f"one tag or text of more than {LONGEST >> 20} MB")
        if self._inside and seen - self._began > LARGEST:
            raise BadEvent("too_large", f"one {self.name} of more than {LARGEST >> 20} MB")
        before = self._began if self._inside else here
        if before > self._base:
            del self._buffer[: before - self._base]
            self._base = before

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding:
            self._encoding = encoding

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadEvent("unsafe_xml", f"elements nested deeper than {DEEPEST}")
        local = name.rpartition(":")[2]
        if self._depth == 1:
            self.root = local
        if not self._inside:
            if local == self.name:
                self._inside = self._depth
                self._began, self._line = self._parser.CurrentByteIndex, self._parser.CurrentLineNumber
                self._count = 0
            elif self._depth != 2:
                return
        self._count += 1
        if self._count > MOST:
            raise BadEvent("too_large", f"one {self.name} of more than {MOST} elements")
        node = Node(local, {key.rpartition(":")[2]: value for key, value in attributes.items()})
        if self._open and self._inside:
            self._open[-1].children.append(node)
        self._open.append(node)
        self._texts.append([])

    def _data(self, text: str) -> None:
        if self._inside or (self._open and self._depth == 2 and len(self._texts[-1]) < _PARTS):
            self._texts[-1].append(text)

    def _end(self, _name: str) -> None:
        depth, self._depth = self._depth, self._depth - 1
        if self._inside:
            node = self._open.pop()
            node.text = "".join(self._texts.pop()).strip()
            if depth == self._inside:
                self._inside = 0
                self.found += 1
                end = self._parser.CurrentByteIndex
                self._ready.append(Piece(node, self._line, self._raw(end)))
                if self._open:  # the wanted element stood directly in one that is collected around
                    self._open.clear()
                    self._texts.clear()
        elif self._open and depth == 2:
            node = self._open.pop()
            text = "".join(self._texts.pop()).strip()
            self._count = 0
            if text and len(self.around) < 100:
                self.around.setdefault(node.name, text[:512])

    def _raw(self, end: int) -> str:
        """The piece as it came, cut."""
        start = self._began - self._base
        at = end - self._base
        # an empty element ends where it is, another with the tag that begins there
        stop = self._buffer.find(b">", at) + 1 if self._buffer[at : at + 2] == b"</" else at
        upto = min(stop or len(self._buffer), start + KEPT)
        try:
            return self._buffer[start:upto].decode(self._encoding, "replace")
        except LookupError:
            return self._buffer[start:upto].decode("utf-8", "replace")


def _refuse_doctype(*_: Any) -> int:
    raise BadEvent(
        "unsafe_xml",
        "the XML declares a document type or entities, which are not taken",
        hint="send it without <!DOCTYPE ...>",
    )
