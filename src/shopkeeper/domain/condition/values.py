"""Values of a compiled condition: literals, moments, traits, arithmetic, functions, what the customer did.

Nothing of a user's text is ever evaluated: these are closures made from the tree's nodes, with constants bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from math import isfinite, trunc
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.domain.clock import DAY, micros
from shopkeeper.domain.condition import tree
from shopkeeper.domain.condition.kinds import KIND_OF, Kind
from shopkeeper.domain.condition.part import STILL, Facts, Part, Valued, drifting, either
from shopkeeper.domain.condition.texts import lower
from shopkeeper.domain.condition.window import FIXED
from shopkeeper.domain.condition.zone import LAST_DAY, Zone, first_of, moved, next_of, number_of
from shopkeeper.domain.traits import Trait

if TYPE_CHECKING:
    from shopkeeper.domain.condition.terms import Term

_MONTH_SLACK: Final = 4
"""Days by which so many months are longer or shorter than elsewhere in the year."""
_DAY_SLACK: Final = 2


def constant(value: Any) -> Valued:
    """The same always."""
    return lambda _, __: value


class Values:
    """Compiles values. ``terms`` are those of the condition, by key."""

    def __init__(self, traits: Mapping[str, Trait], terms: Mapping[tree.Behaviour, Term], zone: Zone) -> None:
        self.traits = traits
        self.terms = terms
        self.zone = zone
        self.condition: Callable[[tree.Value], Part] = self.value
        """Compiles a condition where one stands for a value."""

    def value(self, node: tree.Value) -> Part:
        """A node of a condition's meaning."""
        match node:
            case tree.Number(value):
                return Part("number", constant(value))
            case tree.Text(value):
                return Part("text", constant(value))
            case tree.Day(value):
                return Part("day", constant(number_of(date.fromisoformat(value))))
            case tree.Time(value):
                return Part("time", constant(value))
            case tree.Span(amount, unit):
                return Part("span", constant(amount * FIXED.get(unit, 0)))
            case tree.Now():
                return Part("time", lambda _, now: now, None, 1)
            case tree.Today(period):
                return self._today(period)
            case tree.TraitRef(name):
                return _trait(self.traits[name])
            case tree.Arithmetic():
                return self._arithmetic(node)
            case tree.Call() if node.function not in _CONDITIONS:
                return self._call(node)
            case tree.Behaviour():
                return _did(self.terms[node])
        return self._more(node)

    def _more(self, node: tree.Value) -> Part:
        match node:
            case tree.Negative(operand):
                inner = self.value(operand)
                drift = None if inner.drift is None else (-inner.drift[0], inner.drift[1])
                get = inner.value
                return Part(
                    "number",
                    lambda facts, now: None if (v := get(facts, now)) is None else -v,
                    inner.step,
                    0,
                    drift,
                )
            case tree.Null():
                return Part("null", constant(None))
        return self.condition(node)

    def _today(self, period: tree.Period) -> Part:
        day, start = self.zone.day, self.zone.start

        def following(_: Facts, now: int) -> int | None:
            today = day(now)
            return None if today > LAST_DAY else start(next_of(today, period))

        if period == "day":
            return Part("day", lambda _, now: day(now), following, 0, (1, 0))
        return Part("day", lambda _, now: first_of(day(now), period), following, 0, None)

    def _arithmetic(self, node: tree.Arithmetic) -> Part:
        a = self.value(node.left)
        if a.kind == "day" and isinstance(node.right, tree.Span):
            return _moved_day(a, node.right, node.sign)
        b = self.value(node.right)
        sign = -1 if node.sign == "-" else 1
        left, right = a.value, b.value
        if a.kind in ("day", "time"):
            kind: Kind = "number" if a.kind == b.kind == "day" else "span" if b.kind == "time" else "time"

            def move(facts: Facts, now: int) -> Any:
                x, y = left(facts, now), right(facts, now)
                return None if x is None or y is None else x + sign * y

            drift = drifting(a, b, -1) if kind == "number" else STILL
            return Part(kind, move, either(a, b), a.slope + sign * b.slope, drift)
        still = a.drift == b.drift == STILL
        drift = drifting(a, b, sign) if node.sign in "+-" else STILL if still else None
        return Part("number", _computed(node.sign, left, right), either(a, b), 0, drift)

    def _call(self, node: tree.Call) -> Part:
        parts = [self.value(argument) for argument in node.arguments]
        if node.function == "day":
            return _day_of(parts[0], self.zone)
        step = either(*parts)
        drift = STILL if all(part.drift == STILL for part in parts) else None
        kind, compute = _COMPUTED[node.function](parts, node)
        return Part(kind or parts[0].kind, compute, step, 0, drift)


_CONDITIONS: Final = frozenset({"contains", "starts_with", "ends_with", "has", "has_any", "has_all"})


def _trait(trait: Trait) -> Part:
    name = trait.name
    kind = "day" if trait.day else KIND_OF[trait.kind]
    read: Valued
    if kind == "number":

        def read(facts: Facts, _: int) -> Any:
            value = facts.trait(name)
            return None if value is None or value - value != 0 else value

    elif kind == "text":
        read = lambda facts, _: facts.trait(name) or None  # noqa: E731 - one of four
    elif kind in ("time", "day"):
        unit = DAY if kind == "day" else 1

        def read(facts: Facts, _: int) -> Any:
            value = facts.trait(name)
            return None if value is None else instant_of(value) // unit

    else:
        read = lambda facts, _: facts.trait(name)  # noqa: E731 - one of four
    return Part(kind, read)


def instant_of(value: int | datetime | str) -> int:
    """An instant in microseconds, however a trait gives it.

    >>> instant_of("1970-01-02T00:00:00Z") == instant_of(86_400_000_000)
    True
    """
    if isinstance(value, int):
        return value
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return micros(at if at.tzinfo else at.replace(tzinfo=UTC))


def _did(term: Term) -> Part:
    key, value, following = term.key, term.value, term.next_change
    kind: Kind = "time" if term.deed in ("first", "last") else "number"
    return Part(
        kind,
        lambda facts, now: value(facts.state(key), now),
        lambda facts, now: following(facts.state(key), now),
        0,
        None,
    )


def _moved_day(a: Part, span: tree.Span, sign: tree.Sign) -> Part:
    amount = span.amount if sign == "+" else -span.amount
    get, unit = a.value, span.unit
    drift = a.drift
    if unit in ("month", "year") and drift is not None and drift[0]:
        drift = (drift[0], drift[1] + _MONTH_SLACK)

    def move(facts: Facts, now: int) -> int | None:
        day = get(facts, now)
        return None if day is None else moved(day, amount, unit)

    return Part("day", move, a.step, 0, drift)


def _day_of(part: Part, zone: Zone) -> Part:
    """The day of an instant; where the instant moves with the clock, it steps at midnights."""
    get, jump, slope = part.value, part.step, part.slope

    def day(facts: Facts, now: int) -> Any:
        at = get(facts, now)
        return None if at is None else zone.day(at)

    if not slope:
        return Part("day", day, jump, 0, part.drift)

    def step(facts: Facts, now: int) -> int | None:
        at = get(facts, now)
        later = None if jump is None else jump(facts, now)
        if at is None:
            return later
        day = zone.day(at)
        far = zone.start(day + 1) - at if slope > 0 else at - zone.start(day) + 1
        midnight: int = now - (-far // abs(slope))
        return midnight if later is None else min(later, midnight)

    return Part("day", day, step, 0, (1, _DAY_SLACK) if slope == 1 and jump is None else None)


def _computed(sign: str, left: Valued, right: Valued) -> Valued:
    def compute(facts: Facts, now: int) -> float | None:
        x, y = left(facts, now), right(facts, now)
        if x is None or y is None:
            return None
        x, y = float(x), float(y)
        if sign == "+":
            found = x + y
        elif sign == "-":
            found = x - y
        elif sign == "*":
            found = x * y
        elif y == 0:
            return None
        else:
            found = x / y
        return found if isfinite(found) else None

    return compute


def rounded(value: float, digits: int) -> float:
    """A number rounded, halves away from zero, in the steps in which engines take them.

    >>> rounded(2.5, 0), rounded(-0.125, 2), rounded(1.005, 2)
    (3.0, -0.13, 1.0)
    """
    scale = 10.0**digits
    scaled = value * scale
    if not isfinite(scaled):
        return value
    whole = float(trunc(scaled))
    if abs(scaled - whole) >= 0.5:
        whole += 1.0 if scaled > 0 else -1.0
    return whole / scale


def _round(parts: list[Part], node: tree.Call) -> tuple[Any, Valued]:
    get = parts[0].value
    digits = int(node.arguments[1].value) if len(node.arguments) > 1 else 0  # type: ignore[union-attr]
    return "number", lambda f, now: None if (v := get(f, now)) is None else rounded(float(v), digits)


def _abs(parts: list[Part], _: tree.Call) -> tuple[Any, Valued]:
    get = parts[0].value
    return "number", lambda f, now: None if (v := get(f, now)) is None else abs(v)


def _lower(parts: list[Part], _: tree.Call) -> tuple[Any, Valued]:
    get = parts[0].value
    return "text", lambda f, now: None if (v := get(f, now)) is None else lower(v)


def _size(parts: list[Part], _: tree.Call) -> tuple[Any, Valued]:
    get = parts[0].value
    return "number", lambda f, now: None if (v := get(f, now)) is None else len(v)


def _coalesce(parts: list[Part], _: tree.Call) -> tuple[Any, Valued]:
    gets = [part.value for part in parts]

    def first(facts: Facts, now: int) -> Any:
        for get in gets:
            if (value := get(facts, now)) is not None:
                return value
        return None

    return None, first


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[[list[Part], tree.Call], tuple[Any, Valued]]:
    def make(parts: list[Part], _: tree.Call) -> tuple[Any, Valued]:
        gets = [part.value for part in parts]

        def extreme(facts: Facts, now: int) -> Any:
            known = [value for get in gets if (value := get(facts, now)) is not None]
            return choose(known) if known else None

        return None, extreme

    return make


_COMPUTED: Final[dict[str, Callable[[list[Part], tree.Call], tuple[Any, Valued]]]] = {
    "round": _round,
    "abs": _abs,
    "lower": _lower,
    "size": _size,
    "coalesce": _coalesce,
    "least": _extreme(min),
    "greatest": _extreme(max),
}
