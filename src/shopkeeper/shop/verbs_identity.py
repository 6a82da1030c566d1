"""Verbs of the shop about who is who: why, why not, what was merged and split, what needs a look, and settling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Actor, Permission
from shopkeeper.domain.identity import (
    Explanation,
    Household,
    JunkFound,
    Matches,
    ReviewPage,
    Ruling,
    Settle,
    Settlement,
    TurnShown,
)
from shopkeeper.domain.protocols import Progress
from shopkeeper.shop import (
    households,
    identifying,
    linking,
    matching,
    refusals,
    reviewing,
    ruling,
    settling,
)
from shopkeeper.shop.places import Places


class IdentityVerbs:
    """Who is who."""

    places: Places
    actor: Actor

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

        def _note_change(self, verb: str, subject: str = "", detail: str = "") -> None: ...

    def explain(self, one: str, other: str) -> Explanation:
        """Why two identifiers are one customer's: the chain of evidence; or why not: the guard between them."""
        self._may(Permission.LOOK_UP, "see why identifiers belong together")
        found = identifying.explain(self.places, one, other, sees=self.actor.sees)
        self._note("see why identifiers belong together", found.customers[0], found.customers[1])
        return found

    def match(self, who: str | int | None = None, *, limit: int = 5, **details: str) -> Matches:
        """Who somebody may be: customers ranked by the model's probability that they are one person with the customer
        ``who``, or with somebody of whom ``details`` are told: first_name, last_name, birthday, street, city, postcode,
        state, email, phone, gender. Each with its waterfall. Raises Conflict where ``link_people`` never ran.
        """
        self._may(Permission.LOOK_UP, "look for likely matches")
        found = matching.match(self.places, who, details, limit, sees=self.actor.sees)
        listed = " ".join(row.id for row in found.rows)
        self._note(
            "look for likely matches", found.customer, f"{len(found.rows)} shown: {listed}".rstrip(": ")
        )
        return found

    def household(self, who: str | int) -> Household:
        """The other customers of somebody's household: one family name at one address, or an address or telephone that
        a few share. A grouping, never a merge.
        """
        self._may(Permission.LOOK_UP, "see a household")
        found = households.household(self.places, who, sees=self.actor.sees)
        self._note("see a household", found.customer, f"{len(found.members)} others")
        return found

    def turns(
        self, who: str | None = None, *, cursor: int | None = None, limit: int = 50
    ) -> tuple[TurnShown, ...]:
        """Merges and splits, of one customer or of all, latest first; ``cursor`` is the last number of a page."""
        self._may(Permission.LOOK_UP, "see merges and splits")
        customer, found = identifying.turns(self.places, who, cursor, limit, sees=self.actor.sees)
        self._note("see merges and splits", customer, f"{len(found)} shown")
        return found

    def review(self, *, cursor: int | None = None, limit: int = 25) -> ReviewPage:
        """Identities that a person should look at: customers with too many identifiers, customers whom a guard keeps
        apart although something seen, or a model, ties them; then identifiers that many share.
        """
        self._may(Permission.RESOLVE, "see identities to review")
        found = reviewing.review(self.places, cursor, limit, sees=self.actor.sees)
        self._note("see identities to review", detail=f"{len(found.rows)} shown")
        return found

    def settle(self, what: str, *identifiers: str, customer: str = "", dry_run: bool = False) -> Settlement:
        """Settle who is who: ``same``, ``different``, ``undecide`` or ``leave`` for two identifiers; ``undecide`` (all
        decisions on it), ``unlink``, ``leave``, ``set_aside`` or ``restore`` for one; ``split`` for some of a
        ``customer``. ``dry_run`` only says what it does.

        Events stay as they are; what was folded from them follows their identifiers. What had been withdrawn before a
        split stays withdrawn on both sides.
        """
        self._may(Permission.RESOLVE, "settle who is who")
        ask = Settle(what=what, identifiers=identifiers, customer=customer, dry_run=dry_run)
        made = settling.settle(self.places, ask, self.actor.name)
        subject = made.customers[0] if made.customers else ""
        if dry_run:
            self._note("see what settling would do", subject, what)
        else:
            self._note_change("settle who is who", subject, what)
        return made

    def link_people(self, *, full: bool = False, progress: Progress | None = None) -> linking.LinkedUp:
        """Link people by what they told of themselves (names, birth dates, addresses), by a model that learns from the
        shop's own records without labels. Only what was told since the last time is compared, unless ``full``, which
        also trains anew. Everything that was seen or decided stands above what the model believes.
        """
        self._may(Permission.REFRESH, "link people")
        made = linking.link_people(self.places, progress, full=full)
        refusals.sweep(self.places)
        self._note_change("link people", detail=f"{made.merged} merged, {made.split} parted")
        return made

    def identity_rules(self, *, apply: bool = False, lately: bool = False) -> Ruling:
        """The rules of identity in force and those that the settings ask for. A change of the settings holds only once
        it is applied here; without ``apply`` this says what it would part and merge. That holds up whoever writes, so
        with ``lately`` what was found within the last five minutes will do.
        """
        self._may(
            Permission.ADMINISTER if apply else Permission.RESOLVE, "see or change the rules of identity"
        )
        made = ruling.rules(self.places, apply=apply, lately=lately, actor=self.actor.name)
        note = self._note_change if apply else self._note
        note("see or change the rules of identity", detail=f"{made.merged} merged, {made.split} parted")
        return made

    def junk_identifiers(self, *, apply: bool = False, progress: Progress | None = None) -> JunkFound:
        """Values that people of very many family names share (a shop's own number, an address typed by everybody), and
        those that come back since they do not any more. They are set aside with ``apply`` only.
        """
        self._may(Permission.ADMINISTER if apply else Permission.RESOLVE, "learn which values name nobody")
        made = ruling.junk(
            self.places, apply=apply, actor=self.actor.name, sees=self.actor.sees, progress=progress
        )
        note = self._note_change if apply else self._note
        note("learn which values name nobody", detail=f"{len(made.rows)} found, {made.split} parted")
        return made

    def unlink(self, identifier: str, *, dry_run: bool = False) -> Settlement:
        """Take an identifier away from its customer, for good; both are folded anew."""
        self._may(Permission.RESOLVE, "unlink an identifier")
        return self.settle("unlink", identifier, dry_run=dry_run)

    def split(self, customer: str, *identifiers: str, dry_run: bool = False) -> Settlement:
        """Part some identifiers from a customer: they are somebody else's."""
        self._may(Permission.RESOLVE, "split a customer")
        return self.settle("split", *identifiers, customer=customer, dry_run=dry_run)
