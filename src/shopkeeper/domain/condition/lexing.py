"""From text to sqlglot's tree, within bounds: what may not be in a condition at all is refused word by word before.

sqlglot reads with its knowledge of functions taken out, so that every function has one shape. It is imported when the
first condition is read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.errors import BadCondition

if TYPE_CHECKING:
    from sqlglot import exp

MOST_CHARACTERS: Final = 20_000
MOST_WORDS: Final = 5_000
DEEPEST: Final = 20
"""Parentheses within each other, and signs or 'not' one after another."""
_DEEPEST_TREE: Final = 120

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_SIGNS: Final = frozenset({"(", ")", ",", "=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "=>"})
_INSTEAD: Final = {
    "==": "write =",
    "&&": "write and",
    "||": "write or between conditions; texts are not joined here",
    "!": "write not",
    ";": "a condition is one expression",
    "::": "write date '2024-01-31' or timestamp '2024-01-31 10:00:00'",
    "?": "write the value itself",
    "%": "it stands within the pattern of like, in single quotes",
    ".": "a trait has one name; a number has digits on both sides of its point",
}
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Also what turns the direction of writing or begins a line: it would have others read another condition."""


class Word:
    """One word, sign, number or text, with its place: characters ``start`` to ``stop``."""

    __slots__ = ("kind", "raw", "start", "stop")

    def __init__(self, kind: str, raw: str, start: int, stop: int) -> None:
        self.kind = kind
        self.raw = raw
        self.start = start
        self.stop = stop


class Words:
    """The words of a text, found by place."""

    def __init__(self, text: str, words: list[Word], closing: dict[int, int]) -> None:
        self.text = text
        self.words = words
        self.closing = closing
        """For every opening parenthesis, by number of the word: which one closes it."""
        self._starts = [word.start for word in words]

    def at(self, start: int) -> int:
        """The number of the word that begins at, or holds, a character."""
        return max(0, bisect_right(self._starts, start) - 1)

    def next(self, after: int, *raw: str) -> int | None:
        """The number of the first word from ``after`` on that is written so, whatever its case."""
        return next((n for n in range(after, len(self.words)) if self.words[n].raw.lower() in raw), None)

    def wrong(self, what: str, word: Word, hint: str = "") -> BadCondition:
        """The error that points at a word."""
        return BadCondition(what, self.text, word.start, word.stop, hint=hint)


def read(text: str) -> tuple[Words, exp.Expression]:
    """The words of a text and sqlglot's tree of it. Raises BadCondition."""
    if len(text) > MOST_CHARACTERS:
        raise BadCondition(
            f"a condition of {len(text):,} characters; {MOST_CHARACTERS:,} are possible", text[:60], 0, 60,
            hint="put parts of it into segments and ask for them with segment('name')",
        )  # fmt: skip
    if hidden := _HIDDEN.search(text):
        raise BadCondition(
            "a character that cannot be seen", text[: hidden.start()] + " ", hidden.start(), hidden.end(),
            hint="type it anew from here",
        )  # fmt: skip
    if not text.strip():
        raise BadCondition("an empty condition", text, 0, 1, hint="such as: orders >= 2 and state = 'fading'")
    tokens, words = _words(text)
    return words, _tree(text, tokens, words)


def _words(text: str) -> tuple[list[Any], Words]:
    from sqlglot import TokenType
    from sqlglot.errors import TokenError

    try:
        tokens = _dialect().tokenize(text)
    except TokenError:
        quote = text.rfind("'") if text.count("'") % 2 else text.rfind('"')
        raise BadCondition(
            "a text or a comment without an end", text, max(quote, 0), len(text), hint="close the quote"
        ) from None
    found: list[Word] = []
    last = 0
    for token in tokens:
        raw = text[token.start : token.end + 1]
        kind = {TokenType.STRING: "text", TokenType.NUMBER: "number", TokenType.IDENTIFIER: "quoted"}.get(
            token.token_type, "word"
        )
        word = Word(kind, raw, token.start, token.end + 1)
        _allowed(text, word, text[last : word.start])
        found.append(word)
        last = word.stop
    _no_comment(text, text[last:], last)
    if len(found) > MOST_WORDS:
        raise BadCondition(
            f"a condition of more than {MOST_WORDS:,} words", text, found[MOST_WORDS].start, found[MOST_WORDS].stop,
            hint="put parts of it into segments and ask for them with segment('name')",
        )  # fmt: skip
    return tokens, Words(text, found, _closing(text, found))


def _no_comment(text: str, between: str, start: int) -> None:
    """What lies between two words is blank, or it is a comment."""
    if between.strip():
        begin = start + len(between) - len(between.lstrip())
        raise BadCondition(
            "a comment or a sign that means nothing here", text, begin, start + len(between.rstrip()),
            hint="a condition is one expression without comments",
        )  # fmt: skip


def _allowed(text: str, word: Word, before: str) -> None:
    _no_comment(text, before, word.start - len(before))
    raw = word.raw
    if word.kind == "text" and raw[0] == "'":
        return
    if word.kind == "quoted" or raw[:1] == '"':
        raise BadCondition(
            "a name in double quotes", text, word.start, word.stop,
            hint=f"a text stands in single quotes, '{raw.strip(chr(34))[:40]}', a name in none",
        )  # fmt: skip
    if word.kind == "number":
        if not _NUMBER.fullmatch(raw):
            raise BadCondition(
                f"{raw[:40]!r} is not a number here",
                text,
                word.start,
                word.stop,
                hint="write digits, such as 1000 or 0.5",
            )
        after = text[word.stop : word.stop + 1]
        if after and (after.isalnum() or after == "_"):
            raise BadCondition(
                f"{raw[:40]!r} runs into what follows", text, word.start, word.stop + 1,
                hint="leave a blank after a number; a length of time is written interval '30 days'",
            )  # fmt: skip
        return
    if raw in _SIGNS or _WORD.fullmatch(raw):
        return
    raise BadCondition(
        f"{raw[:40]!r} is not part of the language of conditions", text, word.start, word.stop,
        hint=_INSTEAD.get(raw, "see the reference of conditions for what is"),
    )  # fmt: skip


def _closing(text: str, words: list[Word]) -> dict[int, int]:
    """Which parenthesis closes which; all must be paired, and not too deep."""
    closing: dict[int, int] = {}
    open_: list[int] = []
    run = 0
    for number, word in enumerate(words):
        low = word.raw.lower()
        run = run + 1 if low in ("not", "-", "+") else 0
        if low == "(":
            open_.append(number)
        elif low == ")":
            if not open_:
                raise BadCondition("a ')' without a '(' before it", text, word.start, word.stop)
            closing[open_.pop()] = number
        if max(len(open_), run) > DEEPEST:
            raise BadCondition(
                f"more than {DEEPEST} levels within each other", text, word.start, word.stop,
                hint="put the inner part into a segment and ask for it with segment('name')",
            )  # fmt: skip
    if open_:
        first = words[open_[-1]]
        raise BadCondition("this '(' is not closed", text, first.start, first.stop, hint="add a ')'")
    return closing


def _tree(text: str, tokens: list[Any], words: Words) -> exp.Expression:
    from sqlglot.errors import ErrorLevel, ParseError

    try:
        found = _parser()(error_level=ErrorLevel.IMMEDIATE, dialect=_dialect()).parse(tokens, text)
    except ParseError as error:
        raise _unread(words, tokens, error.errors[0] if error.errors else {}) from None
    except RecursionError:
        raise BadCondition(f"more than {DEEPEST} levels within each other", text, 0, len(text)) from None
    tree: exp.Expression | None = found[0] if len(found) == 1 else None
    if tree is None:
        raise BadCondition("more than one expression", text, 0, len(text), hint="join them with and, or")
    _not_deep(text, tree)
    return tree


def _unread(words: Words, tokens: list[Any], error: dict[str, Any]) -> BadCondition:
    """What sqlglot complains of, in words of our own, at the word it concerns."""
    place = (error.get("line"), error.get("col"))
    number = next((n for n, token in enumerate(tokens) if (token.line, token.col) == place), len(tokens) - 1)
    word = words.words[number]
    said = str(error.get("description") or "")
    if said.startswith("Required keyword"):
        return words.wrong(f"something is missing after {word.raw[:40]!r}", word, "a value is expected there")
    if said.startswith("Expecting"):
        return words.wrong(
            f"{word.raw[:40]!r} is not expected here", word, f"expected {said[10:40].strip()!r}"
        )
    hint = "expected and, or, a comparison, or the end"
    if word.kind == "text":
        hint = "a text stands after =, in, like, or within a function"
    return words.wrong(f"{word.raw[:40]!r} is not expected here", word, hint)


def _not_deep(text: str, tree: exp.Expression) -> None:
    """Long chains of arithmetic lean to the left: their depth is bounded too. 'and' and 'or' may be long."""
    from sqlglot import exp

    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _DEEPEST_TREE:
            raise BadCondition(
                "a chain of operators that is too long",
                text,
                0,
                len(text),
                hint="put parts of it into segments",
            )
        for child in node.iter_expressions():
            chain = isinstance(node, exp.And | exp.Or) and type(child) is type(node)
            waiting.append((child, depth if chain else depth + 1))


@cache
def _dialect() -> Any:
    from sqlglot.dialects.duckdb import DuckDB

    return DuckDB()


@cache
def _parser() -> Any:
    """DuckDB's grammar without any function: each is a name with arguments."""
    from sqlglot.dialects.duckdb import DuckDB

    shapes = ("FUNCTIONS", "FUNCTION_PARSERS", "NO_PAREN_FUNCTIONS", "NO_PAREN_FUNCTION_PARSERS")
    return type("ConditionParser", (DuckDB.Parser,), {name: {} for name in shapes})
