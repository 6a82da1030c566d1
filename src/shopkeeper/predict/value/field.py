"""The field of the tournament: all entries, from the simplest to the most elaborate."""

from __future__ import annotations

import numpy as np

from shopkeeper.domain.errors import UnknownName
from shopkeeper.predict.value.candidates import DEARER, MODELS, RULES, UNTESTED, Entry, Fitted, RegularEntry
from shopkeeper.predict.value.learned import LearnedEntry
from shopkeeper.predict.value.origin import Known

LEARNED: tuple[Entry, ...] = (
    LearnedEntry("mean of model and learner", MODELS[0], share=0.5),
    LearnedEntry("learner", MODELS[0]),
)


FEW = 200
"""Below so many customers there is nothing to tell the elaborate from the simple by."""
SOME = 500
"""Below so many of the elaborate only the one for regular buyers takes part: Pareto/NBD is MBG/NBD within noise
there, and seasons and trees have too little to learn from."""
_REGULAR = tuple(entry for entry in DEARER if isinstance(entry, RegularEntry))


def entries(customers: float = np.inf) -> tuple[Entry, ...]:
    """Give all who take part in a shop of so many customers, from the simplest."""
    if customers < FEW:
        return (*RULES, *MODELS)
    if customers < SOME:
        return (*RULES, *MODELS, *_REGULAR)
    return (*RULES, *MODELS, *DEARER, *LEARNED)


def fit_entry(name: str, known: Known, window: float) -> Fitted:
    """Fit the entry of that name, or the one used untested where it cannot be fitted.

    Raises:
        UnknownName: no entry is called so.
    """
    by_name = {entry.name: entry for entry in entries()}
    if name not in by_name:
        raise UnknownName("model", name, by_name)
    return by_name[name].fit(known, window) or untested(known, window)


def untested(known: Known, window: float) -> Fitted:
    """Fit the entry that is used where there is nothing to tell from."""
    model = next(entry for entry in MODELS if entry.name == UNTESTED)
    return model.fit(known, window)
