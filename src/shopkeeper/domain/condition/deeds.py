"""From text to tree, within ``events(...)``, ``orders(...)`` and the like: names, filters, window, what followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from shopkeeper.domain.condition import functions, tree
from shopkeeper.domain.errors import BadCondition, UnknownName

if TYPE_CHECKING:
    from sqlglot import exp

    from shopkeeper.domain.condition.parse import Reader

MOST_NAMES: Final = 10
MOST_VALUES: Final = 200
_HOURS: Final = 24


class _Told:
    """What the arguments told so far."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.filters: list[tree.Filter] = []
        self.window: dict[str, Any] = {}
        self.then: dict[str, Any] = {}


def behaviour(reader: Reader, deed: str, arguments: Sequence[exp.Expression]) -> tree.Behaviour:
    """A behaviour function from its arguments. Raises BadCondition."""
    from sqlglot import exp

    told = _Told()
    head = reader.words.words[reader.at - 2]
    for argument in arguments:
        if type(argument) is exp.Kwarg:
            _named(reader, deed, argument, told)
        elif (name := _name(reader, argument)) is not None:
            if deed in ("orders", "spend"):
                raise _wrong(
                    reader, f"{deed}(...) takes no event's name", "leave it out; filter with channel => 'web'"
                )
            told.names.append(name)
        else:
            told.filters.append(_tested(reader, deed, argument))
    if deed not in ("orders", "spend") and not 1 <= len(told.names) <= MOST_NAMES:
        raise reader.words.wrong(
            f"{deed}(...) needs the name of an event",
            head,
            f"up to {MOST_NAMES}: {deed}('Product Viewed', days => 14)",
        )
    return tree.Behaviour(
        cast("tree.Deed", deed),
        tuple(told.names),
        tuple(told.filters),
        _window(reader, head, told),
        _then(reader, head, told),
    )


def _wrong(reader: Reader, what: str, hint: str = "", nearest: str | None = None) -> BadCondition:
    """The error that points at the word read last."""
    word = reader.words.words[max(0, reader.at - 1)]
    return BadCondition(what, reader.text, word.start, word.stop, hint=hint, nearest=nearest)


def _name(reader: Reader, node: exp.Expression) -> str | None:
    """An event's name: a text, or ``custom('...')``; None for anything else."""
    from sqlglot import exp

    from shopkeeper.domain.event import EVENTS

    if type(node) is exp.Literal and node.args["is_string"]:
        name = reader.text_of(node).value
        _declared(reader, name)
        return name
    if type(node) is exp.Anonymous and str(node.this).lower() == functions.CUSTOM.name:
        reader.called(node)
        if len(node.expressions) != 1 or not _is_text(node.expressions[0]):
            raise _wrong(reader, "custom(...) takes one text", "the name under which the event was sent")
        name = reader.text_of(node.expressions[0]).value
        if name in EVENTS:
            raise _wrong(reader, f"{name!r} is a declared event", f"write '{name}' without custom(...)")
        return name
    return None


def _is_text(node: exp.Expression) -> bool:
    from sqlglot import exp

    return type(node) is exp.Literal and bool(node.args["is_string"])


def _declared(reader: Reader, name: str) -> None:
    """An event's name must be a declared one, in its own spelling."""
    import shopkeeper.domain.events  # noqa: F401 - fills EVENTS
    from shopkeeper.domain.event import EVENTS, canonical_name

    if name in EVENTS:
        return
    canonical = canonical_name(name)
    if canonical in EVENTS:
        raise _wrong(reader, f"unknown event {name!r}", f"here it is called '{canonical}'", canonical)
    folded = {known.lower(): known for known in EVENTS}
    near = UnknownName("event", name, folded)
    nearest = folded.get(near.nearest or "")
    guess = f"did you mean '{nearest}'? " if nearest else ""
    hint = f"{guess}An event that nobody declared is written custom('...'); the reference of events lists the others"
    raise _wrong(reader, near.message, hint, nearest)


def _named(reader: Reader, deed: str, argument: exp.Expression, told: _Told) -> None:
    """An argument with its name: ``category => 'Lighting'``, ``days => 14``."""
    name = str(argument.this.this).lower()
    reader.word(argument.this, name)
    value = argument.args["expression"]
    following = functions.THEN if deed == "events" else {}
    if name in functions.WINDOW or name in following:
        into = told.window if name in functions.WINDOW else told.then
        if name in into:
            raise _wrong(reader, f"{name} is given twice")
        if name in ("since", "before"):
            into[name] = reader.value(value)
        elif name in ("then", "then_not"):
            into[name] = _following(reader, value)
        else:
            into[name] = _whole(reader, name, value)
        return
    _known(reader, deed, name, (*functions.WINDOW, *following))
    told.filters.append(_equal(reader, name, value))


def _known(reader: Reader, deed: str, name: str, others: Sequence[str] = ()) -> None:
    facts = [fact.name for fact in functions.FACTS.values() if deed in fact.deeds]
    if name in facts:
        return
    if name in functions.FACTS:
        raise _wrong(reader, f"{deed}(...) cannot be filtered by {name}", f"possible: {', '.join(facts)}")
    near = UnknownName(f"filter of {deed}(...)", name, [*facts, *others])
    raise _wrong(reader, near.message, near.hint, near.nearest)


def _scalar(reader: Reader, node: exp.Expression) -> tree.Scalar:
    found = reader.value(node)
    if isinstance(found, tree.Text | tree.Number | tree.Truth):
        return found.value
    start, stop = reader.places.get(id(found), (0, len(reader.text)))
    raise BadCondition(
        "a filter compares with a text, a number, true or false", reader.text, start, stop,
        hint="what the customer's traits say stands outside of the parentheses",
    )  # fmt: skip


def _equal(reader: Reader, name: str, value: exp.Expression) -> tree.Filter:
    """``category => 'Lighting'`` or ``category => ('Lighting', 'Garden')``."""
    from sqlglot import exp

    start = reader.words.words[reader.at - 1].start
    if type(value) is exp.Tuple or type(value) is exp.Paren:
        listed = value.expressions if type(value) is exp.Tuple else [value.this]
        found = tree.Filter(name, "in", _values(reader, listed))
    else:
        found = tree.Filter(name, "=", (_scalar(reader, value),))
    return cast("tree.Filter", reader.place(found, start, reader.words.words[reader.at - 1].stop))


def _values(reader: Reader, listed: Sequence[exp.Expression]) -> tuple[tree.Scalar, ...]:
    if len(listed) > MOST_VALUES:
        raise _wrong(reader, f"a list of more than {MOST_VALUES} values")
    return tuple(_scalar(reader, one) for one in listed)


def _tested(reader: Reader, deed: str, node: exp.Expression) -> tree.Filter:
    """``amount >= 50``, ``category in ('Lighting')``, ``category not in (...)``."""
    from sqlglot import exp

    tests: dict[type, tree.Test] = {
        exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.In: "in",
    }  # fmt: skip
    inner = node.this if type(node) is exp.Not and type(node.this) is exp.In else node
    test = tests.get(type(inner))
    if (
        test is None
        or type(inner.this) is not exp.Column
        or set(inner.this.args) - {"this"} - _empty(inner.this)
    ):
        raise (
            reader.refused(node)
            if test is None
            else _wrong(
                reader,
                "a filter begins with the name of a fact",
                "such as amount >= 50 or category => 'Lighting'",
            )
        )
    start, _ = reader.word(inner.this.this)
    name = inner.this.name.lower()
    _known(reader, deed, name)
    if type(inner) is exp.In:
        if inner.args.get("query") or inner.args.get("field") or inner.args.get("unnest"):
            raise reader.refused(inner)
        found = tree.Filter(name, "in" if inner is node else "not in", _values(reader, inner.expressions))
    else:
        found = tree.Filter(name, test, (_scalar(reader, inner.args["expression"]),))
    return cast("tree.Filter", reader.place(found, start, reader.words.words[reader.at - 1].stop))


def _empty(node: exp.Expression) -> set[str]:
    return {name for name, given in node.args.items() if not given}


def _following(reader: Reader, node: exp.Expression) -> tuple[str, tuple[tree.Filter, ...]]:
    """``'B'``, ``custom('B')`` or ``event('B', category => 'Lighting')``."""
    from sqlglot import exp

    if (name := _name(reader, node)) is not None:
        return name, ()
    if type(node) is not exp.Anonymous or str(node.this).lower() != functions.EVENT.name:
        raise _wrong(
            reader,
            "an event is expected after '=>'",
            "such as 'Order Completed' or event('Order Completed', store => 'S1')",
        )
    reader.called(node)
    arguments = node.expressions
    name = _name(reader, arguments[0]) if arguments else None
    if name is None:
        raise _wrong(reader, "event(...) begins with the name of an event")
    filters: list[tree.Filter] = []
    for argument in arguments[1:]:
        if type(argument) is exp.Kwarg:
            fact = str(argument.this.this).lower()
            reader.word(argument.this, fact)
            _known(reader, "events", fact)
            filters.append(_equal(reader, fact, argument.args["expression"]))
        else:
            filters.append(_tested(reader, "events", argument))
    return name, tuple(filters)


def _whole(reader: Reader, name: str, node: exp.Expression) -> int:
    found = reader.value(node)
    most = functions.MOST_DAYS * (_HOURS if "hours" in name else 1)
    if isinstance(found, tree.Number) and isinstance(found.value, int) and 1 <= found.value <= most:
        return found.value
    start, stop = reader.places.get(id(found), (0, len(reader.text)))
    raise BadCondition(f"{name} is a whole number from 1 to {most:,}", reader.text, start, stop)


def _window(reader: Reader, head: Any, told: _Told) -> tree.Window:
    window = told.window
    if len(window) > 1 and set(window) != {"since", "before"}:
        raise reader.words.wrong(
            f"{' and '.join(window)} together", head, "give days or hours alone, or since and before"
        )
    return tree.Window(**window)


def _then(reader: Reader, head: Any, told: _Told) -> tree.Then | None:
    then = told.then
    if not then:
        return None
    ways = [name for name in ("then", "then_not") if name in then]
    times = [name for name in ("within_days", "within_hours") if name in then]
    if len(ways) != 1 or len(times) != 1:
        raise reader.words.wrong(
            "what came after needs one event and one time", head,
            "such as then_not => 'Order Completed', within_days => 3",
        )  # fmt: skip
    name, filters = then[ways[0]]
    return tree.Then(name, filters, ways[0] == "then_not", then.get("within_days"), then.get("within_hours"))
