"""Every error Shopkeeper raises on purpose.

::

    ShopkeeperError
    ├── InvalidInput        what was given cannot be used; giving it again will not help
    │   ├── UnknownName     a name that is not known; carries the nearest right one
    │   ├── BadFile         a file that cannot be read as what it was said to be
    │   ├── BadCondition    a condition that cannot be understood; says where
    │   └── BadEvent        one event that breaks its declaration (goes to quarantine)
    ├── NotFound            nothing under that identifier
    ├── NotPermitted        the actor's role does not allow this verb
    │   ├── NotSignedIn     nobody has signed in, or what was shown for it is not valid (any more)
    │   └── TooManyTries    too many tries to sign in; wait the seconds it says
    ├── Conflict            it exists already, or another state is needed first
    ├── TookTooLong         a question that took longer than whoever asked will wait
    └── StoreFailure        the place where data lives failed
        ├── StoreAway       its server does not answer; try again
        ├── StoreBusy       another process holds it; try again
        ├── StoreFull       no space left; nothing was written
        ├── StoreDamaged    a file is missing, changed or not ours
        └── StoreTooNew     written by a newer Shopkeeper

Errors never know HTTP (the status table lives in ``web``) and no engine's error leaks out of ``stores``.
Messages name fields, kinds and line numbers, never personal values.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class ShopkeeperError(Exception):
    """Base of all errors raised on purpose: ``message`` says what is wrong, ``hint`` what to do about it.

    >>> str(ShopkeeperError("no shop here", hint="run 'shopkeeper init'"))
    "no shop here; run 'shopkeeper init'"
    """

    retry: ClassVar[bool] = False
    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message}; {hint}" if hint else message)


class InvalidInput(ShopkeeperError, ValueError):
    """What was given cannot be used."""

    code = "invalid_input"


class UnknownName(InvalidInput):
    """A name that is not known; the message carries the nearest right ones.

    >>> str(UnknownName("kind", "ordes", ["orders", "events"]))
    "unknown kind 'ordes'; did you mean 'orders'? Known: events, orders"
    """

    code = "unknown_name"

    def __init__(self, what: str, given: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(given.lower(), names, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        super().__init__(f"unknown {what} {given!r}", hint=f"{guess}Known: {listed}")
        self.nearest = near[0] if near else None


class BadFile(InvalidInput):
    """A file that cannot be read as what it was said to be."""

    code = "bad_file"


class BadCondition(InvalidInput):
    """A condition that cannot be understood, with the place: characters ``start`` to ``stop`` of ``text``.

    ``line`` and ``column`` count from 1; ``nearest`` is the right name that is most like the one given.

    >>> print(BadCondition("unknown trait 'order'", "order > 3", 0, 5, hint="did you mean 'orders'?"))
    unknown trait 'order' (line 1, column 1); did you mean 'orders'?
      order > 3
      ^^^^^
    """

    code = "bad_condition"

    def __init__(
        self, what: str, text: str, start: int, stop: int, *, hint: str = "", nearest: str | None = None
    ) -> None:
        self.what = what
        self.start = max(0, min(start, len(text)))
        self.stop = max(self.start, min(stop, len(text)))
        self.nearest = nearest
        before = text[: self.start]
        self.line = before.count("\n") + 1
        self.column = self.start - (before.rfind("\n") + 1) + 1
        super().__init__(f"{what} (line {self.line}, column {self.column})", hint=hint)
        self.excerpt = _excerpt(text, self.start, self.stop)

    def __str__(self) -> str:
        """The sentence, and the place shown beneath."""
        said = f"{self.message}; {self.hint}" if self.hint else self.message
        return f"{said}\n{self.excerpt}"


def _excerpt(text: str, start: int, stop: int, *, most: int = 76) -> str:
    """The line of the place, cut to what fits, with carets beneath."""
    begin = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    left = max(begin, min(start - most // 2, end - most))
    line = text[left : min(end, left + most)].replace("\t", " ").replace("\r", " ")
    carets = max(1, min(stop, left + len(line)) - start)
    return f"  {line}\n  {' ' * (start - left)}{'^' * carets}"


class BadEvent(InvalidInput):
    """One event that breaks its declaration. ``reason`` is a stable code that quarantine groups by."""

    code = "bad_event"

    def __init__(self, reason: str, message: str, *, hint: str = "") -> None:
        self.reason = reason
        super().__init__(message, hint=hint)


class NotFound(ShopkeeperError, LookupError):
    """Nothing is known under the identifier that was given."""

    code = "not_found"


class NotPermitted(ShopkeeperError, PermissionError):
    """The actor's role does not allow this verb."""

    code = "not_permitted"


class NotSignedIn(NotPermitted):
    """Nobody has signed in, or what was shown for it is not valid or not valid any more."""

    code = "not_signed_in"


class TooManyTries(NotPermitted):
    """Too many tries to sign in. ``wait`` is how many seconds to wait before the next."""

    code = "too_many_tries"

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__("too many tries to sign in", hint=f"wait {wait} seconds, then try again")


class Conflict(ShopkeeperError):
    """It exists already, or another state is needed first."""

    code = "conflict"


class TookTooLong(ShopkeeperError):
    """A question took longer than whoever asked will wait (``domain.patience``), and was stopped."""

    code = "took_too_long"


class StoreFailure(ShopkeeperError):
    """The place where data lives failed."""

    code = "store_failure"


class StoreAway(StoreFailure):
    """The server that holds the store does not answer, or went away; trying again later helps."""

    code = "store_away"
    retry = True


class StoreBusy(StoreFailure):
    """Another process holds the store; trying again later helps."""

    code = "store_busy"
    retry = True


class StoreFull(StoreFailure):
    """No space left on the device; nothing of the failed write was kept."""

    code = "store_full"
    retry = True


class StoreDamaged(StoreFailure):
    """A file of the store is missing, changed or not one of ours."""

    code = "store_damaged"


class StoreTooNew(StoreFailure):
    """The store was written by a newer Shopkeeper than this one."""

    code = "store_too_new"
