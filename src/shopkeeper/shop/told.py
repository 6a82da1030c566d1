"""What verbs tell of groups of customers, for doors, which may not ask the stages for their nouns. Brings NumPy along."""

from shopkeeper.know.insight import ChannelsPart, Comparison, Overlaps

__all__ = ["ChannelsPart", "Comparison", "Overlaps"]
