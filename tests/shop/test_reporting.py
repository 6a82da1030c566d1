"""What the report asks of a long log: only what came since the last time."""

from __future__ import annotations

from types import SimpleNamespace

from shopkeeper.shop.reporting import by_name


class Log:
    """Names of events by their place, and from which places on they were counted."""

    def __init__(self):
        self.events = {}
        self.erasures = 0
        self.asked = []

    def event_names(self, after=0):
        self.asked.append(after)
        found = {}
        for seq, name in self.events.items():
            if seq > after:
                found[name] = found.get(name, 0) + 1
        return found

    def setting(self, name):
        return str({"last_seq": max(self.events, default=0), "erasures": self.erasures}[name])


def test_events_are_counted_once_and_anew_where_some_went():
    log, places = Log(), SimpleNamespace(told=None)
    assert by_name(places, log) == {}
    log.events |= {1: "Order Completed", 2: "Product Viewed", 3: "Product Viewed"}
    assert list(by_name(places, log).items()) == [("Product Viewed", 2), ("Order Completed", 1)]
    log.events |= {4: "Order Completed", 5: "Order Completed"}
    assert by_name(places, log) == {"Order Completed": 3, "Product Viewed": 2}
    assert by_name(places, log) == {"Order Completed": 3, "Product Viewed": 2}
    assert log.asked == [0, 0, 3, 5]
    del log.events[2]
    log.erasures = 1
    log.events[6] = "Order Completed"  # as many as before
    assert by_name(places, log) == {"Order Completed": 4, "Product Viewed": 1}
    assert log.asked[-1] == 0
