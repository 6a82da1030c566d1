"""Guarded union: from pairs with weights to persons, strongest first, without joining people who differ.

Connected components join everybody between whom there is some path. Here each union looks at both sides first. It is
refused where a first name, a day of birth or a strong identifier of one side cannot be that of the other, or where
the two were said to be different people. Twins share all but a first name, father and son all but a day of birth.

The answer depends on the edges and records only, not on the order they come in: edges are taken by descending weight
and then by record ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct
from rapidfuzz.distance import DamerauLevenshtein

from shopkeeper.resolve.linkage.nicknames import USUAL, may_be_one

MODEL = "model"
ALWAYS = "said to be one"
GENERATION = 15
"""Years between the births of people of one name in one household."""
_LOOKED_AT = 12


class Facts(NamedTuple):
    """What a record says that can contradict another: names, day of birth, strong identifiers by kind."""

    first_name: str | None
    last_name: str | None
    birthday: str | None
    reference: str | None
    strong: Mapping[str, str]
    contacts: tuple[str | None, str | None, str | None, str | None] = (None, None, None, None)
    """Where the person is reached: e-mail address, telephone, address, post code."""


NOBODY = Facts(None, None, None, None, {})
"""A record that says nothing."""


class Link(NamedTuple):
    """Two records and the evidence in bits that they are one person; ``by`` says what it comes from."""

    a: str
    b: str
    weight: float
    by: str = MODEL


class Refusal(NamedTuple):
    """A link that was not followed and why.

    ``first name``, ``birthday`` or a kind of strong identifier: it differs. ``bridge``: two persons known by more than
    a name share no more than a name. ``never``: somebody said so.
    """

    link: Link
    reason: str


class United(Struct, frozen=True):
    """Persons found.

    Attributes:
        person_of: record id to the smallest record id of its person.
        refused: links not followed, in the order in which they were looked at.
    """

    person_of: dict[str, str]
    refused: list[Refusal]


@lru_cache(maxsize=1_000_000)
def names_differ(a: str, b: str) -> bool:
    """Whether two given names cannot be one person's: not forms of one name, an initial, a beginning, or a slip.

    >>> names_differ("bob", "robert"), names_differ("j", "jane"), names_differ("jane", "jqne")
    (False, False, False)
    >>> names_differ("max", "tim"), names_differ("lisa", "linda")
    (True, True)
    """
    if a == b:
        return False
    x, y = a.split(" "), b.split(" ")
    if any(may_be_one(p, q) or ((len(p) == 1 or len(q) == 1) and p[:1] == q[:1]) for p in x for q in y):
        return False
    if x[0] in USUAL and y[0] in USUAL:
        return True  # a slip of the hand seldom makes one well-known name of another
    one, other = sorted(("".join(x), "".join(y)), key=len)
    if len(one) >= 3 and other.startswith(one):
        return False
    slips = 2 if len(one) > 5 else 1
    return DamerauLevenshtein.distance(one, other, score_cutoff=slips) > slips


@lru_cache(maxsize=1_000_000)
def birthdays_differ(a: str, b: str) -> bool:
    """Whether two days of birth (eight digits) are a generation apart, and by more than two typing errors.

    Smaller differences are left to the weights: who shares a name and a household with somebody ten years younger,
    or has typed the day wrongly, is told by how often that happens in these records.

    >>> birthdays_differ("19710624", "19710524"), birthdays_differ("19500312", "19781109")
    (False, True)
    """
    if abs(int(a[:4]) - int(b[:4])) < GENERATION:
        return False
    return DamerauLevenshtein.distance(a, b, score_cutoff=2) > 2


def _one_number(a: str, b: str) -> bool:
    """Whether two numbers are equal, or two neighbouring digits exchanged: next of kin may hold the next number."""
    return a == b or (sorted(a) == sorted(b) and DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1)


class Guard(Struct, frozen=True):
    """Which differences stand in the way of a union; a differing strong identifier always does."""

    first_name: bool = True
    birthday: bool = True


def conflict(a: Facts, b: Facts, guard: Guard = Guard()) -> str | None:  # noqa: B008 - frozen
    """Why two records cannot be one person, or None where nothing speaks against it.

    An equal reference (a number of one's own) speaks louder than a name or a day that differ.

    >>> ann = Facts("ann", "lee", "19710624", None, {})
    >>> conflict(ann, ann._replace(first_name="tim")), conflict(ann, ann._replace(birthday=None))
    ('first name', None)
    """
    if a.strong and b.strong:
        for kind, value in a.strong.items():
            if b.strong.get(kind, value) != value:
                return kind
    if a.reference and b.reference and _one_number(a.reference, b.reference):
        return None
    if guard.birthday and a.birthday and b.birthday and birthdays_differ(a.birthday, b.birthday):
        return "birthday"
    if guard.first_name and a.first_name and b.first_name and names_differ(a.first_name, b.first_name):
        exchanged = a.first_name == b.last_name and a.last_name == b.first_name
        return None if exchanged else "first name"
    return None


class _Side:
    """What the records joined so far say, and how many of them say it."""

    __slots__ = ("facts", "never")

    def __init__(self, facts: Facts, never: set[str]) -> None:
        self.facts: dict[tuple[object, ...], tuple[Facts, int]] = {_key(facts): (facts, 1)}
        self.never = never

    def take(self, other: _Side) -> None:
        for key, (facts, count) in other.facts.items():
            held = self.facts.get(key)
            self.facts[key] = (facts, count + held[1] if held else count)
        self.never = self.never | other.never

    def most(self) -> list[tuple[Facts, int]]:
        """The facts that most records state: at most a dozen, so that a large side costs no more."""
        if len(self.facts) <= _LOOKED_AT:
            return list(self.facts.values())
        return [
            said for _, said in sorted(self.facts.items(), key=lambda i: (-i[1][1], str(i[0])))[:_LOOKED_AT]
        ]


def _key(facts: Facts) -> tuple[object, ...]:
    strong = tuple(sorted(facts.strong.items())) if facts.strong else ()
    return (facts.first_name, facts.last_name, facts.birthday, facts.reference, strong)


def unite(
    records: Iterable[str],
    links: Sequence[Link],
    facts: Callable[[str], Facts],
    *,
    always: Iterable[tuple[str, str]] = (),
    never: Iterable[tuple[str, str]] = (),
    least: float = 0.0,
    guard: Guard = Guard(),  # noqa: B008 - frozen
) -> United:
    """Follow links from the strongest on, refusing unions of people who differ.

    Args:
        records: all record ids.
        links: pairs with their weight in bits; those below ``least`` are not looked at.
        facts: what a record says, by its id.
        always: pairs that a person said are one: joined first, whatever they say of themselves.
        never: pairs that a person said are two, wherever their unions go. It wins over ``always``.
        least: weight in bits from which on a link counts; 0 is a chance of one half.
        guard: which differences count.

    >>> said = {name: Facts(name, "lee", None, None, {}) for name in ("ann", "anna", "tim")}
    >>> found = unite(said, [Link("ann", "anna", 9.0), Link("anna", "tim", 3.0)], said.__getitem__)
    >>> found.person_of, found.refused[0].reason
    ({'ann': 'ann', 'anna': 'ann', 'tim': 'tim'}, 'first name')
    """
    parent = {record: record for record in records}
    apart: dict[str, set[str]] = {}
    for a, b in never:
        apart.setdefault(a, set()).add(b)
        apart.setdefault(b, set()).add(a)
    sides: dict[str, _Side] = {}
    members: dict[str, list[str]] = {}
    refused: list[Refusal] = []

    def root(record: str) -> str:
        while (up := parent[record]) != record:
            parent[record] = record = parent[up]
        return record

    ordered = [
        Link(min(a, b), max(a, b), float("inf"), ALWAYS) for a, b in always if a in parent and b in parent
    ]
    ordered.sort()
    ordered += sorted(
        (link for link in links if link.weight >= least),
        key=lambda link: (-round(link.weight, 6), min(link.a, link.b), max(link.a, link.b), link.by),
    )
    for link in ordered:
        a, b = root(link.a), root(link.b)
        if a == b:
            continue
        one = sides.get(a) or _Side(facts(a), apart.get(a, set()))
        other = sides.get(b) or _Side(facts(b), apart.get(b, set()))
        these, those = members.get(a) or [a], members.get(b) or [b]
        forced = link.by == ALWAYS
        reason = _against(one, other, these, those, None if forced else guard)
        if (
            reason is None
            and not forced
            and len(these) > 1
            and len(those) > 1
            and _bridged(these, those, facts)
        ):
            reason = "bridge"
        if reason:
            refused.append(Refusal(link, reason))
            continue
        kept, gone = min(a, b), max(a, b)
        parent[gone] = kept
        if len(one.facts) < len(other.facts):
            one, other = other, one
        one.take(other)
        sides[kept] = one
        sides.pop(gone, None)
        members[kept] = members.pop(kept, [kept]) + members.pop(gone, [gone])
    return United({record: root(record) for record in parent}, refused)


def _against(one: _Side, other: _Side, these: list[str], those: list[str], guard: Guard | None) -> str | None:
    """Why two sides must stay apart: a different identifier anywhere, or more pairs that differ than that agree.

    By majority, for one record with a wrong name among five must not keep a sixth away.
    """
    if (one.never and not one.never.isdisjoint(those)) or (other.never and not other.never.isdisjoint(these)):
        return "never"
    if guard is None:
        return None
    against: dict[str, int] = {}
    vetoes: set[str] = set()
    speaking = 0
    for a, n in one.most():
        for b, k in other.most():
            reason = conflict(a, b, guard)
            if reason is None:
                speaking += n * k if _tells(a, b) else 0
            elif reason in {"first name", "birthday"}:
                against[reason] = against.get(reason, 0) + n * k
            else:
                vetoes.add(reason)
    if vetoes:
        return min(vetoes)
    if sum(against.values()) <= speaking:
        return None
    return max(sorted(against), key=against.__getitem__)


def _bridged(these: list[str], those: list[str], facts: Callable[[str], Facts]) -> bool:
    """Whether two sides are both known by more than a name, and share no more than a name.

    Somebody of whom only the name is known may be either of two people of that name, and must not make them one.
    """
    one, other = [facts(record) for record in these], [facts(record) for record in those]
    differ = False
    for kind in range(len(NOBODY.contacts)):
        a = {f.contacts[kind] for f in one} - {None}
        b = {f.contacts[kind] for f in other} - {None}
        if a & b:
            return False
        differ = differ or bool(a and b)
    numbers, others = ({f.reference for f in side if f.reference} for side in (one, other))
    held, theirs = ({pair for f in side for pair in f.strong.items()} for side in (one, other))
    if numbers & others or held & theirs:
        return False
    born, also = ({f.birthday for f in side if f.birthday} for side in (one, other))
    if any(DamerauLevenshtein.distance(x, y, score_cutoff=2) <= 2 for x in born for y in also):
        return False
    return differ or bool(born and also)


def _tells(a: Facts, b: Facts) -> bool:
    """Whether that two records do not differ means something: an initial fits too many names to speak for one."""
    if a.reference and b.reference:
        return True
    return bool(a.first_name and b.first_name) and len(a.first_name or "") > 1 and len(b.first_name or "") > 1
