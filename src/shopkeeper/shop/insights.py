"""What groups of customers have in common, and what may be worth a segment: asked of the lake, kept until it changes.

A group is a saved segment by its name, or a condition. Who is in it is asked of the lake as of its last refresh, so
that everything told of one group is told of the same customers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import Struct

from shopkeeper.domain.catalogue import Product
from shopkeeper.domain.clock import DAY
from shopkeeper.domain.condition import Condition, check
from shopkeeper.domain.condition.english import english
from shopkeeper.domain.condition.profiling import OBJECTS
from shopkeeper.domain.condition.tree import Behaviour
from shopkeeper.domain.errors import Conflict, UnknownName
from shopkeeper.domain.insight import Suggestion, Suggestions, Worth
from shopkeeper.domain.traits import Trait
from shopkeeper.know.segments import Setting, answers
from shopkeeper.shop import grouping
from shopkeeper.shop.asking import refreshed, saved_conditions, setting_of
from shopkeeper.shop.places import Places
from shopkeeper.shop.remembering import LOOKED_BACK, remembered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shopkeeper.know.insight import ChannelsPart, Comparison, Overlaps, People
    from shopkeeper.know.insight.people import Mask
    from shopkeeper.shop.looking_back import LookedBack

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
OTHER_BUYERS: Final = "other buyers"
"""Stands for everybody who ordered and is not in the group: those who never bought differ in everything."""
LATELY: Final = 7
"""Days for which a list says who entered and left."""
_KEPT: Final = 64
"""Answers that are kept until the lake changes."""
_VALUES: Final = 60
"""Values of a text that are offered."""
_YEAR: Final = timedelta(days=365)
_DEEDS: Final = {"orders": ("orders",), "spend": ("revenue",)}
_T = TypeVar("_T")


class Known(Struct, frozen=True):
    """What conditions are asked in, and the saved ones by name."""

    setting: Setting
    as_of: datetime
    generation: int
    watermark: int = 0
    run: int = 0
    """Whose predictions these are; 0 where the lake does not say."""

    def condition(self, asked: str) -> Condition:
        """A saved segment's condition by its name, or the condition that was written."""
        saved, traits = self.setting.segments, self.setting.traits
        if asked in saved:
            return saved[asked]
        if _NAME.fullmatch(asked) and asked not in traits and asked not in ("true", "false"):
            raise UnknownName("segment", asked, saved)
        return check(asked, traits, saved)


def known(places: Places, traits: Sequence[Trait]) -> Known:
    """The setting of the last refresh. Raises Conflict before the first one, and after one that did not know yet who
    objects to profiling.
    """
    manifest, as_of = refreshed(places)
    declared = {trait.name: trait for trait in traits}
    with places.ledger.read() as reader:
        setting = msgspec.structs.replace(
            setting_of(places, reader, declared), segments=saved_conditions(reader, declared)
        )
    told = Known(setting, as_of, manifest.generation, manifest.watermark, manifest.run)
    if not kept(places, told, (OBJECTS,), lambda: OBJECTS in _columns(places)):
        raise Conflict(f"the last refresh did not know {OBJECTS} yet", hint="run 'shopkeeper refresh'")
    return told


def _columns(places: Places) -> list[str]:
    names: list[str] = places.lake.query("SELECT * FROM customers LIMIT 0").column_names
    return names


def kept(places: Places, told: Known, key: tuple[str, ...], make: Callable[[], _T]) -> _T:
    """An answer that stays right until the lake or the day changes."""
    stand = (told.generation, places.clock.now().date())
    if places.insight[0] != stand:
        places.insight = (stand, {})
    found = places.insight[1]
    if key not in found:
        made = make()
        while len(found) >= _KEPT:
            found.pop(next(iter(found)), None)
        found[key] = made
    answer: _T = found[key]
    return answer


def people_of(places: Places, told: Known) -> People:
    """Everybody of the last refresh who does not object to profiling."""
    from shopkeeper.know.insight import People

    traits = list(told.setting.traits.values())
    return kept(
        places, told, ("people",), lambda: People(places.lake.query, traits, f"{OBJECTS} IS NOT TRUE")
    )


def masks_of(places: Places, told: Known, people: People, conditions: Sequence[Condition]) -> list[Mask]:
    """Who is in each group, in the order of ``people``."""
    import numpy as np

    if not conditions:
        return []
    question = answers(conditions, told.setting)
    table = places.lake.query(question.sql, question.parameters)
    rows = people.rows(table["id"].to_numpy())
    there = rows >= 0  # a refresh between two questions may have told of somebody new
    masks = []
    for number in range(len(conditions)):
        mask = np.zeros(len(people), np.bool_)
        met = table[f"k{number}"].fill_null(False).to_numpy()
        mask[rows[there]] = met[there]
        masks.append(mask)
    return masks


def compare(
    places: Places,
    traits: Sequence[Trait],
    one: str,
    other: str | None,
    *,
    only: Collection[str] | None = None,
) -> Comparison:
    """What a group has in common beside the rest, or beside another. Raises InvalidInput where a side is empty.

    ``only`` names the traits and derived facts that are looked at, whatever the groups are made of.
    """
    told = known(places, traits)
    asked = [told.condition(one)]
    if other == OTHER_BUYERS:
        asked.append(told.condition(f"orders > 0 and ({asked[0].text}) is not true"))
    elif other:
        asked.append(told.condition(other))

    def make() -> Comparison:
        from shopkeeper.know.insight import compare as compared
        from shopkeeper.know.insight import derived

        people = people_of(places, told)
        masks = masks_of(places, told, people, asked)
        settings = places.settings
        facts = derived(people, currency=settings.currency, time_zone=settings.time_zone, only=only)
        if only is not None:
            return compared(
                people, masks[0], masks[1] if other else None, derived=facts,
                without={trait.name for trait in people.traits} - set(only), as_of=told.as_of,
            )  # fmt: skip
        return compared(
            people, masks[0], masks[1] if other else None, derived=facts, definition=_definition(told, asked),
            as_of=told.as_of,
        )  # fmt: skip

    key = ("compare", *(condition.text for condition in asked), *(sorted(only) if only is not None else ()))
    return kept(places, told, key, make)


def looked_back(places: Places, traits: Sequence[Trait]) -> LookedBack:
    """What advocacy and brand fit foretold on an earlier day."""
    told = known(places, traits)

    def make() -> LookedBack:
        from shopkeeper.shop.looking_back import LookedBack, look_back

        if (there := remembered(places, told, LOOKED_BACK, "", LookedBack)) is not None:
            return there
        settings = places.settings
        with places.ledger.read() as reader:
            goods = map(msgspec.json.Decoder(Product).decode, reader.reference("product"))
            core = frozenset(one.product_id for one in goods if one.core)
        return look_back(
            people_of(places, told), currency=settings.currency, scale=places.scale, zone=settings.time_zone,
            as_of=told.as_of, core=core,
        )  # fmt: skip

    return kept(places, told, ("looked back",), make)


def _definition(told: Known, asked: Sequence[Condition]) -> set[str]:
    """Traits and derived facts that groups are made of, those of segments within them among them."""
    names: set[str] = set()
    waiting = list(asked)
    while waiting:
        condition = waiting.pop()
        names |= condition.traits
        for behaviour in condition.behaviours:
            names |= set(_made_of(behaviour))
        waiting += [
            told.setting.segments[name] for name in condition.segments if name in told.setting.segments
        ]
    return names


def _made_of(behaviour: Behaviour) -> tuple[str, ...]:
    """The facts that stand nearest to what a condition asks of events."""
    if behaviour.deed in _DEEDS:
        category = any(one.fact in ("category", "product_id") for one in behaviour.filters)
        return (*_DEEDS[behaviour.deed], *(("bought",) if category else ()))
    named = {
        "Order Completed": ("orders", "days_since_order"),
        "Product Viewed": ("products_viewed", "looked_at"),
        "Email Link Clicked": ("emails_clicked",),
        "Store Visited": ("store_visits",),
        "Contact Opened": ("contacts",),
        "Review Submitted": ("reviews",),
        "Order Refunded": ("returns",),
    }
    return tuple(fact for name in behaviour.names for fact in named.get(name, ()))


def channels_of(places: Places, traits: Sequence[Trait], segment: str | None) -> ChannelsPart:
    """Which channel starts, assists and closes the orders of a group within the last year, or of everybody."""
    told = known(places, traits)
    asked = told.condition(segment) if segment else None

    def paths() -> Any:
        from shopkeeper.know.insight import read_paths

        settings, until = places.settings, places.clock.now()
        return read_paths(
            people_of(places, told), since=until - _YEAR, until=until, currency=settings.currency,
            assumed_margin=settings.assumed_margin, rates=told.setting.rates,
        )  # fmt: skip

    def make() -> ChannelsPart:
        import numpy as np

        from shopkeeper.know.insight import parts

        people = people_of(places, told)
        group = None if asked is None else masks_of(places, told, people, [asked])[0]
        value = people.column("clv_12m")
        known_value = value if isinstance(value, np.ndarray) else None
        return parts(kept(places, told, ("paths",), paths), group, value=known_value)

    return kept(places, told, ("channels", asked.text if asked else ""), make)


def overlaps(places: Places, traits: Sequence[Trait], segments: Sequence[str]) -> Overlaps:
    """Who is in which of several groups at once."""
    told = known(places, traits)
    asked = {name: told.condition(name) for name in segments}

    def make() -> Overlaps:
        from shopkeeper.know.insight import overlaps as overlapping

        people = people_of(places, told)
        masks = dict(zip(asked, masks_of(places, told, people, list(asked.values())), strict=True))
        return overlapping(masks, values=_values(people))

    return kept(places, told, ("overlaps", *(f"{n} {c.text}" for n, c in asked.items())), make)


def known_values(places: Places, traits: Sequence[Trait]) -> dict[str, tuple[str, ...]]:
    """The most frequent values of each trait that is a text and of the catalogue's categories, for people who type."""
    try:
        told = known(places, traits)
    except Conflict:
        return {}

    def make() -> dict[str, tuple[str, ...]]:
        found = {
            trait.name: f'"{trait.name}" AS value FROM customers' for trait in traits if trait.kind == "text"
        }
        found["category"] = "category AS value FROM products"
        return {
            name: tuple(
                places.lake.query(
                    f"SELECT value FROM (SELECT {column}) WHERE value <> '' GROUP BY value "
                    f"ORDER BY count(*) DESC, value LIMIT {_VALUES}"
                )["value"].to_pylist()
            )
            for name, column in found.items()
        }

    return kept(places, told, ("values",), make)


def worths(places: Places, traits: Sequence[Trait]) -> dict[str, Worth]:
    """What every segment that is not put away comes to, by name, and how many entered and left within a week."""
    found = _worths(places, traits)
    since = places.now() - LATELY * DAY
    with places.ledger.read() as reader:
        numbers = {row.name: row.id for row in reader.segments()}
        for name, one in found.items():
            days = reader.audience_days(numbers[name], since) if name in numbers else []
            entered, exited = sum(day[1] for day in days), sum(day[2] for day in days)
            found[name] = msgspec.structs.replace(one, entered=entered, exited=exited)
    return found


def _worths(places: Places, traits: Sequence[Trait]) -> dict[str, Worth]:
    try:
        told = known(places, traits)
    except Conflict:  # before the first refresh
        declared = {trait.name: trait for trait in traits}
        with places.ledger.read() as reader:
            saved = saved_conditions(reader, declared)
        return {name: _worth(places, declared, name, condition) for name, condition in saved.items()}
    asked = told.setting.segments

    def make() -> dict[str, Worth]:
        from shopkeeper.shop.valuing import ranges_of

        people = people_of(places, told)
        worth = _values(people)
        everything = float(worth.sum())
        masks = masks_of(places, told, people, list(asked.values()))
        ranges = ranges_of(places, people, worth, masks)
        return {
            name: _worth(
                places, told.setting.traits, name, condition, customers=int(mask.sum()),
                share=float(mask.mean()) if mask.size else 0.0, expected=round(float(worth[mask].sum()), 2),
                low=low, high=high, expected_share=float(worth[mask].sum()) / everything if everything > 0 else 0.0,
            )
            for (name, condition), mask, (low, high) in zip(asked.items(), masks, ranges, strict=True)
        }  # fmt: skip

    return dict(kept(places, told, ("worths", *(f"{n} {c.text}" for n, c in asked.items())), make))


def _worth(
    places: Places, traits: Mapping[str, Trait], name: str, condition: Condition, **figures: Any
) -> Worth:
    said = english(condition.tree, traits, places.settings.currency)
    return Worth(name=name, english=said, **figures)


def _values(people: People) -> NDArray[Any]:
    """The expected value of everybody, 0 where it is not known."""
    import numpy as np

    value = people.column("clv_12m")
    return np.nan_to_num(value) if isinstance(value, np.ndarray) else np.zeros(len(people))


def suggestions(places: Places, traits: Sequence[Trait]) -> Suggestions:
    """Ready-made segments with their sizes, and groups that show by themselves."""
    told = known(places, traits)
    saved = {condition.text: name for name, condition in told.setting.segments.items()}
    made = kept(places, told, ("suggestions",), lambda: _suggested(places, told))
    rows = tuple(msgspec.structs.replace(row, saved=saved.get(row.condition, "")) for row in made.rows)
    groups = tuple(msgspec.structs.replace(one, saved=saved.get(one.condition, "")) for one in made.groups)
    return msgspec.structs.replace(made, rows=rows, groups=groups)


def _suggested(places: Places, told: Known) -> Suggestions:
    from shopkeeper.know.insight import clusters, ready_made

    people = people_of(places, told)
    ready = ready_made(people, as_of=places.clock.now())
    asked = [told.condition(one.condition) for one in ready]
    worth = _values(people)
    everything = float(worth.sum())
    rows = []
    for one, condition, mask in zip(ready, asked, masks_of(places, told, people, asked), strict=True):
        held = float(worth[mask].sum())
        rows.append(
            Suggestion(
                key=one.key, title=one.name, family=one.family, sentence=one.sentence, why=one.why,
                condition=condition.text, english=english(condition.tree, told.setting.traits, told.setting.currency),
                note=one.note, customers=int(mask.sum()), share=float(mask.mean()) if mask.size else 0.0,
                expected=round(held, 2), expected_share=held / everything if everything > 0 else 0.0,
            )
        )  # fmt: skip
    found = clusters(people)
    groups = grouping.groups(
        people, found, told.condition, lambda some: masks_of(places, told, people, some),
        lambda one: english(one.tree, told.setting.traits, told.setting.currency),
    )  # fmt: skip
    return Suggestions(as_of=told.as_of, rows=tuple(rows), groups=groups, note=found.note)


def count(places: Places, traits: Sequence[Trait], asked: str) -> int:
    """How many of those whom comparisons know meet a condition."""
    told = known(places, traits)
    return int(masks_of(places, told, people_of(places, told), [told.condition(asked)])[0].sum())
