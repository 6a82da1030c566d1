"""Verbs of the shop about regulars, those who bring others, and brand fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.advocacy import Advocate, Advocates, Regulars
from shopkeeper.domain.traits import Trait
from shopkeeper.shop import advocates, regulars
from shopkeeper.shop.places import Places


class AdvocacyVerbs:
    """Who comes back, who brings others, who fits."""

    places: Places
    actor: Actor

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

        def traits(self) -> tuple[Trait, ...]:
            """Every declared trait."""
            ...

    def regulars(self) -> Regulars:
        """Who comes back regularly, what sets them apart, and what that is open to action goes with it.

        As of the last refresh; everything told is association. With too few regulars it says so and compares nothing.
        """
        self._may(Permission.REPORT, "see what sets regulars apart")
        return regulars.regulars(self.places, self.traits())

    def advocates(self, *, sort: str = "value", most: int = 25, cursor: str | None = None) -> Advocates:
        """Those who bring others, praise and share, with the value they brought; sorted by value, score or customers.

        ``cursor`` is the ``next`` of the page before. Also what went before bringing others, and whether brand fit
        foretold later orders.
        """
        self._may(Permission.REPORT, "see who brings others")
        found = advocates.advocates(
            self.places, self.traits(), sees=self.actor.sees, sort=sort, most=most, cursor=cursor
        )
        self._note("see who brings others", detail=f"{len(found.rows)} customers named")
        return found

    def advocate(self, who: str | int) -> Advocate:
        """One customer's advocacy and brand fit with their parts, whom they brought and who brought them."""
        self._may(Permission.LOOK_UP, "look up who somebody brought")
        found = advocates.advocate(self.places, who, sees=self.actor.sees)
        self._note("look up who somebody brought", found.id)
        return found
