"""The language of conditions: a segment, an eligibility rule, a trigger and a report filter are the same thing.

An SQL expression over a customer's traits and events is read (``parse``), understood (``check``), written again
(``sql``, ``english``, ``builder``), and answered for one customer (``closure``) or, by an engine, for all.
"""

from shopkeeper.domain.condition.check import Condition, check
from shopkeeper.domain.condition.parse import Parsed, parse
from shopkeeper.domain.condition.sql import sql

__all__ = ["Condition", "Parsed", "check", "parse", "sql"]
