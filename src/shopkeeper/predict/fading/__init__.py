"""When a customer's silence becomes unusual by that customer's own rhythm, and what the customer is then called."""

from __future__ import annotations

from shopkeeper.predict.fading.force import Rhythm, kept, learn
from shopkeeper.predict.fading.purchases import Purchases, of_days, purchases
from shopkeeper.predict.fading.rhythm import Gaps, Population, fit_population, gaps
from shopkeeper.predict.fading.states import NEVER, Limits, Stands, limits, stand
from shopkeeper.predict.fading.tail import BASES, CALENDAR, OWN, POPULATION, STATES, Fading, fading

__all__ = [
    "BASES",
    "CALENDAR",
    "NEVER",
    "OWN",
    "POPULATION",
    "STATES",
    "Fading",
    "Gaps",
    "Limits",
    "Population",
    "Purchases",
    "Rhythm",
    "Stands",
    "fading",
    "fit_population",
    "gaps",
    "kept",
    "learn",
    "limits",
    "of_days",
    "purchases",
    "stand",
]
