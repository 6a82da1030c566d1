"""What verbs tell of groups of customers, for doors, which do not know the stages. Brings NumPy along."""

from shopkeeper.know.insight import ChannelsPart, Comparison, Flows, Overlaps

__all__ = ["ChannelsPart", "Comparison", "Flows", "Overlaps"]
