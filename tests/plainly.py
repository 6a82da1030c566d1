"""A condition asked of one customer the slow and plain way, from lists of events: a third voice beside the two.

Written from the language's description alone. It shares no code with the closures or the SQL but the tree.
"""

from __future__ import annotations

import operator
import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor, isfinite
from zoneinfo import ZoneInfo

from shopkeeper.domain.condition import tree as t

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000, "week": 604_800_000_000}
TESTS = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
LINED = {"Order Completed", "Order Updated", "Order Refunded", "Order Lines Added"}


class Plainly:
    """Asks at an instant, in a shop: zone, currency with its exponent, rates (currency, day, rate), categories."""

    def __init__(self, now, *, zone, currency, digits, rates, categories, declared, segments=None):
        self.now = now
        self.zone = ZoneInfo(zone)
        self.currency = currency
        self.unit = 10**digits
        self.rates = rates
        self.categories = categories
        self.declared = declared
        self.segments = segments or {}

    def ask(self, node, customer):
        """``customer`` has ``traits`` by name and ``events``, each a dict with name, at, seq and what was told."""
        method = getattr(self, "_" + type(node).__name__.lower())
        return method(node, customer)

    # Values

    def _number(self, node, c):
        return float(node.value)

    def _text(self, node, c):
        return node.value

    def _truth(self, node, c):
        return node.value

    def _null(self, node, c):
        return None

    def _day(self, node, c):
        return date.fromisoformat(node.value)

    def _time(self, node, c):
        return node.value

    def _now(self, node, c):
        return self.now

    def _today(self, node, c):
        today = self.day(self.now)
        match node.of:
            case "week":
                while today.weekday():
                    today -= timedelta(days=1)
            case "month":
                today = today.replace(day=1)
            case "quarter":
                today = date(today.year, {0: 1, 1: 4, 2: 7, 3: 10}[(today.month - 1) // 3], 1)
            case "year":
                today = date(today.year, 1, 1)
        return today

    def day(self, at):
        return (EPOCH + timedelta(microseconds=at)).astimezone(self.zone).date()

    def _traitref(self, node, c):
        value = c["traits"].get(node.name)
        trait = self.declared[node.name]
        if value is None or value == "" or (isinstance(value, float) and not isfinite(value)):
            return None
        if trait.kind == "time":
            at = round((value - EPOCH) / timedelta(microseconds=1))
            return (EPOCH + timedelta(microseconds=at)).date() if trait.day else at
        return float(value) if trait.kind in ("int", "float", "money") else value

    def _negative(self, node, c):
        value = self.ask(node.operand, c)
        return None if value is None else -value

    def _arithmetic(self, node, c):
        a = self.ask(node.left, c)
        if isinstance(node.right, t.Span) and (a is None or isinstance(a, date)):
            return None if a is None else self._moved(a, node.right, 1 if node.sign == "+" else -1)
        b = (
            UNITS[node.right.unit] * node.right.amount
            if isinstance(node.right, t.Span)
            else self.ask(node.right, c)
        )
        if a is None or b is None:
            return None
        if isinstance(a, date):
            return float((a - b).days)
        if isinstance(a, int):
            return a - b if node.sign == "-" else a + b
        if node.sign == "/":
            if b == 0:
                return None
            found = a / b
        else:
            found = {"+": operator.add, "-": operator.sub, "*": operator.mul}[node.sign](a, b)
        return found if isfinite(found) else None

    def _moved(self, day, span, way):
        if span.unit in ("day", "week"):
            return day + timedelta(days=way * span.amount * {"day": 1, "week": 7}[span.unit])
        wanted = day.day
        for _ in range(span.amount * (12 if span.unit == "year" else 1)):
            first = day.replace(day=1)
            month = (first + timedelta(days=31)) if way > 0 else (first - timedelta(days=1))
            day = date(month.year, month.month, min(wanted, monthrange(month.year, month.month)[1]))
        return day

    def _span(self, node, c):
        return node.amount * UNITS[node.unit]

    def _call(self, node, c):  # noqa: C901 - a table of functions
        values = [self.ask(one, c) for one in node.arguments]
        known = [value for value in values if value is not None]
        match node.function:
            case "coalesce":
                return known[0] if known else None
            case "least":
                return min(known) if known else None
            case "greatest":
                return max(known) if known else None
        if values[0] is None:
            return None
        match node.function:
            case "abs":
                return abs(values[0])
            case "round":
                scale = 10.0 ** int(values[1] if len(values) > 1 else 0)
                scaled = values[0] * scale
                if not isfinite(scaled):
                    return values[0]
                whole = floor(abs(Fraction(scaled)) + Fraction(1, 2))
                return float(whole if scaled >= 0 else -whole) / scale
            case "lower":
                return "".join(one.lower() if len(one.lower()) == 1 else one for one in values[0])
            case "contains":
                return values[1] in values[0]
            case "starts_with":
                return values[0][: len(values[1])] == values[1]
            case "ends_with":
                return values[0][-len(values[1]) :] == values[1]
            case "day":
                return self.day(values[0])
            case "has" | "has_any":
                return bool(set(values[1:]) & set(values[0]))
            case "has_all":
                return set(values[1:]) <= set(values[0])
            case "size":
                return float(len(values[0]))
        raise AssertionError(node.function)

    # Conditions

    def _compare(self, node, c):
        a, b = self.ask(node.left, c), self.ask(node.right, c)
        return None if a is None or b is None else TESTS[node.test](a, b)

    def _between(self, node, c):
        return self._allof(
            t.AllOf((t.Compare(">=", node.operand, node.low), t.Compare("<=", node.operand, node.high))), c
        )

    def _in(self, node, c):
        return self._anyof(t.AnyOf(tuple(t.Compare("=", node.operand, one) for one in node.values)), c)

    def _like(self, node, c):
        value = self.ask(node.operand, c)
        if value is None:
            return None
        low = lambda text: "".join(one.lower() if len(one.lower()) == 1 else one for one in text)  # noqa: E731
        pattern = low(node.pattern) if node.any_case else node.pattern
        parts = {"%": ".*", "_": "."}
        regex = "".join(parts.get(one, re.escape(one)) for one in pattern)
        return re.fullmatch(regex, low(value) if node.any_case else value, re.DOTALL) is not None

    def _is(self, node, c):
        value = self.ask(node.operand, c)
        return value is {"null": None, "true": True, "false": False}[node.what]

    def _segment(self, node, c):
        return self.ask(self.segments[node.name], c) is True

    def _not(self, node, c):
        value = self.ask(node.condition, c)
        return None if value is None else not value

    def _allof(self, node, c):
        values = [self.ask(one, c) for one in node.conditions]
        return False if False in values else None if None in values else True

    def _anyof(self, node, c):
        values = [self.ask(one, c) for one in node.conditions]
        return True if True in values else None if None in values else False

    # What was done

    def _behaviour(self, node, c):
        known = [event for event in c["events"] if event["at"] <= self.now]
        if node.deed == "orders":
            return float(sum(self._order_counts(order, node) for order in self._orders(known)))
        if node.deed == "spend":
            return self._spend(known, node) / self.unit
        mine = [e for e in known if e["name"] in node.names and self._within(e["at"], node.window)]
        mine = [e for e in mine if self._event_met(e, node.filters)]
        if node.then is not None:
            return float(sum(self._followed(e, known, node.then) for e in mine))
        if node.deed == "events":
            return float(len(mine))
        times = [e["at"] for e in mine]
        return (min(times) if node.deed == "first" else max(times)) if times else None

    def _followed(self, event, known, then):
        end = event["at"] + (then.days * 24 if then.days is not None else then.hours) * 3_600_000_000
        came = any(
            event["at"] < b["at"] < end and b["name"] == then.name and self._event_met(b, then.filters)
            for b in known
        )
        return (not came and self.now >= end) if then.never else came

    def _within(self, at, window):
        if window.days is not None:
            return at > self.now - window.days * 86_400_000_000
        if window.hours is not None:
            return at > self.now - window.hours * 3_600_000_000
        return (window.since is None or at >= self._begin(window.since)) and (
            window.before is None or at < self._begin(window.before)
        )

    def _begin(self, node):
        value = self.ask(node, {"traits": {}, "events": []})
        if isinstance(value, date):
            # The first instant at which the shop's calendar shows that day, found by looking.
            at = round(
                (datetime(value.year, value.month, value.day, tzinfo=UTC) - EPOCH) / timedelta(microseconds=1)
            )
            minute = 60_000_000
            return next(
                m for m in range(at - 900 * minute, at + 900 * minute, 15 * minute) if self.day(m) == value
            )
        return value

    def _minor(self, minor, currency, at):
        """Whole minor units of the reporting currency; None where no rate is known."""
        if currency in ("", self.currency):
            factor = 1.0
        else:
            days = sorted((day, rate) for code, day, rate in self.rates if code == currency)
            if not days:
                return None
            before = [rate for day, rate in days if day <= at // 86_400_000_000]
            factor = (
                before[-1] if before else days[0][1]
            ) * 1.0  # the currencies here have the same exponent
        return round(minor * factor)

    def _met(self, told, one):
        """A filter of a fact that is known or None."""
        if told is None or told == "":
            return False
        if one.test in ("in", "not in"):
            return (told in one.values) is (one.test == "in")
        return TESTS[one.test](told, one.values[0])

    def _category(self, told):
        return told.get("category") or self.categories.get(told.get("product_id") or "", "")

    def _lines_met(self, lines, filters):
        def met(line):
            facts = {"category": self._category(line), "product_id": line.get("product_id")}
            return all(self._met(facts[one.fact], one) for one in filters)

        return [line for line in lines if met(line)]

    def _event_met(self, event, filters):
        told = event["told"]
        of_lines = [one for one in filters if one.fact in ("category", "product_id")]
        if of_lines and event["name"] in LINED:
            if not self._lines_met(told.get("products", ()), of_lines):
                return False
        elif not all(
            self._met(self._category(told) if one.fact == "category" else told.get("product_id"), one)
            for one in of_lines
        ):
            return False
        return all(self._met(self._fact(event, one.fact), one) for one in filters if one not in of_lines)

    def _fact(self, event, fact):
        told = event["told"]
        if fact in ("channel", "source", "brand"):
            return event[fact]
        if fact == "machine":
            return told.get("machine") or False
        if fact == "currency":
            return told.get("currency") or self.currency
        if fact == "amount":
            if told.get("amount") is None:
                return None
            minor = self._minor(told["amount"], told.get("currency", ""), event["at"])
            return None if minor is None else minor / self.unit
        return told.get(fact)

    def _orders(self, known):
        """Orders as (first telling's time, last telling, lines added that count); then what else counts."""
        ids = {e["told"].get("order_id", "") for e in known if e["name"] in LINED | {"Order Cancelled"}} - {
            ""
        }
        orders = []
        for order_id in sorted(ids):
            theirs = [e for e in known if e["told"].get("order_id") == order_id]
            if any(e["name"] == "Order Cancelled" for e in theirs):
                continue
            tellings = sorted((e for e in theirs if self._tells(e)), key=self._place)
            if not tellings:
                continue
            added = [e for e in theirs if e["name"] == "Order Lines Added"]
            if len(tellings) > 1:
                added = [e for e in added if e["at"] >= tellings[-1]["at"]]
            orders.append((tellings[0]["at"], tellings[-1], added, order_id))
        alone = [e for e in known if e["name"] == "Order Completed" and not e["told"].get("order_id")]
        return orders + [(e["at"], e, [], None) for e in alone]

    @staticmethod
    def _tells(event):
        told = event["told"]
        return event["name"] == "Order Completed" or (
            event["name"] == "Order Updated" and bool(told.get("products") or told.get("amount"))
        )

    @staticmethod
    def _place(event):
        return event["at"], event["name"] == "Order Updated", event["told"].get("amount", 0), event["seq"]

    def _header_met(self, event, filters, place=None):
        place = place or event
        return all(
            self._met(self._fact(place if one.fact in ("channel", "store") else event, one.fact), one)
            for one in filters
            if one.fact not in ("category", "product_id", "amount")
        )

    def _order_counts(self, order, node):
        first, last, added, _ = order
        if not self._within(first, node.window) or not self._header_met(last, node.filters):
            return False
        of_lines = [one for one in node.filters if one.fact in ("category", "product_id")]
        lines = [line for e in (last, *added) for line in e["told"].get("products", ())]
        if of_lines and not self._lines_met(lines, of_lines):
            return False
        amounts = [one for one in node.filters if one.fact == "amount"]
        parts = [self._minor(last["told"].get("amount", 0), last["told"].get("currency", ""), first)]
        parts += [
            self._minor(e["told"].get("amount", 0), e["told"].get("currency", ""), e["at"]) for e in added
        ]
        amount = None if None in parts else sum(parts) / self.unit
        return all(self._met(amount, one) for one in amounts)

    def _spend(self, known, node):
        of_lines = [one for one in node.filters if one.fact in ("category", "product_id")]

        def worth(event, at):
            told = event["told"]
            amounts = [told.get("amount") or 0]
            if of_lines:
                amounts = [
                    line.get("amount") or 0 for line in self._lines_met(told.get("products", ()), of_lines)
                ]
            return sum(self._minor(amount, told.get("currency", ""), at) or 0 for amount in amounts)

        orders = self._orders(known)
        off = {e["told"].get("order_id") for e in known if e["name"] == "Order Cancelled"} - {"", None}
        total = 0
        for first, last, _, _ in orders:
            if self._within(first, node.window) and self._header_met(last, node.filters):
                total += worth(last, first)
        standing = {order_id: (last, added) for _, last, added, order_id in orders if order_id}
        for e in known:
            order_id = e["told"].get("order_id")
            if e["name"] not in ("Order Lines Added", "Order Refunded") or order_id in off:
                continue
            last, added = standing.get(order_id, (None, None))
            if not self._within(e["at"], node.window):
                continue
            if e["name"] == "Order Refunded":
                if self._header_met(e, node.filters, last):
                    total -= worth(e, e["at"])
            elif (added is None or e in added) and self._header_met(e, node.filters):
                total += worth(e, e["at"])
        return total
