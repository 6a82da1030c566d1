"""Which lines of one receipt number are one order, for tills restart their numbers and stores share them.

Lines of one number belong to different orders where they name different people or stores, or where they were sold
(or came back) on different days and no identifier says that it was the same person. What is known of an order is
remembered with its lines as two words of four short tags each, so that it also holds for files that come later. A tag
has 16 bits: enough to tell two receipts apart, too few to tell who somebody is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from typing import Any, Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from shopkeeper.collect.files.orderbook import FAR, Coded, Flags, Ints, OrderBook
from shopkeeper.collect.files.zone import local_days, to_local
from shopkeeper.domain.batch import LineMemory

Words = tuple[int, int]
Tags = npt.NDArray[np.uint16]

_SAVED: Final = Struct(">QQ").pack
_TAG: Final = 0xFFFF
_MARK: Final = 0xC7A1 << 48
"""Begins what is remembered of an order, before the keys of its lines."""
_NOTHING: Final[Words] = (_MARK, 0)
_STORE, _SOLD, _BACK = 32, 16, 0
_PEOPLE: Final = {"customer_id": 48, "email": 32, "loyalty_card": 16, "phone": 0}
"""What tells people apart, the strongest first, and its place in the second word."""
_DIGITS: Final = 8
"""How many digits at the end tell telephone numbers apart, however their prefix is written."""


@dataclass(slots=True)
class Groups:
    """Lines that surely are one order: their bounds, what they say of the order, and which number has which."""

    starts: Ints
    ends: Ints
    words: list[Words]
    first: list[int]
    """The first group of each number, and one more at the end."""


@dataclass(slots=True)
class Part:
    """One order: its name (the number, and what tells it apart), its groups, and what is remembered of it."""

    name: str
    key: bytes
    words: Words
    before: Words
    known: bytes | None
    """Keys of the lines known of it; None where it is new."""
    groups: list[int]

    def take(self, group: int, words: Words) -> None:
        """Add a group, and what it says."""
        self.words = _both(self.words, words)
        self.groups.append(group)

    def remembered(self, keys: bytes) -> bytes:
        """What is to be remembered of it when its lines have these keys."""
        return _SAVED(*self.words) + keys


def take_apart(book: OrderBook, starts: Ints, zone: str) -> Groups:
    """The groups of all numbers; lines are sorted anew within numbers that have several, the earliest group first."""
    back = book.quantity < 0
    tags = {
        name: _tags(book.text(name), _phone if name == "phone" else str.casefold)
        for name in ("store", *_PEOPLE)
        if book.has(name)
    }
    several = _differ(back.astype(np.uint16) + np.uint16(1), starts)
    for tag in tags.values():
        several |= _differ(tag, starts)
    for chosen in (~back, back):
        several |= _days_differ(book.time, chosen, starts, zone)
    first = starts
    if several.any():
        lines, first = _sorted(book, tags, back, starts, several, zone)
        book.reorder(lines)
        tags = {name: tag[lines] for name, tag in tags.items()}
        back = back[lines]
    return Groups(
        first,
        np.append(first[1:], book.size),
        _words(book.time, tags, back, first, zone),
        [*np.searchsorted(first, starts).tolist(), len(first)],
    )


def parts_of(
    numbers: Sequence[str],
    begins: int,
    groups: Groups,
    book: OrderBook,
    source: str,
    lines: LineMemory,
    zone: str,
) -> tuple[list[Part], int]:
    """The orders of some numbers, and how many of the numbers repeat; ``begins`` is the place of the first of them.

    A group belongs to the order that has the plain number where it agrees with what is known of it; else to one that
    is named by number, store and day, and where that one contradicts as well, by a tag of the person.
    """
    keys = [_key(source, name) for name in numbers]
    known = lines.known_lines(keys)
    found: list[Part] = []
    words, bounds = groups.words, groups.first
    others: list[tuple[Part, int, tuple[str, str]]] = []
    for place, (name, key) in enumerate(zip(numbers, keys, strict=True), begins):
        start, end = bounds[place], bounds[place + 1]
        if key not in known and end == start + 1:
            found.append(Part(name, key, words[start], _NOTHING, None, [start]))
            continue
        plain = _part(name, key, known)
        apart: dict[str, Words] = {}
        for group in range(start, end):
            mine = words[group]
            fits = (plain.known is None and not plain.groups) or _agree(plain.words, mine)
            if fits and _agree(plain.words, mine, by_person=False):
                plain.take(group, mine)
                continue
            pair = _longer(name, book, groups, group, zone)
            # What was taken apart before the plain order's person was known stays apart.
            if fits and not any(
                _says(one, mine) for one in (*_known(lines, source, pair), apart.get(pair[0], _NOTHING))
            ):
                plain.take(group, mine)
            else:
                others.append((plain, group, pair))
                apart[pair[0]] = _both(apart.get(pair[0], _NOTHING), mine)
        if plain.groups:
            found.append(plain)
    if not others:
        return found, 0
    names = dict.fromkeys(name for _, _, pair in others for name in pair)
    known = lines.known_lines([_key(source, name) for name in names])
    more = {name: _part(name, _key(source, name), known) for name in names}
    for _, group, (longer, longest) in others:
        part = more[longer]
        if (part.known is not None or part.groups) and not _agree(part.words, words[group]):
            part = more[longest]
        part.take(group, words[group])
    found.extend(part for part in more.values() if part.groups)
    return found, len({plain.name for plain, _, _ in others})


def _longer(name: str, book: OrderBook, groups: Groups, group: int, zone: str) -> tuple[str, str]:
    """The names of an order whose number is another's: with store and day, and with a tag of the person as well."""
    start, end = int(groups.starts[group]), int(groups.ends[group])
    store = max(book.text("store").listed(slice(start, end)))
    day = to_local(int(book.time[start:end].min()), zone).date().isoformat()
    longer = " ".join(filter(None, (name, store, day)))
    return longer, f"{longer} {_person(groups.words[group]):04x}"


def _known(lines: LineMemory, source: str, names: Sequence[str]) -> list[Words]:
    """What is known of the orders of those names."""
    keys = [_key(source, name) for name in names]
    known = lines.known_lines(keys)
    return [_part("", key, known).words for key in keys if key in known]


def _part(name: str, key: bytes, known: dict[bytes, bytes]) -> Part:
    had = known.get(key)
    if had is None:
        return Part(name, key, _NOTHING, _NOTHING, None, [])
    first = int.from_bytes(had[:8])
    if first & (_TAG << 48) != _MARK:  # lines alone were remembered
        return Part(name, key, _NOTHING, _NOTHING, had, [])
    words = first, int.from_bytes(had[8:16])
    return Part(name, key, words, words, had[16:], [])


def _key(source: str, name: str) -> bytes:
    return blake2b(f"{source}\0{name}".encode(), digest_size=16).digest()


def _agree(known: Words, words: Words, *, by_person: bool = True) -> bool:
    """Whether a group can be of the order of which this is known.

    ``by_person``: the same person may also buy on another day, and bring back elsewhere what was bought here.
    """
    same = False
    for shift in _PEOPLE.values():
        one, other = known[1] >> shift & _TAG, words[1] >> shift & _TAG
        if one and other:
            if one != other:
                return False
            same = by_person
            break
    only_back = not words[0] >> _SOLD & _TAG
    if _contradict(known[0], words[0], _STORE) and not (same and only_back):
        return False
    return same or not (_contradict(known[0], words[0], _SOLD) or _contradict(known[0], words[0], _BACK))


def _says(known: Words, words: Words) -> bool:
    """Whether all that a group says is known of an order."""
    return _both(known, words) == known and _agree(known, words, by_person=False)


def _contradict(known: int, word: int, shift: int) -> bool:
    one, other = known >> shift & _TAG, word >> shift & _TAG
    return bool(one and other and one != other)


def _both(known: Words, words: Words) -> Words:
    """What is known, and where nothing is, what the group says."""
    if known in (words, _NOTHING):
        return words
    total = []
    for one, other in zip(known, words, strict=True):
        word = one
        for shift in (0, 16, 32, 48):
            if not word >> shift & _TAG:
                word |= other & (_TAG << shift)
        total.append(word)
    return total[0], total[1]


def _person(words: Words) -> int:
    return next((tag for shift in _PEOPLE.values() if (tag := words[1] >> shift & _TAG)), 0)


def _phone(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())[-_DIGITS:]


def _tags(column: Coded, spell: Callable[[str], str]) -> Tags:
    """A tag of each line's text; 0 where absent."""
    table = [crc32(spell(word).encode()) % _TAG + 1 for word in column.words]
    return np.array([*table, 0], np.uint16)[column.codes]


def _day_tags(at: Ints, zone: str) -> Tags:
    return (local_days(at, zone) % _TAG + 1).astype(np.uint16)


def _differ(tags: Tags, starts: Ints) -> Flags:
    """Which numbers have lines with different tags."""
    if not len(starts):
        return np.zeros(0, bool)
    most = np.maximum.reduceat(tags, starts)
    return np.asarray(np.minimum.reduceat(np.where(tags == 0, np.uint16(_TAG), tags), starts) < most)


def _days_differ(time: Ints, chosen: Flags, starts: Ints, zone: str) -> Flags:
    """Which numbers have lines among the chosen ones of different days."""
    if not len(starts):
        return np.zeros(0, bool)
    least = np.minimum.reduceat(np.where(chosen, time, FAR), starts)
    most = np.maximum.reduceat(np.where(chosen, time, -FAR), starts)
    differ = least < most
    spans = np.flatnonzero(differ)
    differ[spans] = local_days(least[spans], zone) != local_days(most[spans], zone)
    return np.asarray(differ)


def _sorted(
    book: OrderBook, tags: dict[str, Tags], back: Flags, starts: Ints, several: Flags, zone: str
) -> tuple[Ints, Ints]:
    """The lines' new order, and where groups begin in it."""
    number = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, book.size)))
    rows = np.flatnonzero(several[number])
    columns: list[npt.NDArray[Any]] = [tag[rows] for tag in tags.values()]
    columns += [back[rows].astype(np.uint16), _day_tags(book.time[rows], zone), number[rows]]
    rank = np.lexsort(columns)
    new = np.zeros(len(rows), bool)
    new[:1] = True
    for column in columns:
        there = column[rank]
        new[1:] |= there[1:] != there[:-1]
    label = np.empty(len(rows), np.int64)
    label[rank] = np.cumsum(new) - 1
    earliest = np.minimum.reduceat(book.time[rows][rank], np.flatnonzero(new))
    final = np.lexsort((label, earliest[label], number[rows]))
    lines = np.arange(book.size)
    lines[rows] = rows[final]
    sorted_ = label[final]
    begins = rows[np.flatnonzero(np.append(True, sorted_[1:] != sorted_[:-1]))]
    return lines, np.union1d(starts, begins)


def _words(time: Ints, tags: dict[str, Tags], back: Flags, first: Ints, zone: str) -> list[Words]:
    """What each group says of its order."""
    one = np.full(len(first), _MARK, np.uint64)
    two = np.zeros(len(first), np.uint64)
    if not len(first):
        return []
    for name, tag in tags.items():
        told = np.maximum.reduceat(tag, first).astype(np.uint64)
        if name == "store":
            one |= told << np.uint64(_STORE)
        else:
            two |= told << np.uint64(_PEOPLE[name])
    for shift, chosen in ((_SOLD, ~back), (_BACK, back)):
        at = np.minimum.reduceat(np.where(chosen, time, FAR), first)
        there = np.flatnonzero(at < FAR)
        one[there] |= _day_tags(at[there], zone).astype(np.uint64) << np.uint64(shift)
    return list(zip(one.tolist(), two.tolist(), strict=True))
