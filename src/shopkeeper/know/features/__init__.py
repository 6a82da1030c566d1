"""What was known of every customer at an instant, asked of the lake: trade, goods, deeds, consents."""

from __future__ import annotations

from shopkeeper.know.features.asked import Asked, places
from shopkeeper.know.features.consent import columns as consent_columns
from shopkeeper.know.features.consent import consents
from shopkeeper.know.features.consent import words as _of_consents
from shopkeeper.know.features.deeds import Deeds, deeds
from shopkeeper.know.features.deeds import words as _of_deeds
from shopkeeper.know.features.goods import WORDS as _OF_GOODS
from shopkeeper.know.features.goods import Goods, goods
from shopkeeper.know.features.trade import ADDED, BACK, CHANNELS, ORDER, Trade, trade


def words() -> dict[str, str]:
    """Every column of goods, deeds and consents in words."""
    return _OF_GOODS | _of_deeds() | _of_consents()


__all__ = [
    "ADDED",
    "BACK",
    "CHANNELS",
    "ORDER",
    "Asked",
    "Deeds",
    "Goods",
    "Trade",
    "consent_columns",
    "consents",
    "deeds",
    "goods",
    "places",
    "trade",
    "words",
]
