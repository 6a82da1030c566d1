"""Verbs of the shop about what customers are worth, now and as it was predicted earlier."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.traits import Trait
from shopkeeper.domain.value import Predicted, ValueReport
from shopkeeper.shop import valuing
from shopkeeper.shop.places import Places
from shopkeeper.shop.predicting import pricing, recalling

if TYPE_CHECKING:
    import pyarrow as pa

    from shopkeeper.predict.value.discount import Discount


class ValueVerbs:
    """What customers are worth."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

        def _note(self, verb: str, subject: str = "", detail: str = "") -> None: ...

        def traits(self) -> tuple[Trait, ...]:
            """Every declared trait."""
            ...

    def value(self) -> ValueReport:
        """Who holds the value, how sure that is, whether the model beats simple rules, and how predictions moved."""
        self._may(Permission.REPORT, "see what customers are worth")
        return valuing.report(self.places, self.traits())

    def worth(
        self,
        condition: str | None = None,
        *,
        horizon: float | None = None,
        until: date | str | None = None,
        as_of: date | datetime | str | None = None,
        discount: Discount | float | None = None,
    ) -> pa.Table:
        """Orders and contribution margin expected of customers, a row each, with ranges of 80 %.

        ``horizon`` is in weeks from the end of ``as_of`` (default: the setting ``horizon_weeks`` from today);
        ``math.inf`` asks for the residual value; ``until`` names its last day instead. ``discount`` is a rate with
        its period (``predict.value.Discount``), or a yearly one as a share. The model is of the kind
        that the refresh at or before ``as_of`` chose, fitted to orders dated up to then. ``value_sd`` is the
        standard deviation of a customer alone: variances of a group's customers add up, and the schema's ``together``
        is the share by which all of them may be off at once; ``total``, ``total_low`` and ``total_high`` are all
        customers of the answer together. ``tested_weeks`` is how far ahead the shop's past could test the model:
        farther is extrapolated. ``notes``, a line each, say what a reader should know.
        """
        self._may(Permission.REPORT, "see what customers are worth")
        found = pricing.worth(
            self.places, self.traits(), condition=condition, horizon=horizon, until=until, as_of=as_of,
            discount=discount,
        )  # fmt: skip
        self._note("see what customers are worth", detail=f"{found.num_rows} customers")
        return found

    def predicted(self, as_of: date | datetime | str | None = None, condition: str | None = None) -> pa.Table:
        """What the last refresh at or before a day's end (or an instant) predicted, a row per customer.

        ``condition`` says of whom, by what is known of them today. Who was merged since is one row, whose values and
        bounds are sums; the table's schema says ``as_of``, the moment of that refresh. Raises NotFound where none that
        early is kept.
        """
        self._may(Permission.REPORT, "see what was predicted")
        found = recalling.predicted(self.places, as_of, condition, self.traits())
        self._note("see what was predicted", detail=f"{found.num_rows} customers")
        return found

    def predictions(self, who: str | int) -> Predicted:
        """What was predicted of one customer, refresh by refresh; nothing of somebody who objects to profiling."""
        self._may(Permission.LOOK_UP, "see what was predicted of a customer")
        found = recalling.of_customer(self.places, who)
        self._note("see what was predicted of a customer", found.id)
        return found
