"""Whether a tree means something for the declared traits, and its meaning spelled out.

The *meaning* is a tree again, with nothing left unsaid, which the evaluators read:

- a bare count where a yes or no is wanted is ``count > 0``;
- an instant compared with a day is ``day(instant)``: what happens to be written as a day is meant as a day, in the
  shop's zone;
- a trait that time changes is its formula;
- events made by machines are left out by a filter, unless the condition asks for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct, structs

from shopkeeper.domain.condition import functions, tree
from shopkeeper.domain.condition.asked import filters_of, window_of
from shopkeeper.domain.condition.kinds import KIND_OF, WORDS, Kind, Typed
from shopkeeper.domain.condition.parse import Parsed, parse
from shopkeeper.domain.condition.signatures import call
from shopkeeper.domain.condition.sql import sql
from shopkeeper.domain.condition.tree import Behaviour, Value
from shopkeeper.domain.errors import BadCondition, UnknownName
from shopkeeper.domain.traits import Trait

_ORDERED: Final = frozenset({"number", "day", "time", "span"})
_COUNTS: Final = frozenset({"events", "orders"})
_FIXED: Final = frozenset({"minute", "hour", "day", "week"})
MOST_BEHAVIOURS: Final = 100
"""Different behaviours of one condition: each is counted for everybody."""
MOST_FOLLOWED: Final = 10
"""How many of them may ask what came after: each sorts everybody's events."""
_LONGEST_PATTERN: Final = 100
_MOST_PARTS: Final = 10
_LITERALS: Final[dict[type, Kind]] = {
    tree.Number: "number",
    tree.Text: "text",
    tree.Truth: "bool",
    tree.Null: "null",
    tree.Day: "day",
    tree.Today: "day",
    tree.Time: "time",
    tree.Now: "time",
}


class Condition(Struct, frozen=True):
    """A condition that was understood. ``text`` is its one way of being written."""

    tree: Value
    text: str
    meaning: Value
    traits: frozenset[str]
    """Traits that the answer depends on, formulas taken apart."""
    behaviours: tuple[Behaviour, ...]
    """What must be known of the customer's events, each once, in the order of the meaning."""
    segments: frozenset[str]

    @property
    def timed(self) -> bool:
        """Whether time alone may change the answer."""
        return any(
            isinstance(node, tree.Now | tree.Today | tree.Behaviour) for node in tree.walk(self.meaning)
        )


def check(
    condition: str | Parsed | tree.Value,
    traits: Mapping[str, Trait] | Iterable[Trait],
    segments: Collection[str] | None = None,
) -> Condition:
    """What a text or a tree means. ``segments`` are the names there are; any name will do where none are given.

    Raises BadCondition, which points at the place; of a tree, in its text.

    >>> orders = Trait(name="orders", kind="int", label="Orders", sentence="Orders placed.")
    >>> check("orders>1 AND events('Store Visited')", [orders]).text
    "orders > 1 and events('Store Visited')"
    """
    if not isinstance(condition, str | Parsed):
        condition = sql(condition)
    parsed = parse(condition) if isinstance(condition, str) else condition
    known = traits if isinstance(traits, Mapping) else {trait.name: trait for trait in traits}
    meaning = Checker(parsed, known, segments).condition(parsed.tree)
    nodes = list(tree.walk(meaning))
    behaviours = tuple(dict.fromkeys(node for node in nodes if isinstance(node, tree.Behaviour)))
    _not_too_dear(parsed, behaviours)
    return Condition(
        parsed.tree,
        sql(parsed.tree),
        meaning,
        frozenset(node.name for node in nodes if isinstance(node, tree.TraitRef)),
        behaviours,
        frozenset(node.name for node in nodes if isinstance(node, tree.Segment)),
    )


def _not_too_dear(parsed: Parsed, behaviours: tuple[Behaviour, ...]) -> None:
    followed = sum(one.then is not None for one in behaviours)
    for found, most, what in (
        (len(behaviours), MOST_BEHAVIOURS, "different behaviours"),
        (followed, MOST_FOLLOWED, "behaviours with 'then' or 'then_not'"),
    ):
        if found > most:
            raise parsed.wrong(
                f"{found} {what}; {most} are possible",
                parsed.tree,
                "ask for several values at once, such as category in ('Lighting', 'Garden')",
            )


class Checker:
    """One walk over a tree: kinds from below, meaning to above."""

    def __init__(self, parsed: Parsed, traits: Mapping[str, Trait], segments: Collection[str] | None) -> None:
        self.parsed = parsed
        self.traits = traits
        self.segments = segments

    def wrong(self, what: str, node: object, hint: str = "", nearest: str | None = None) -> BadCondition:
        """The error that points at a node."""
        return self.parsed.wrong(what, node, hint, nearest)

    def condition(self, node: tree.Value) -> tree.Value:
        """A node where a yes or no is wanted."""
        found = self.value(node)
        if found.kind == "bool":
            return found.node
        if isinstance(node, tree.Behaviour) and node.deed in _COUNTS:
            return tree.Compare(">", found.node, tree.Number(0))
        hint = "compare it: orders >= 2"
        if found.kind in ("time", "day"):
            hint = "ask whether there is one: is not null"
        raise self.wrong(f"{WORDS[found.kind]} where a yes or no is expected", node, hint)

    def value(self, node: tree.Value) -> Typed:
        """Any node: its kind and meaning."""
        plain = _LITERALS.get(type(node))
        if plain is not None:
            return Typed(plain, node)
        match node:
            case tree.Span(_, unit):
                return Typed("span" if unit in _FIXED else "months", node)
            case tree.TraitRef():
                return self._trait(node)
            case tree.Arithmetic():
                return self._arithmetic(node)
            case tree.Negative(operand):
                return Typed("number", tree.Negative(self.of_kind(operand, "number").node))
            case tree.Call():
                return call(self, node)
            case tree.Behaviour():
                return self._behaviour(node)
            case _:
                return Typed("bool", self._truth(node))

    def of_kind(self, node: tree.Value, kind: Kind) -> Typed:
        """A node that must be of a kind."""
        found = self.value(node)
        if found.kind != kind:
            raise self.wrong(
                f"{WORDS[found.kind]} where {WORDS[kind]} is expected", node, _instead(found, kind)
            )
        return found

    def _truth(self, node: tree.Value) -> tree.Value:
        match node:
            case tree.Compare():
                return self._compare(node)
            case tree.Between():
                return self._between(node)
            case tree.In():
                return self._in(node)
            case tree.Like():
                return self._like(node)
            case tree.Is():
                return self._is(node)
            case tree.Segment():
                return self._segment(node)
            case tree.Not(inner):
                return tree.Not(self.condition(inner))
            case tree.AllOf(parts):
                return tree.AllOf(tuple(self.condition(part) for part in parts))
            case tree.AnyOf(parts):
                return tree.AnyOf(tuple(self.condition(part) for part in parts))
        raise self.wrong("this is not a condition", node)  # pragma: no cover - every node is listed

    def _like(self, node: tree.Like) -> tree.Value:
        pattern = node.pattern
        if not pattern or len(pattern) > _LONGEST_PATTERN or pattern.count("%") > _MOST_PARTS:
            raise self.wrong(
                f"a pattern of 1 to {_LONGEST_PATTERN} characters with at most {_MOST_PARTS} % is expected",
                node,
            )
        return tree.Like(self.of_kind(node.operand, "text").node, pattern, node.any_case)

    def _is(self, node: tree.Is) -> tree.Value:
        if node.what != "null":
            return tree.Is(self.condition(node.operand), node.what)
        found = self.value(node.operand)
        if found.kind == "null":
            raise self.wrong("null is always null", node)
        return tree.Is(found.node, node.what)

    def _segment(self, node: tree.Segment) -> tree.Value:
        if self.segments is not None and node.name not in self.segments:
            near = UnknownName("segment", node.name, self.segments)
            raise self.wrong(near.message, node, near.hint, near.nearest)
        return node

    def _trait(self, node: tree.TraitRef) -> Typed:
        trait = self.traits.get(node.name)
        if trait is None:
            near = UnknownName("trait", node.name, self.traits)
            hint = near.hint
            if node.name in functions.NAMES:
                hint = f"{node.name}(...) is a function and wants its parentheses"
            raise self.wrong(near.message, node, hint, near.nearest)
        if trait.formula:
            inner = Checker(parse(trait.formula), self.traits, None)
            return structs.replace(inner.value(inner.parsed.tree), trait=trait)
        return Typed("day" if trait.day else KIND_OF[trait.kind], node, trait)

    def _behaviour(self, node: tree.Behaviour) -> Typed:
        then = node.then
        if then is not None:
            then = structs.replace(then, filters=filters_of(self, (then.name,), then.filters))
        filters = filters_of(self, node.names, node.filters)
        meaning = structs.replace(node, filters=filters, window=window_of(self, node), then=then)
        return Typed("time" if node.deed in ("first", "last") else "number", meaning)

    def alike(self, left: tree.Value, right: tree.Value) -> tuple[Typed, Typed]:
        """Two sides of a comparison, brought to one kind."""
        a, b = self.value(left), self.value(right)
        for side, node in ((a, left), (b, right)):
            if side.kind == "null":
                raise self.wrong("a comparison with null is never true", node, "write is null or is not null")
            if side.kind in ("texts", "months"):
                hint = "use has(list, 'text') or size(list)" if side.kind == "texts" else _MONTHS
                raise self.wrong(f"{WORDS[side.kind]} cannot be compared", node, hint)
        if {a.kind, b.kind} == {"day", "time"}:
            return a.as_day(), b.as_day()
        if a.kind != b.kind:
            culprit, other = (right, a) if not _literal(left) or _literal(right) else (left, b)
            said = self.value(culprit)
            raise self.wrong(
                f"{WORDS[said.kind]} compared with {WORDS[other.kind]}",
                culprit,
                _instead(said, other.kind, other.trait),
            )
        self._fits(a, b, right)
        self._fits(b, a, left)
        return a, b

    def _fits(self, side: Typed, other: Typed, node: tree.Value) -> None:
        """A literal beside a trait must be one of the values that the trait may have."""
        match other.node:
            case tree.Text(""):
                raise self.wrong("an empty text is the same as nothing known", node, "write is null")
            case tree.Text(value) if side.trait and side.trait.values and value not in side.trait.values:
                near = UnknownName(f"value of {side.trait.name}", value, side.trait.values)
                raise self.wrong(near.message, node, near.hint, near.nearest)
            case tree.Number(value) if side.trait and side.trait.bounds:
                low, high = side.trait.bounds
                if not low <= value <= high:
                    raise self.wrong(
                        f"{side.trait.name} lies between {low:g} and {high:g}", node,
                        f"write {value / 100:g} for {value:g} %" if high == 1 and low <= value / 100 <= high else "",
                    )  # fmt: skip

    def _compare(self, node: tree.Compare) -> tree.Value:
        a, b = self.alike(node.left, node.right)
        if a.kind not in _ORDERED and node.test not in ("=", "<>"):
            raise self.wrong(f"{WORDS[a.kind]} has no order", node, "compare it with = or <>")
        return tree.Compare(node.test, a.node, b.node)

    def _between(self, node: tree.Between) -> tree.Value:
        low, bottom = self.alike(node.operand, node.low)
        high, top = self.alike(node.operand, node.high)
        if low.kind not in _ORDERED or low.kind != high.kind:
            raise self.wrong(f"{WORDS[low.kind]} has no order here", node, "write = or in (...)")
        match bottom.node, top.node:
            case (tree.Number(a), tree.Number(b)) | (tree.Time(a), tree.Time(b)) if a > b:
                raise self.wrong("nothing lies between these", node.low, "the lower end comes first")
            case (tree.Day(first), tree.Day(last)) if first > last:
                raise self.wrong("nothing lies between these", node.low, "the earlier day comes first")
        return tree.Between(low.node, bottom.node, top.node)

    def _in(self, node: tree.In) -> tree.Value:
        if not node.values:
            raise self.wrong("an empty list", node, "write at least one value")
        if (
            any(isinstance(inner, tree.Now) for inner in tree.walk(node))
            and self.value(node.operand).kind != "day"
        ):
            raise self.wrong("now() in a list is true for an instant only", node, "compare with < or >")
        given = [value for value in node.values if not isinstance(value, tree.Null)]
        pairs = [self.alike(node.operand, value) for value in given]
        operand = pairs[0][0] if pairs else self.value(node.operand)
        if any(pair[0].node != operand.node for pair in pairs):
            raise self.wrong("days and instants in one list", node, "write days only, or instants only")
        found = iter(pair[1].node for pair in pairs)
        values = tuple(value if isinstance(value, tree.Null) else next(found) for value in node.values)
        return tree.In(operand.node, values)

    def _arithmetic(self, node: tree.Arithmetic) -> Typed:
        a, b = self.value(node.left), self.value(node.right)
        meaning = tree.Arithmetic(node.sign, a.node, b.node)
        if b.kind in ("span", "months") and _days_moved(node) > functions.MOST_DAYS:
            # Beyond the calendar's years there is no day, and evaluators would each have their own nothing.
            raise self.wrong(
                "lengths of time beyond all bounds", node, "at most 100 years are possible, all together"
            )
        move = node.sign in ("+", "-")
        match a.kind, b.kind:
            case "number", "number":
                return Typed("number", meaning)
            case "day", "span" | "months" if move:
                if isinstance(b.node, tree.Span) and b.node.unit not in ("minute", "hour"):
                    return Typed("day", meaning)
                raise self.wrong("a day is moved by whole days", node.right, "write now() instead of today()")
            case "time", "span" if move:
                return Typed("time", meaning)
            case "time", "months" if move:
                raise self.wrong("months and years have no fixed length", node.right, _MONTHS)
            case "day", "day" if node.sign == "-":
                return Typed("number", meaning)
            case "time", "time" if node.sign == "-":
                return Typed("span", meaning)
            case "day" | "time", "number" if move:
                raise self.wrong(
                    f"{WORDS[a.kind]} is moved by a length of time", node.right, "write interval '30 days'"
                )
            case "day" | "time", "day" | "time" if node.sign == "-":
                raise self.wrong("a day and an instant", node, "write day(...) around the instant")
        bad, kind = (node.left, a.kind) if a.kind != "number" else (node.right, b.kind)
        raise self.wrong(
            f"{WORDS[a.kind]} {node.sign} {WORDS[b.kind]} means nothing", bad if kind != "number" else node
        )


_MONTHS: Final = (
    "days are moved by months: today() - interval '3 months'; instants by days: now() - interval '90 days'"
)


def _days_moved(node: tree.Value) -> float:
    """How many days lengths of time move a day or an instant, whichever way."""
    match node:
        case tree.Span(amount, unit):
            return amount * functions.DAYS_OF[unit]
        case tree.Arithmetic(_, left, right):
            return _days_moved(left) + _days_moved(right)
        case tree.Call(_, arguments):
            return max(map(_days_moved, arguments), default=0)
    return 0


def _literal(node: tree.Value) -> bool:
    return isinstance(node, tree.Number | tree.Text | tree.Truth | tree.Day | tree.Time | tree.Span)


def _instead(given: Typed, wanted: Kind, beside: Trait | None = None) -> str:
    """What to write instead."""
    about = f"{beside.name} is {WORDS[wanted]}; " if beside else ""
    match given.kind, wanted:
        case "text", "day" | "time":
            return f"{about}write date '2024-01-31'"
        case "text", "number":
            return f"{about}numbers stand without quotes"
        case "number", "text":
            return f"{about}texts stand in single quotes"
        case "number", "span":
            return f"{about}write interval '30 days'"
        case "text", "bool":
            return f"{about}write true or false"
    return about.removesuffix("; ")
