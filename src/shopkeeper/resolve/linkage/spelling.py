"""One spelling per name, address and date: case, accents, punctuation, abbreviations, junk that says nothing.

What goes in is text that people typed; what comes out is compared. Nothing here raises: text that says nothing
becomes None, long text is cut, letters of every script stay.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST = 48
"""Characters of a name or street that count; nobody's name is told apart by what comes later."""

_RAW = 400
_NOTHING = frozenset(
    [
        *(
            "na",
            "nil",
            "none",
            "null",
            "nan",
            "unknown",
            "unbekannt",
            "inconnu",
            "undefined",
            "tbc",
            "tbd",
            "default",
        ),
        *(
            "test",
            "tester",
            "testing",
            "asdf",
            "qwerty",
            "x",
            "xx",
            "xxx",
            "dummy",
            "anonymous",
            "anon",
            "nobody",
        ),
        *("guest", "customer", "kunde", "client", "cliente", "user", "owner", "occupier", "resident"),
        *("name", "noname", "first", "firstname", "last", "lastname", "surname"),
    ]
)
_TITLES = frozenset(
    [
        *(
            "mr",
            "mrs",
            "ms",
            "miss",
            "dr",
            "prof",
            "sir",
            "lord",
            "lady",
            "rev",
            "mme",
            "mlle",
            "herr",
            "frau",
        ),
        *("sr", "sra", "senor", "senora", "dhr", "mevr"),
    ]
)
_STREET = {
    "st": "street", "str": "street", "strasse": "street", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane",
    "dr": "drive", "drv": "drive", "ct": "court", "crt": "court", "pl": "place", "sq": "square", "cl": "close",
    "cres": "crescent", "cr": "crescent", "blvd": "boulevard", "tce": "terrace", "terr": "terrace", "ter": "terrace",
    "gdns": "gardens", "gdn": "gardens", "pde": "parade", "hwy": "highway", "pk": "park", "grv": "grove",
    "gr": "grove", "cct": "circuit", "cir": "circle", "crcl": "circle", "wy": "way", "n": "north", "s": "south",
    "e": "east", "w": "west", "mt": "mount", "apt": "flat", "apartment": "flat", "unit": "flat", "no": "",
}  # fmt: skip
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d"})
_WORDS = re.compile(r"[^\W_]+")
_HOUSE = re.compile(r"^\d{1,5}[a-z]?$")
_GERMAN = re.compile(r"(str|strasse)$")
_DIGITS = re.compile(r"\d+")
_MADE_OF_ONE = re.compile(r"^(.)\1{2,}$")


def plain(text: str) -> str:
    """Lower case, without accents and punctuation; words parted by one blank.

    >>> plain("  Zoë O'Brien-Müller "), plain("🙂"), plain("אבג")
    ('zoe obrien muller', '', 'אבג')
    """
    if text.isascii():
        low = text[:_RAW].lower()
    else:
        parts = unicodedata.normalize(
            "NFKD", unicodedata.normalize("NFKD", text[:_RAW]).casefold().translate(_LETTERS)
        )
        low = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join(_WORDS.findall(low.replace("'", "").replace("’", "")))


@lru_cache(maxsize=100_000)
def name(text: str | None) -> str | None:
    """A given or family name as it is compared; None when it says nothing.

    >>> name("Dr. Anne-Marie"), name("N/A"), name("xxx"), name("J."), name("1234")
    ('anne marie', None, None, 'j', None)
    """
    if not text:
        return None
    words = [w for w in plain(text).split() if not w.isdigit()]
    words = [w for w in words if w not in _TITLES]
    said = " ".join(words)[:LONGEST].strip()
    if not said or said.replace(" ", "") in _NOTHING or (_MADE_OF_ONE.match(said) and said.isascii()):
        return None
    return said


def street(line: str | None) -> tuple[str | None, str | None]:
    """An address line as (house number, street); either may be None.

    >>> street("12a High St."), street("Hauptstr. 7"), street("Flat 3, 40 Mill Rd"), street("")
    (('12a', 'high street'), ('7', 'haupt street'), ('3 40', 'mill road flat'), (None, None))
    """
    if not line:
        return None, None
    words = plain(line).split()
    houses = [w for w in words if _HOUSE.match(w)]
    rest = [
        _STREET.get(w, w) for w in (_GERMAN.sub("", w) + " street" if _is_german(w) else w for w in words)
    ]
    kept = [w for w in rest if w and not _HOUSE.match(w)]
    if "flat" in kept:
        kept = [w for w in kept if w != "flat"] + ["flat"]
    said = " ".join(kept)[:LONGEST].strip()
    return " ".join(houses[:2]) or None, None if not said or said in _NOTHING else said


def _is_german(word: str) -> bool:
    return len(word) > 6 and bool(_GERMAN.search(word))


@lru_cache(maxsize=100_000)
def place(text: str | None) -> str | None:
    """A city or state as it is compared.

    >>> place("St. Albans "), place("unknown")
    ('st albans', None)
    """
    said = plain(text)[:LONGEST].strip() if text else ""
    return None if not said or said in _NOTHING else said


@lru_cache(maxsize=100_000)
def code(text: str | None) -> str | None:
    """A post code, or another short code: letters and digits only; zeros alone say nothing.

    >>> code(" sw1a 1aa"), code("0000"), code("10-115")
    ('sw1a1aa', None, '10115')
    """
    said = plain(text).replace(" ", "")[:24] if text else ""
    return None if not said.strip("0") or said in _NOTHING else said


@lru_cache(maxsize=200_000)
def day(text: str | None) -> str | None:
    """A day of birth as eight digits, year first; None when it cannot be one.

    Read as year-month-day where the year comes first or nothing parts the digits, otherwise as day-month-year, or
    month-day-year where only that is possible. A month or day out of range is kept: it is a typing error that still
    resembles the truth.

    >>> day("1971-06-24"), day("24/06/1971"), day("06/24/1971"), day("19710624"), day("1900-01-01"), day("soon")
    ('19710624', '19710624', '19710624', '19710624', None, None)
    """
    if not text:
        return None
    numbers = _DIGITS.findall(text[:40])
    if len(numbers) == 1 and len(numbers[0]) == 8:
        said = numbers[0]
    elif len(numbers) >= 3 and len(numbers[0]) == 4:
        said = f"{numbers[0]}{numbers[1]:0>2.2}{numbers[2]:0>2.2}"
    elif len(numbers) >= 3 and len(numbers[2]) == 4:
        first, second = numbers[0], numbers[1]
        if int(second) > 12 >= int(first):
            first, second = second, first
        said = f"{numbers[2]}{second:0>2.2}{first:0>2.2}"
    else:
        return None
    return None if said[:4] < "1890" or said in {"19000101", "19010101", "99991231"} else said


_SOUNDS = str.maketrans("bfpvcgjkqsxzdtlmnr", "111122222222334556")


@lru_cache(maxsize=100_000)
def sound(text: str | None) -> str | None:
    """A rough code of how a name sounds (Soundex, Russell 1918), for blocking; None without Latin letters.

    >>> sound("murphy"), sound("murfey"), sound("אבג")
    ('m61', 'm61', None)
    """
    if not text:
        return None
    letters = [c for c in text.replace("ph", "f") if "a" <= c <= "z"]
    if not letters:
        return None
    digits: list[str] = []
    before = letters[0].translate(_SOUNDS)
    for letter in letters[1:]:
        digit = letter.translate(_SOUNDS)
        if digit.isdigit() and digit != before:
            digits.append(digit)
        if letter not in "hw":
            before = digit
    return letters[0] + "".join(digits[:3])
