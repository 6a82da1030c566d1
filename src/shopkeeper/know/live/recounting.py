"""Recounts: who should be in which segment by all that was heard, against who is. There should be no difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from shopkeeper.know.live.held import Held, bits, numbers
from shopkeeper.know.live.watch import Watch

Different = tuple[int, int, bool]
"""A segment, a customer, and whether the customer belongs into it."""


def recount(watch: Watch, customers: Sequence[int], segments: Collection[int]) -> list[Different]:
    """Compare some customers, ascending and without a gap, with a look at their whole history; mend what differs.

    What time alone changed until now is taken in before, as it would have been a moment later.
    """
    tx = watch.tx
    watch.wake(customers)
    present: dict[int, set[int]] = defaultdict(set)
    for segment in segments:
        for customer in tx.members_between(segment, customers[0], customers[-1]):
            present[customer].add(segment)
    wanted = bits(segments)
    events = watch.events(customers, watch.network.names)
    found: list[Different] = []
    for customer, held, traits, _ in watch.kept(customers):
        afresh = Held(watch.now, held.inside & ~wanted)
        watch.evaluator.whole(customer, afresh, traits, events.get(customer, ()))
        should, is_ = afresh.inside & wanted, bits(present.pop(customer, set()))
        noted = held.inside & wanted
        if should == is_ == noted:
            continue
        differing = should ^ is_ | should ^ noted
        found += [(segment, customer, bool(should >> segment & 1)) for segment in numbers(differing)]
        held.inside = held.inside & ~wanted | is_  # what is written goes by the list of members
        watch.mend(customer, held, afresh)
    for customer, inside in present.items():  # no such customer any more
        found += [(segment, customer, False) for segment in sorted(inside)]
        watch.mend(customer, Held(watch.now, bits(inside)), Held(watch.now))
    watch.write()
    return found
