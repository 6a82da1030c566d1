"""The door for machines: whatever a site, an app, a till or another system hands in over HTTP.

Raw ASGI in front of the pages, because nothing else is asked as often: no framework, no log line, no session. It
checks who hands in, takes off the compression, makes sure that the body can be read at all, and answers 200 once the
delivery is on disk. What the delivery means is worked out afterwards by the shop's worker.

``door`` routes and answers, ``calls`` takes tracking calls, ``signed`` takes webhooks and till logs, ``startup`` tells
browser SDKs what they ask first, ``bodies`` reads within limits, ``envelope`` reads what is around the events,
``keys`` knows the senders, ``rates`` the limits, ``answers`` what is said back, ``slow`` and ``protocol`` cut off who
dawdles, ``bridge`` waits for the disk.
"""

from __future__ import annotations

from shopkeeper.web.tracking.door import Door

__all__ = ["Door"]
