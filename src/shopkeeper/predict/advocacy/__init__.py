"""Who comes back regularly, who brings others, and who fits the brand: measures over columns, one row a customer.

``regulars`` says whose gaps are even, ``referrals`` who brought whom, ``score`` what advocacy is made of, ``brand`` how
well somebody fits, ``bringing`` what goes before bringing others. Nothing here says that one thing causes another.
"""

from shopkeeper.predict.advocacy.brand import BrandFit, Core, brand_fit, core_range
from shopkeeper.predict.advocacy.bringing import Bringing, bringing
from shopkeeper.predict.advocacy.foretelling import Foretold, foretells
from shopkeeper.predict.advocacy.referrals import Brought, brought
from shopkeeper.predict.advocacy.regulars import evenness, regulars
from shopkeeper.predict.advocacy.score import PARTS, Part, points

__all__ = [
    "PARTS",
    "BrandFit",
    "Bringing",
    "Brought",
    "Core",
    "Foretold",
    "Part",
    "brand_fit",
    "bringing",
    "brought",
    "core_range",
    "evenness",
    "foretells",
    "points",
    "regulars",
]
