"""Passwords: what is refused as one, and argon2id around what is not."""

from __future__ import annotations

import re
import secrets
import threading
from functools import cache
from typing import TYPE_CHECKING

from shopkeeper.domain.errors import InvalidInput

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12
LONGEST = 256
"""Hashing takes memory and time, so a password of megabytes is none."""
_PERIOD = 4
"""A password that repeats this many characters or fewer is one of that length."""
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
)
_COMMON = frozenset(
    """
    password passw0rd passwort motdepasse contrasena senha wachtwoord letmein letmeinnow welcome willkommen bienvenue
    iloveyou iloveyouforever iloveyousomuch qwerty qwertyuiop qwertz azerty asdfgh asdfghjkl zxcvbnm admin
    administrator root superuser changeme changemenow secret topsecret trustnoone sunshine princess football baseball
    basketball superman batman starwars pokemon dragon monkey master shadow michael jennifer charlie freedom whatever
    hello helloworld goodmorning computer internet samsung google facebook default guest login signin access
    correcthorsebatterystaple shopkeeper shop store retail marketing customer customers company business summer winter
    autumn spring january february march april june july august september october november december monday friday
    test testing testtest temp temporary password1 mypassword thepassword newpassword passwordpassword
    """.split()  # noqa: SIM905 - a hundred words are read as words
)
"""The commonest words that long passwords are made of; digits and signs around them add nothing."""
_LEET = str.maketrans("0134578@$!", "oieastbasi")
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB: many sign-ins at once wait for each other rather than fill the memory."""


def refuse_weak(password: str, email: str) -> None:
    """Raise InvalidInput saying why this is no password for that user.

    >>> refuse_weak("velvet-kettle-orbit", "anna@example.com")
    >>> refuse_weak("Password2026!", "anna@example.com")
    Traceback (most recent call last):
    shopkeeper.domain.errors.InvalidInput: that password is one of the commonest; ...
    """
    if len(password) < SHORTEST:
        raise InvalidInput(
            f"a password needs at least {SHORTEST} characters",
            hint="three or four words that do not belong together",
        )
    if len(password) > LONGEST:
        raise InvalidInput(f"a password has at most {LONGEST} characters")
    plain = password.casefold()
    local = email.casefold().partition("@")[0]
    if plain == email.casefold() or (len(local) > 3 and _bare(plain) == _bare(local)):
        raise InvalidInput("the e-mail address is no password", hint="choose something nobody can look up")
    if _common(plain):
        raise InvalidInput(
            "that password is one of the commonest", hint="three or four words that do not belong together"
        )


def _bare(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", text)


def _common(plain: str) -> bool:
    if any(plain == (plain[:n] * len(plain))[: len(plain)] for n in range(1, _PERIOD + 1)):
        return True
    squeezed = re.sub(r"[\W_]+", "", plain)
    if any(squeezed in (row * 3) or squeezed[::-1] in (row * 3) for row in _ROWS):
        return True
    core = plain.strip("0123456789!?.,-_#*$@&+ ")
    for word in (plain, core, _bare(plain), _bare(plain.translate(_LEET)), _bare(core.translate(_LEET))):
        if word in _COMMON:
            return True
        half = word[: len(word) // 2]
        if half and half * 2 == word and half in _COMMON:
            return True
    return False


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return (
        PasswordHasher()
    )  # argon2id with the parameters of RFC 9106 for little memory: 64 MiB, 3 passes, 4 lanes


@cache
def _decoy() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def hashed(password: str) -> str:
    """The password as it may be kept."""
    with _AT_ONCE:
        return _hasher().hash(password)


def right(password: str, kept: str | None) -> bool:
    """Whether a password is the one that was kept; where none is kept it takes just as long to say no."""
    from argon2.exceptions import InvalidHashError, VerificationError

    decoy = _decoy()  # made for whoever asks first, known or not
    with _AT_ONCE:
        try:
            _hasher().verify(kept or decoy, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether it was hashed with other parameters than today's, so that it should be hashed anew."""
    return _hasher().check_needs_rehash(kept)
