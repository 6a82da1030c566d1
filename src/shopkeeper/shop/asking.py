"""Conditions asked of all customers: of the lake, and of the ledger for those whom the lake does not tell of yet.

Whoever did something since the last refresh, or was merged or parted since, is left out of the lake's answer and asked
one by one. Where these are more than ``MOST_CHANGED``, the answer is the lake's and says so by its ``as_of``; only who
objects to profiling since is asked all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from shopkeeper.domain.catalogue import Rate
from shopkeeper.domain.clock import instant, micros
from shopkeeper.domain.condition import Condition, check
from shopkeeper.domain.condition.closure import Predicate
from shopkeeper.domain.condition.facts import EventFacts, event_facts
from shopkeeper.domain.condition.profiling import of_those_who_do_not_object
from shopkeeper.domain.condition.references import in_order
from shopkeeper.domain.condition.terms import Term
from shopkeeper.domain.customer import objects
from shopkeeper.domain.errors import Conflict, InvalidInput
from shopkeeper.domain.event import EVENTS, Logged
from shopkeeper.domain.size import Amounts, Size, difference, proportion, total
from shopkeeper.domain.traits import Trait
from shopkeeper.know.fold import unpack
from shopkeeper.know.live.definitions import known
from shopkeeper.know.segments import Setting, matches, totals
from shopkeeper.shop.feeding import trait_table
from shopkeeper.shop.narrowing import narrowed
from shopkeeper.shop.places import Places, day_of_date
from shopkeeper.shop.predicting.foretold import Foretold
from shopkeeper.stores.contract.lake import Manifest
from shopkeeper.stores.contract.ledger import LedgerReader

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CHANGED: Final = 2_000
"""Customers that are asked one by one at most."""
_AT_ONCE: Final = 50_000
_TURNS_AT_ONCE: Final = 1_000
_EVERY_EVENT: Final = 1_000_000


class Asked(Struct, frozen=True):
    """A condition that was understood, and what it is asked in."""

    condition: Condition | None
    setting: Setting
    changed: tuple[int, ...]
    """Customers whom the ledger knows better than the lake."""
    as_of: datetime
    """Up to when the answer tells."""


def understood(
    places: Places, reader: LedgerReader, text: str | None, traits: Sequence[Trait], at: datetime | None
) -> Asked:
    """A condition in its setting. Raises BadCondition, Conflict before the first refresh."""
    manifest, as_of = refreshed(places)
    if at is not None and at.tzinfo is None:
        raise InvalidInput("an instant without a time zone", hint="add tzinfo=UTC")
    declared = {trait.name: trait for trait in traits}
    missing = set(declared) - set(places.lake.query("SELECT * FROM customers LIMIT 0").schema.names)
    if missing:
        raise Conflict(
            f"the last refresh did not know {', '.join(sorted(missing))} yet", hint="run 'shopkeeper refresh'"
        )
    setting = setting_of(places, reader, declared, at)
    condition = None if text is None else check(text, declared)
    if condition is not None and condition.segments:
        setting = msgspec.structs.replace(setting, segments=saved_conditions(reader, declared))
        condition = check(text or "", declared, setting.segments)
    if condition is not None:
        condition = of_those_who_do_not_object(condition)
    known_better = changed(reader, manifest.watermark, manifest.turn)
    if known_better is None:
        return Asked(condition, setting, _objecting_since(reader, manifest.watermark), as_of)
    return Asked(condition, setting, tuple(sorted(known_better)), places.clock.now())


def refreshed(places: Places) -> tuple[Manifest, datetime]:
    """The lake as the last refresh left it, and of when it is. Raises Conflict before the first one."""
    manifest = places.lake.manifest()
    if manifest.as_of is None:
        raise Conflict(
            "nobody can be asked about yet", hint="collect some files, then run 'shopkeeper refresh'"
        )
    return manifest, manifest.as_of


def setting_of(
    places: Places, reader: LedgerReader, traits: Mapping[str, Trait], at: datetime | None = None
) -> Setting:
    """In what conditions are asked of this shop, now or at another instant."""
    rates = [msgspec.json.decode(body, type=Rate) for body in reader.reference("rate")]
    return Setting(
        traits=traits,
        now=micros(at or places.clock.now()),
        zone=places.settings.time_zone,
        currency=places.settings.currency,
        rates=tuple((rate.currency, day_of_date(rate.date), rate.rate) for rate in rates),
    )


def saved_conditions(reader: LedgerReader, traits: Mapping[str, Trait]) -> dict[str, Condition]:
    """The latest condition of every segment that is not put away, by name; each comes after those it asks about."""
    all_ = known(reader, traits.values())
    found = {name: all_.understood(all_.latest(all_.rows[name])) for name in all_.usable()}
    return {name: found[name] for name in in_order({name: one.segments for name, one in found.items()})}


def changed(reader: LedgerReader, watermark: int, turn: int) -> set[int] | None:
    """Customers of whom the ledger knows more than the lake, gone ones included; None where these are too many."""
    found: set[int] = set()
    cursor = int(reader.setting("cursor") or 0)
    at = watermark
    while at < cursor and (rows := reader.observed_after(at, min(_AT_ONCE, cursor - at))):
        at = rows[-1].seq
        found |= {member.customer for member in reader.members(sorted({row.node for row in rows} - {0}))}
        if len(found) > MOST_CHANGED:
            return None
    before: int | None = None
    while int(reader.setting("last_turn") or 0) > turn:
        turns = [one for one in reader.turns([], before, _TURNS_AT_ONCE) if one.id > turn]
        found |= {customer for one in turns for customer in (one.customer, one.other)}
        if len(found) > MOST_CHANGED:
            return None
        if len(turns) < _TURNS_AT_ONCE:
            break
        before = turns[-1].id
    found |= set(reader.stood(MOST_CHANGED + 1))
    return found if len(found) <= MOST_CHANGED else None


def _objecting_since(reader: LedgerReader, watermark: int) -> tuple[int, ...]:
    """Who objects to profiling and said so since, by every number of theirs."""
    members = reader.members(reader.withdrawn_after(watermark))
    found = reader.records(sorted({member.customer for member in members}))
    those = [row.customer for row in found if objects(unpack(row.body))]
    return tuple(sorted({*those, *reader.aliases(those)}))


def customers(
    places: Places,
    text: str | None,
    traits: Sequence[Trait],
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    after: int | None = None,
    at: datetime | None = None,
) -> pa.Table:
    """The customers of whom a condition is true, by id, with some of their traits or all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if limit is not None and limit < 0:
        raise InvalidInput(f"a limit of {limit}", hint="give a number from 0, or none")
    with places.ledger.read() as reader:
        asked = understood(places, reader, text, traits, at)
        question = matches(asked.condition, asked.setting, columns, limit, asked.changed, after)
        with narrowed(asked.condition):
            found = places.lake.query(question.sql, question.parameters)
        if asked.changed:
            fresh, answers = _anew(places, reader, asked)
            chosen = pa.array(answers, pa.bool_())
            if after is not None:
                chosen = pc.and_(chosen, pc.greater(fresh["id"].combine_chunks(), after))
            kept = fresh.filter(chosen).select(found.schema.names).cast(found.schema)
            found = pa.concat_tables([found, kept]).sort_by("id")
    if limit is not None:
        found = found.slice(0, limit)
    told = {"as_of": asked.as_of.isoformat(), "condition": asked.condition.text if asked.condition else ""}
    return found.replace_schema_metadata(told)


def size(
    places: Places,
    text: str | None,
    traits: Sequence[Trait],
    *,
    estimate: bool = False,
    at: datetime | None = None,
) -> Size:
    """How many customers a condition is true of, and what they are worth; an estimate asks a sample of the lake."""
    with places.ledger.read() as reader:
        asked = understood(places, reader, text, traits, at)
        if estimate:
            manifest = places.lake.manifest()
            of = sum(file.rows for file in manifest.tables.get("customers", ()))
            question = totals(asked.condition, asked.setting, amounts=True)
            with narrowed(asked.condition):
                row = places.lake.query(question.sql, question.parameters, sample=True).to_pylist()[0]
            return _size(row, of, asked.setting.currency, manifest.as_of or asked.as_of)
        question = totals(asked.condition, asked.setting, asked.changed)
        with narrowed(asked.condition):
            row = places.lake.query(question.sql, question.parameters).to_pylist()[0]
        if asked.changed:
            fresh, answers = _anew(places, reader, asked)
            for answer, one in zip(answers, fresh.select(["clv_12m", "margin"]).to_pylist(), strict=True):
                row["all_customers"] += 1
                row["customers"] += answer
                for name, value in (("expected", one["clv_12m"] or 0.0), ("margin", one["margin"] or 0.0)):
                    row[f"all_{name}"] += value
                    row[name] += value * answer
    return _size(row, row["all_customers"], asked.setting.currency, asked.as_of)


def _size(row: Mapping[str, Any], of: int, currency: str, as_of: datetime) -> Size:
    met, drawn = row["customers"], row["all_customers"]
    exact = drawn == of
    low, high = proportion(met, drawn, of)
    scale = 1.0 if exact else of / drawn if drawn else 0.0
    expected = row["expected"] * scale
    least, most = (expected, expected) if exact else _between(row, drawn, of)
    return Size(
        customers=met if exact else round(met / drawn * of) if drawn else 0,
        of=of,
        share=met / drawn if drawn else 0.0,
        expected=round(expected, 2),
        expected_share=row["expected"] / row["all_expected"] if row["all_expected"] else 0.0,
        margin=round(row["margin"] * scale, 2),
        currency=currency,
        as_of=as_of,
        exact=exact,
        low=met if exact else round(low * of),
        high=met if exact else round(high * of),
        expected_low=round(least, 2),
        expected_high=round(most, 2),
    )


def _between(row: Mapping[str, Any], drawn: int, of: int) -> tuple[float, float]:
    """Between what the total of a condition's customers is, of whom some were drawn."""

    def amounts(way: str) -> Amounts:
        return Amounts(**{name: row[f"{way}_{name}"] for name in Amounts.__struct_fields__})

    def told(way: str) -> tuple[float, float, float]:
        seen, everybody = amounts(way), amounts(f"all_{way}")
        return (seen.total * of / drawn, *total(seen, everybody, drawn, of)) if drawn else (0.0, 0.0, 0.0)

    return difference(told("more"), told("less"))


def _anew(places: Places, reader: LedgerReader, asked: Asked) -> tuple[pa.Table, list[bool]]:
    """The changed customers that there are, with all their traits, and whether the condition is true of each."""
    records = {row.customer: unpack(row.body) for row in reader.records(asked.changed)}
    traits = asked.setting.traits
    foretold = Foretold.of_rows(
        {
            customer: msgspec.json.decode(one.body)
            for customer, one in reader.predictions(list(records)).items()
        }
    )
    table = trait_table(places, sorted(records.items()), list(traits.values()), foretold)
    if asked.condition is None:
        return table, [True] * table.num_rows
    catalogue = places.catalogue(reader)
    predicate = Predicate(asked.condition, traits, catalogue)
    inside = {name: Predicate(one, traits, catalogue) for name, one in asked.setting.segments.items()}
    terms = {term.key: term for one in (predicate, *inside.values()) for term in one.terms}
    nodes: dict[int, list[int]] = {}
    if terms:
        for member in reader.nodes_of(table["id"].to_pylist()):
            nodes.setdefault(member.customer, []).append(member.node)
    answers = []
    for row in table.to_pylist():
        someone = _Someone(row, inside, asked.setting.now)
        if terms:
            someone.heed(list(terms.values()), reader.log_of(nodes.get(row["id"], []), None, _EVERY_EVENT))
        answers.append(predicate.holds(someone, asked.setting.now))
    return table, answers


class _Someone:
    """What is known of one customer, for a closure."""

    def __init__(self, traits: Mapping[str, Any], segments: Mapping[str, Predicate], now: int) -> None:
        self._traits = traits
        self._segments = segments
        self._now = now
        self._states: dict[str, Any] = {}

    def heed(self, terms: Sequence[Term], events: Sequence[Any]) -> None:
        """Take every event into what is kept for each term."""
        self._states = {term.key: term.new() for term in terms}
        for event in events:
            facts = facts_of(event)
            for term in terms:
                term.add(self._states[term.key], facts)

    def trait(self, name: str) -> Any:
        """A trait's value."""
        return self._traits.get(name)

    def state(self, key: str) -> Any:
        """What is kept for a term."""
        return self._states[key]

    def member(self, segment: str) -> bool:
        """Whether the condition of a segment is true of the customer."""
        return self._segments[segment].holds(self, self._now)


def facts_of(event: Any) -> EventFacts:
    """What conditions may ask of a row of the log."""
    told: Any = event.payload
    declared = EVENTS.get(event.name)
    if declared is not None and event.version < declared.version:
        told = Logged.read(event.name, event.version, event.payload)
    return event_facts(
        event.name, event.occurred_at, told, key=event.key, channel=event.channel, source=event.source,
        brand=event.brand,
    )  # fmt: skip


__all__ = ["MOST_CHANGED", "customers", "facts_of", "instant", "size", "understood"]
