"""From text to tree: every node that sqlglot may hand over is listed here; anything else is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from msgspec import Struct

from shopkeeper.domain.clock import micros
from shopkeeper.domain.condition import functions, lexing, tree
from shopkeeper.domain.condition.calls import call
from shopkeeper.domain.condition.lexing import Words
from shopkeeper.domain.condition.tree import Value
from shopkeeper.domain.errors import BadCondition

if TYPE_CHECKING:
    from sqlglot import exp

MOST_TERMS: Final = 500
"""Conditions that 'and' and 'or' may join in one expression, all together."""
MOST_LISTED: Final = 1_000
"""Values of one 'in'."""
LARGEST: Final = 10**15
"""Numbers lie between this and its negative: they are exact in every engine."""
YEARS: Final = range(1900, 2200)
"""Days and instants that can be written."""
_LONGEST_TEXT: Final = 500
_WHOLE: Final = re.compile(r"[0-9]{1,7}", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Parsed(Struct, frozen=True):
    """A tree and the text it was read from. ``places`` says by ``id`` of a node which characters it was."""

    tree: Value
    text: str
    places: dict[int, tuple[int, int]]

    def wrong(self, what: str, node: object, hint: str = "", nearest: str | None = None) -> BadCondition:
        """The error that points at a node."""
        start, stop = self.places.get(id(node), (0, len(self.text)))
        return BadCondition(what, self.text, start, stop, hint=hint, nearest=nearest)


def parse(text: str) -> Parsed:
    """The tree of a condition. Raises BadCondition. What it means is for ``check`` to say.

    >>> parse("orders > 3").tree
    Compare(test='>', left=TraitRef(name='orders'), right=Number(value=3))
    """
    words, found = lexing.read(text)
    reader = Reader(words)
    return Parsed(reader.value(found), text, reader.places)


class Reader:
    """Turns sqlglot's nodes into ours, from the left, so that words without a place are found by what comes next."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.text = words.text
        self.places: dict[int, tuple[int, int]] = {}
        self.at = 0
        """The number of the word up to which all was read."""
        self.terms = 0

    def value(self, node: exp.Expression) -> tree.Value:
        """Any node. Raises BadCondition for one that is not in the language."""
        rule = _rules().get(type(node))
        if rule is None:
            raise self.refused(node)
        make, known = rule
        for name, given in node.args.items():
            if given and name not in known:
                raise self.refused(node)
        return make(self, node)

    def place(self, node: Any, start: int, stop: int) -> Any:
        """Note where a node was read."""
        self.places[id(node)] = (start, stop)
        return node

    def around(self, node: Any, *parts: object) -> Any:
        """Note that a node reaches from its first part to its last."""
        found = [self.places[id(part)] for part in parts if id(part) in self.places]
        if found:
            self.places[id(node)] = (min(f[0] for f in found), max(f[1] for f in found))
        return node

    def word(self, node: exp.Expression, *written: str) -> tuple[int, int]:
        """Where a node without parts stands: as sqlglot noted, or at the next word written so."""
        meta = node.meta if node._meta else {}  # noqa: SLF001 - asking for .meta makes one
        if "start" in meta:
            number: int | None = self.words.at(meta["start"])
        else:
            number = self.words.next(self.at, *written)
        if number is None:
            number = min(self.at, len(self.words.words) - 1)
        self.at = number + 1
        found = self.words.words[number]
        return found.start, found.stop

    def refused(self, node: exp.Expression) -> BadCondition:
        """The error about something that SQL has and conditions do not."""
        spots = [n.meta["start"] for n in node.walk() if n._meta and "start" in n._meta]  # noqa: SLF001
        number = self.words.at(min(spots)) if spots else min(self.at, len(self.words.words) - 1)
        word = self.words.words[number]
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__).lower()
        hint = "see the reference of conditions for what is"
        if kind == "alias":
            hint = "between two words something is missing: and, or, a comma? A length of time is interval '30 days'"
        elif kind in ("select", "subquery", "exists"):
            hint = "ask what customers did with events(...), of segments with segment('name')"
        return self.words.wrong(f"{kind!r} is not part of the language of conditions", word, hint)

    def called(self, node: exp.Expression) -> tuple[str, int, int]:
        """The name of a function, and from where to where it is written."""
        start, stop = self.word(node, str(node.this).lower())
        opening = self.at
        closing = self.words.closing.get(opening)
        if closing is not None:
            stop = self.words.words[closing].stop
        self.at = opening + 1
        return str(node.this).lower(), start, stop

    def joined(self, node: exp.Expression, kind: type[tree.AllOf | tree.AnyOf]) -> tree.Value:
        """A chain of 'and' or 'or' as one node; parentheses keep an inner chain apart."""
        parts: list[exp.Expression] = []
        link: exp.Expression = node
        while type(link) is type(node):
            parts.append(link.args["expression"])
            link = link.this
        parts.append(link)
        self.terms += len(parts)
        if self.terms > MOST_TERMS:
            raise BadCondition(
                f"more than {MOST_TERMS} conditions", self.text, 0, len(self.text),
                hint="use in (...) for lists, and segment('name') for parts",
            )  # fmt: skip
        found = tuple(self.value(part) for part in reversed(parts))
        return cast("tree.Value", self.around(kind(found), *found))

    def number(self, node: exp.Expression, *, negative: bool = False) -> tree.Number:
        """A number as written."""
        start, stop = self.word(node)
        value = float(str(node.this))
        if not abs(value) <= LARGEST:
            raise BadCondition(
                "a number beyond all bounds", self.text, start, stop, hint=f"at most {LARGEST:,} is possible"
            )
        raw = str(node.this)
        found = tree.number(int(raw) if raw.isdigit() else value)
        return cast("tree.Number", self.place(tree.number(-found.value) if negative else found, start, stop))

    def text_of(self, node: exp.Expression) -> tree.Text:
        """A text as written."""
        start, stop = self.word(node)
        value = str(node.this)
        if len(value) > _LONGEST_TEXT:
            raise BadCondition(f"a text of more than {_LONGEST_TEXT} characters", self.text, start, stop)
        return cast("tree.Text", self.place(tree.Text(value), start, stop))


def _column(reader: Reader, node: exp.Expression) -> tree.Value:
    start, stop = reader.word(node.this)
    return cast("tree.Value", reader.place(tree.TraitRef(node.name.lower()), start, stop))


def _literal(reader: Reader, node: exp.Expression) -> tree.Value:
    return reader.text_of(node) if node.args["is_string"] else reader.number(node)


def _negative(reader: Reader, node: exp.Expression) -> tree.Value:
    from sqlglot import exp

    inner = node.this
    if type(inner) is exp.Literal and not inner.args["is_string"]:
        return reader.number(inner, negative=True)
    operand = reader.value(inner)
    return cast("tree.Value", reader.around(tree.Negative(operand), operand))


def _paren(reader: Reader, node: exp.Expression) -> tree.Value:
    return reader.value(node.this)


def _binary(
    make: Callable[[tree.Value, tree.Value], tree.Value],
) -> Callable[[Reader, exp.Expression], tree.Value]:
    def build(reader: Reader, node: exp.Expression) -> tree.Value:
        left = reader.value(node.this)
        right = reader.value(node.args["expression"])
        return cast("tree.Value", reader.around(make(left, right), left, right))

    return build


def _compare(test: str) -> Callable[[Reader, exp.Expression], tree.Value]:
    return _binary(lambda left, right: tree.Compare(cast("tree.Comparison", test), left, right))


def _arithmetic(sign: str) -> Callable[[Reader, exp.Expression], tree.Value]:
    return _binary(lambda left, right: tree.Arithmetic(cast("tree.Sign", sign), left, right))


def _not(reader: Reader, node: exp.Expression) -> tree.Value:
    inner = reader.value(node.this)
    return cast("tree.Value", reader.around(tree.Not(inner), inner))


def _between(reader: Reader, node: exp.Expression) -> tree.Value:
    parts = [reader.value(node.args[name]) for name in ("this", "low", "high")]
    return cast("tree.Value", reader.around(tree.Between(*parts), *parts))


def _in(reader: Reader, node: exp.Expression) -> tree.Value:
    operand = reader.value(node.this)
    listed = node.expressions
    if len(listed) > MOST_LISTED:
        raise reader.words.wrong(
            f"a list of more than {MOST_LISTED:,} values", reader.words.words[reader.at - 1],
            "mark these customers at their source, and ask for the mark",
        )  # fmt: skip
    values = tuple(reader.value(one) for one in listed)
    return cast("tree.Value", reader.around(tree.In(operand, values), operand, *values))


def _like(*, any_case: bool) -> Callable[[Reader, exp.Expression], tree.Value]:
    def build(reader: Reader, node: exp.Expression) -> tree.Value:
        from sqlglot import exp

        operand = reader.value(node.this)
        pattern = node.args["expression"]
        if type(pattern) is not exp.Literal or not pattern.args["is_string"]:
            raise reader.refused(pattern)
        text = reader.text_of(pattern)
        found = reader.around(tree.Like(operand, text.value, any_case), operand, text)
        return cast("tree.Value", reader.around(tree.Not(found), found) if node.args.get("negate") else found)

    return build


def _is(reader: Reader, node: exp.Expression) -> tree.Value:
    operand = reader.value(node.this)
    of = reader.value(node.args["expression"])
    match of:
        case tree.Null():
            return cast("tree.Value", reader.around(tree.Is(operand, "null"), operand, of))
        case tree.Truth(value):
            return cast(
                "tree.Value", reader.around(tree.Is(operand, "true" if value else "false"), operand, of)
            )
    start, stop = reader.places[id(of)]
    raise BadCondition(
        "'is' is for null, true and false", reader.text, start, stop, hint="write = for values"
    )


def _truth(reader: Reader, node: exp.Expression) -> tree.Value:
    start, stop = reader.word(node, "true", "false")
    return cast("tree.Value", reader.place(tree.Truth(bool(node.this)), start, stop))


def _null(reader: Reader, node: exp.Expression) -> tree.Value:
    start, stop = reader.word(node, "null")
    return cast("tree.Value", reader.place(tree.Null(), start, stop))


def _interval(reader: Reader, node: exp.Expression) -> tree.Value:
    start, _ = reader.word(node, "interval")
    stop = reader.words.words[min(reader.at, len(reader.words.words) - 1)].stop
    amount, unit = str(node.this.this), str(node.args["unit"].this if node.args.get("unit") else "")
    unit = unit.lower().removesuffix("s")
    if type(node.this.this) is not str or not _WHOLE.fullmatch(amount) or unit not in get_args(tree.Unit):
        raise BadCondition(
            "a length of time that cannot be read", reader.text, start, stop,
            hint="write a whole number and one unit of minutes, hours, days, weeks, months, years: interval '30 days'",
        )  # fmt: skip
    if int(amount) * functions.DAYS_OF[unit] > functions.MOST_DAYS:
        raise BadCondition(
            "a length of time beyond all bounds",
            reader.text,
            start,
            stop,
            hint="at most 100 years are possible",
        )
    return cast("tree.Value", reader.place(tree.Span(int(amount), cast("tree.Unit", unit)), start, stop))


def _cast(reader: Reader, node: exp.Expression) -> tree.Value:
    kind = node.args["to"].this.name
    start, _ = reader.word(node, "date", "timestamp", "timestamptz")
    word = reader.words.words[min(reader.at, len(reader.words.words) - 1)]
    if kind not in ("DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ") or word.kind != "text":
        raise BadCondition(
            "a change of type is not part of the language of conditions", reader.text, start, word.stop,
            hint="write date '2024-01-31' or timestamp '2024-01-31 10:00:00'",
        )  # fmt: skip
    reader.at += 1
    written = word.raw[1:-1]
    try:
        if kind == "DATE":
            if not _DAY.fullmatch(written) or date.fromisoformat(written).year not in YEARS:
                raise ValueError
            return cast("tree.Value", reader.place(tree.Day(written), start, word.stop))
        at = datetime.fromisoformat(written)
        if at.year not in YEARS:
            raise ValueError
        found = tree.Time(micros(at if at.tzinfo else at.replace(tzinfo=UTC)))
    except (ValueError, OverflowError):
        raise BadCondition(
            "a day or an instant that cannot be read", reader.text, word.start, word.stop,
            hint="write date '2024-01-31' or timestamp '2024-01-31 10:00:00+00:00'; without a zone it is UTC",
        ) from None  # fmt: skip
    return cast("tree.Value", reader.place(found, start, word.stop))


_Rule = tuple[Callable[[Reader, Any], tree.Value], frozenset[str]]


@cache
def _rules() -> dict[type, _Rule]:
    """The nodes of sqlglot that are in the language, with the parts that they may have."""
    from sqlglot import exp

    two = frozenset({"this", "expression"})
    compared = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
    computed = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
    rules: dict[type, _Rule] = {kind: (_compare(test), two) for kind, test in compared.items()}
    rules |= {kind: (_arithmetic(sign), two) for kind, sign in computed.items()}
    one = frozenset({"this"})
    return rules | {
        exp.Column: (_column, one),
        exp.Literal: (_literal, frozenset({"this", "is_string"})),
        exp.Neg: (_negative, one),
        exp.Paren: (_paren, one),
        exp.Not: (_not, one),
        exp.Between: (_between, frozenset({"this", "low", "high"})),
        exp.In: (_in, frozenset({"this", "expressions"})),
        exp.Like: (_like(any_case=False), two | {"negate"}),
        exp.ILike: (_like(any_case=True), two | {"negate"}),
        exp.Is: (_is, two),
        exp.Boolean: (_truth, one),
        exp.Null: (_null, frozenset()),
        exp.Interval: (_interval, frozenset({"this", "unit"})),
        exp.Cast: (_cast, frozenset({"this", "to"})),
        exp.Anonymous: (call, frozenset({"this", "expressions"})),
        exp.And: (lambda reader, node: reader.joined(node, tree.AllOf), two),
        exp.Or: (lambda reader, node: reader.joined(node, tree.AnyOf), two),
    }
