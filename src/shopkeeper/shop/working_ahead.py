"""The end of a refresh of many customers: what pages ask of all of them is worked out before anybody asks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from shopkeeper.domain.errors import StoreFailure
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.traits import Trait
from shopkeeper.shop import insights, regulars, remembering, reporting
from shopkeeper.shop.places import Places

log = logging.getLogger("shopkeeper.refresh")

MANY: Final = 20_000
"""Customers from which on it takes a page more than a second; of fewer it is asked when it is wanted."""
SOME: Final = 5_000
"""Customers from which on the report alone does."""


def work_ahead(places: Places, traits: Sequence[Trait], progress: Progress | None = None) -> bool:
    """Work out the report's figures, what sets regulars apart, and what advocacy and brand fit foretold; whether there
    was anything to do.

    Where the lake's engine cannot, of too little memory for one, the refresh stands and pages ask themselves.
    """
    erasures = places.ledger.write(remembering.begin)
    customers = places.lake.query("SELECT count(*) AS n FROM customers")["n"][0].as_py()
    if customers < min(SOME, MANY):
        return False
    told = insights.known(places, traits)
    tell = progress or _silent
    tell("answers", 0.0)

    def remember(name: str, key: str, answer: Any) -> None:
        remembering.remember(places, told, name, key, answer, erasures=erasures)

    try:
        remember(remembering.REPORT, reporting.by(places), reporting.asked(places))
        tell("answers", 0.2)
        if customers >= MANY:
            since = regulars.began(places)
            if since is not None and not isinstance(found := regulars.beside(places, traits, since), int):
                remember(remembering.REGULARS, since, found)
            tell("answers", 0.5)
            back = insights.looked_back(places, traits)
            remember(remembering.LOOKED_BACK, "", back)
    except StoreFailure as failed:
        log.warning("not worked out ahead: %s", failed)
    tell("answers", 1.0)
    return True


def _silent(_step: str, _share: float) -> None:
    return None
