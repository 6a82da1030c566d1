"""Texts compared alike by every evaluator: small letters one by one, patterns without backtracking."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_DOTTED: Final = "\u0130"
"""The one letter whose small form is two: the dotted capital I."""


def lower(text: str) -> str:
    """A text in small letters, letter by letter: no letter's form depends on its neighbours.

    >>> lower("ÀΣ") == "àσ", lower("\u0130")
    (True, 'i')
    """
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == _DOTTED else letter.lower() for letter in text)


def like(pattern: str, *, any_case: bool = False) -> Callable[[str], bool]:
    """Whether a text is like a pattern: ``%`` stands for anything, ``_`` for one character, all else for itself.

    What stands between two ``%`` is looked for from the left, once: no pattern takes more than its length times the
    text's.

    >>> like("Li%g")("Lighting"), like("_i%", any_case=True)("LI"), like("a%a")("a")
    (True, True, False)
    """
    if any_case:
        pattern = lower(pattern)
    pieces = [_piece(piece) for piece in pattern.split("%")]
    lengths = [len(piece) for piece in pattern.split("%")]
    first, last = pieces[0], pieces[-1]

    def matches(text: str) -> bool:
        if any_case:
            text = lower(text)
        if len(pieces) == 1:
            return first.fullmatch(text) is not None
        at, end = lengths[0], len(text) - lengths[-1]
        if end < at or not first.match(text) or not last.match(text, end):
            return False
        for piece in pieces[1:-1]:
            found = piece.search(text, at, end)
            if found is None:
                return False
            at = found.end()
        return True

    return matches


def _piece(piece: str) -> re.Pattern[str]:
    return re.compile("".join("." if letter == "_" else re.escape(letter) for letter in piece), re.DOTALL)
