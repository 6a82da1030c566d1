"""What groups of customers have in common, how they overlap and change, and which part channels play for them.

Everything works on ``People`` (the lake's customers in one order of rows) and masks over them; where a mask comes
from, a condition, a segment or a notebook, is not known here.
"""

from shopkeeper.know.insight.channels import ChannelsPart, by_segment, parts, read_paths
from shopkeeper.know.insight.clusters import Clusters, clusters
from shopkeeper.know.insight.comparison import compare
from shopkeeper.know.insight.derived import derived
from shopkeeper.know.insight.described import described
from shopkeeper.know.insight.facts import Bar, Comparison, Fact
from shopkeeper.know.insight.flows import Flows, flows
from shopkeeper.know.insight.overlaps import Overlaps, overlaps
from shopkeeper.know.insight.people import People
from shopkeeper.know.insight.ready import ReadyMade, Tier, ready_made, tiers
from shopkeeper.know.insight.rfm import Grid, grid

__all__ = [
    "Bar",
    "ChannelsPart",
    "Clusters",
    "Comparison",
    "Fact",
    "Flows",
    "Grid",
    "Overlaps",
    "People",
    "ReadyMade",
    "Tier",
    "by_segment",
    "clusters",
    "compare",
    "derived",
    "described",
    "flows",
    "grid",
    "overlaps",
    "parts",
    "read_paths",
    "ready_made",
    "tiers",
]
