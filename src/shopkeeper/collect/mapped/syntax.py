"""The characters of a JSONPath: a cursor over them, and errors that say where it went wrong."""

from __future__ import annotations

import re
from typing import Final

from shopkeeper.domain.errors import InvalidInput

_NAME: Final = re.compile(
    r"[A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][A-Za-z0-9_\u0080-\ud7ff\ue000-\U0010ffff]*"
)
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER: Final = re.compile(r"(?:0|-0|-?[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}


def wrong(text: str, at: int, message: str) -> InvalidInput:
    """The error about a path, with the place where it was found.

    >>> str(wrong("$.a b", 3, "expected the end"))
    "the path '$.a b' is wrong at character 4 (' b'): expected the end"
    """
    rest = f" ({text[at : at + 12]!r})" if at < len(text) else ""
    return InvalidInput(f"the path {text[:80]!r} is wrong at character {at + 1}{rest}: {message}")


class Cursor:
    """A place in the text of a path."""

    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def peek(self) -> str:
        """The next character, or an empty text."""
        return self.text[self.at : self.at + 1]

    def take(self, word: str) -> bool:
        """Go behind a word if it stands here."""
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def blanks(self) -> None:
        """Go behind blanks."""
        self.at = self._match(_BLANKS)

    def name(self) -> str:
        """A name that needs no quotes, or an empty text."""
        return self._taken(_NAME) or ""

    def integer(self) -> str | None:
        """The digits of a whole number."""
        return self._taken(_INTEGER)

    def number(self) -> str | None:
        """The digits of any number."""
        return self._taken(_NUMBER)

    def string(self) -> str:
        """A text in quotes."""
        quote, start = self.peek(), self.at
        parts: list[str] = []
        self.at += 1
        while True:
            if self.ended:
                raise wrong(self.text, start, f"the closing {quote} is missing")
            letter = self.peek()
            self.at += 1
            if letter == quote:
                return "".join(parts)
            if letter == "\\":
                parts.append(self._escaped(quote))
            elif letter < " " or "\ud800" <= letter <= "\udfff":
                raise wrong(self.text, self.at - 1, "a control character in quotes; write it as \\u0009")
            else:
                parts.append(letter)

    def expected(self, what: str) -> InvalidInput:
        """The error that something else was expected here."""
        return wrong(self.text, self.at, f"expected {what}")

    def _escaped(self, quote: str) -> str:
        letter = self.peek()
        self.at += 1
        if letter == quote:
            return quote
        if letter == "u":
            code = self._hex()
            if 0xD800 <= code < 0xDC00 and self.take("\\u"):
                low = self._hex()
                if 0xDC00 <= low < 0xE000:
                    return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
            if 0xD800 <= code < 0xE000:
                raise wrong(self.text, self.at, "half of a character (a surrogate without the other)")
            return chr(code)
        if letter not in _ESCAPES:
            raise wrong(self.text, self.at - 1, "a backslash before a letter that has no such meaning")
        return _ESCAPES[letter]

    def _hex(self) -> int:
        digits = self._taken(_HEX)
        if digits is None:
            raise self.expected("four hexadecimal digits")
        return int(digits, 16)

    def _match(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self.at)
        return found.end() if found else self.at

    def _taken(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()
