"""Who comes back regularly, who brings others, and who fits the brand: measures over columns, one row a customer.

``regulars`` says whose gaps are even, ``referrals`` who brought whom, ``score`` what advocacy is made of, ``brand`` how
well somebody fits, ``bringing`` what goes before bringing others. Nothing here says that one thing causes another.
"""

from shopkeeper.predict.advocacy.brand import BrandFit, Core, at_full_price, brand_fit, core_range
from shopkeeper.predict.advocacy.bringing import Bringing, Odds, bringing
from shopkeeper.predict.advocacy.foretelling import Foretold, foretells
from shopkeeper.predict.advocacy.referrals import REASONS, Brought, brought
from shopkeeper.predict.advocacy.regulars import evenness, own_gaps, regulars
from shopkeeper.predict.advocacy.score import PARTS, Part, points, praise

__all__ = [
    "PARTS",
    "REASONS",
    "BrandFit",
    "Bringing",
    "Brought",
    "Core",
    "Foretold",
    "Odds",
    "Part",
    "at_full_price",
    "brand_fit",
    "bringing",
    "brought",
    "core_range",
    "evenness",
    "foretells",
    "own_gaps",
    "points",
    "praise",
    "regulars",
]
