"""Segments: a condition asked of all customers at once, in one question to the lake.

The same conditions are answered for one customer by ``domain.condition``'s closures; both mean the same.
"""

from shopkeeper.know.segments.question import Question, Setting, answers, matches, totals

__all__ = ["Question", "Setting", "answers", "matches", "totals"]
