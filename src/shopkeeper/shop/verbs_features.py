"""Verbs of the shop for the team's own models: what was known of every customer at an instant."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Permission
from shopkeeper.shop import featuring
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    import pyarrow as pa


class FeatureVerbs:
    """Features for models."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

    def features(
        self, *, as_of: date | datetime | str, horizon: int | None = None, known: bool = False
    ) -> pa.Table:
        """What was known of every customer at the end of the day ``as_of`` (or at that instant): a row each, no names.

        Nothing that happened later is in it: no event, no return or cancellation of an order, no link of a device to a
        customer. With ``known``, what happened earlier but was received later is not in it either; leave that out where
        history was imported at once. With ``horizon`` weeks, ``label_orders`` and ``label_margin`` say what was bought
        within them. Who objects to profiling has no row. Each column's sentence is in its field's metadata.
        """
        self._may(Permission.REPORT, "see the table of features")
        found = featuring.features(self.places, as_of, horizon, known=known)
        self._note("see the table of features", detail=f"{found.num_rows} customers")
        return found
