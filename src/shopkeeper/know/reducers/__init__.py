"""What each event does to a customer's record. ``REDUCERS`` maps event names to functions; see ``know.fold``."""

from shopkeeper.know.reducers import buying, consenting, engaging, identifying, shopping, visiting
from shopkeeper.know.reducers.shape import Moment, Reads, Reducer

REDUCERS: dict[str, Reducer] = {
    **buying.REDUCERS,
    **shopping.REDUCERS,
    **engaging.REDUCERS,
    **visiting.REDUCERS,
    **consenting.REDUCERS,
    **identifying.REDUCERS,
}
"""Every reducer by event name. Events without one are counted and shown on the timeline."""

READS: Reads = {**buying.READS, **shopping.READS, **engaging.READS}
"""See ``shape.Reads``."""

VERSION = 4
"""Raise it when any reducer changes: records folded by another version are folded anew."""

__all__ = ["READS", "REDUCERS", "VERSION", "Moment", "Reducer"]
