"""Which pairs are looked at: rules that are as loose as the number of records allows.

A rule is a set of columns whose values must be equal. Rules stand in ladders from loose to strict; of each ladder the
loosest rung is taken whose pairs, counted before any is made, stay within a budget. A thousand records are compared
widely, a million narrowly, by the same settings and without labels.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.resolve.linkage.prepare import FIELDS

Rule = tuple[str, ...]
"""Expressions that must be equal: a column of ``FIELDS``, or ``column:n`` for its first n characters."""

PAIRS_PER_RECORD = 3
"""Budget of one rule, on average."""
LEAST_PAIRS = 400_000
"""Budget of one rule where there are few records: so many pairs take about a second."""
LADDERS: tuple[tuple[Rule, ...], ...] = (
    (("email",),),
    (("phone",),),
    (("reference",),),
    (("birthday",), ("birthday", "given:1"), ("birthday", "sound:2"), ("birthday", "given")),
    (("last_name",), ("sound", "given:1"), ("last_name", "given:1"), ("last_name", "given"),
     ("last_name", "given", "city"), ("last_name", "given", "postcode")),
    (("given",), ("given", "birthday:4"), ("given", "birthday:6")),
    (("sound", "birthday:4"), ("sound", "birthday:6"), ("sound", "birthday")),
    (("postcode",), ("postcode", "given:1"), ("postcode", "given"), ("postcode", "address")),
    (("street",), ("address",), ("address", "given:1"), ("address", "given")),
    (("mailbox",), ("mailbox", "given:1")),
    (("city",), ("city", "given"), ("city", "sound", "given:1")),
)  # fmt: skip


def column_of(part: str) -> str:
    """The column that a part of a rule is about."""
    return part.partition(":")[0]


def sql_of(part: str, side: str) -> str:
    """A part of a rule in SQL for one side, ``l`` or ``r``.

    >>> sql_of("birthday:4", "l"), sql_of("email", "r")
    ('substr(l."birthday", 1, 4)', 'r."email"')
    """
    column, _, letters = part.partition(":")
    return f'substr({side}."{column}", 1, {letters})' if letters else f'{side}."{column}"'


def rule_sql(rule: Rule) -> str:
    """A whole rule as Splink reads it."""
    return " AND ".join(f"{sql_of(part, 'l')} = {sql_of(part, 'r')}" for part in rule)


def pairs_of(rows: pa.Table, rule: Rule) -> int:
    """How many pairs of rows a rule makes, without making them.

    >>> rows = pa.table({"email": ["a", "a", "a", None, "b"]})
    >>> pairs_of(rows, ("email",))
    3
    """
    columns = {}
    for part in rule:
        column, _, letters = part.partition(":")
        columns[part] = pc.utf8_slice_codeunits(rows[column], 0, int(letters)) if letters else rows[column]
    table = pa.table(columns)
    for part in rule:
        table = table.filter(pc.is_valid(table[part]))
    if not len(table):
        return 0
    sizes = table.group_by(list(rule)).aggregate([([], "count_all")])["count_all"].to_numpy().astype("int64")
    return int((sizes * (sizes - 1) // 2).sum())


def choose_rules(rows: pa.Table) -> tuple[Rule, ...]:
    """The loosest rung of each ladder within the budget, for rows of ``FIELDS``; none where a rule makes no pair.

    Where even the strictest rung is over the budget (very few names for very many records) it is left out.
    """
    budget = max(LEAST_PAIRS, PAIRS_PER_RECORD * len(rows))
    known = {column for column in FIELDS if rows[column].null_count < len(rows)}
    taken: list[Rule] = []
    for ladder in LADDERS:
        for rule in ladder:
            if not all(column_of(part) in known for part in rule):
                continue
            pairs = pairs_of(rows, rule)
            if pairs <= budget:
                if pairs:
                    taken.append(rule)
                break
    return tuple(_needed(taken))


def fitting_rules(rules: tuple[Rule, ...], rows: pa.Table) -> tuple[Rule, ...]:
    """Rules of a model for other rows than it was trained on: where one makes too many pairs now, a stricter one.

    Too many is four times the budget. A thousand new records that all say "Anna Schmidt" and nothing else must not be
    compared with one another.

    >>> rows = pa.table({"last_name": ["lee"] * 4000, "given": ["ann"] * 4000, "city": ["ulm"] * 4000,
    ...                  "sound": ["l"] * 4000, "postcode": [str(n) for n in range(4000)]})
    >>> fitting_rules((("last_name",),), rows)
    (('last_name', 'given', 'postcode'),)
    """
    most = 4 * max(LEAST_PAIRS, PAIRS_PER_RECORD * len(rows))
    found: list[Rule] = []
    for rule in rules:
        ladder = next((rungs for rungs in LADDERS if rule in rungs), (rule,))
        fits = (rung for rung in ladder[ladder.index(rule) :] if pairs_of(rows, rung) <= most)
        if (taken := next(fits, None)) is not None:
            found.append(taken)
    return tuple(dict.fromkeys(found))


def _needed(rules: list[Rule]) -> list[Rule]:
    """Rules that find pairs of their own: one with a looser rule beside it finds none."""
    return [
        rule for rule in rules
        if not any(other != rule and set(other) <= set(rule) for other in rules)
    ]  # fmt: skip
