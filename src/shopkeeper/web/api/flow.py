"""Live collection for programs: sources, figures, and the same in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from litestar import Request, Response, get
from msgspec import Struct

from shopkeeper.domain.actor import Permission
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.api.shapes import NOT_PERMITTED, PREFIX

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]
"""Labels and a value."""
_FIELDS = ("received", "kept", "repeated", "refused")


class KeyHint(Struct, frozen=True, kw_only=True):
    """A write key, without what makes it one."""

    hint: str
    created_at: datetime
    used_at: datetime | None
    ends_at: datetime | None
    works: bool


class SourceEntry(Struct, frozen=True, kw_only=True):
    """A source, its keys, and what it told: in the last 24 hours and in all."""

    name: str
    kind: str
    brand: str
    channel: str
    disabled: bool
    events_per_second: int
    origins: tuple[str, ...]
    keys: tuple[KeyHint, ...]
    signs_since: datetime | None
    last_at: datetime | None
    today: dict[str, int]
    in_all: dict[str, int]
    in_quarantine: dict[str, int]


class Sources(Struct, frozen=True):
    """Every source."""

    data: tuple[SourceEntry, ...]


class FlowNow(Struct, frozen=True, kw_only=True):
    """Live collection at this moment."""

    working: bool
    lag_seconds: float
    waiting_deliveries: int
    waiting_events: int
    waiting_octets: int
    unfolded: int
    quarantined: int


@get(
    PREFIX + "/sources",
    sync_to_thread=True,
    responses=NOT_PERMITTED,
    tags=["collection"],
    operation_id="sources",
    opt={OPT: Permission.COLLECT},
)
def sources(shop: Shop) -> Sources:
    """Every source, and what it told to whom may see reports; no key is shown."""
    flow = shop.flow() if shop.actor.may(Permission.REPORT) else None
    in_all = shop.source_totals() if flow else {}
    today = {one.source: one for one in flow.sources} if flow else {}
    entries = []
    for shown in shop.sources():
        source = shown.source
        entries.append(
            SourceEntry(
                name=source.name,
                kind=source.kind,
                brand=source.brand,
                channel=source.channel,
                disabled=source.disabled,
                events_per_second=source.events_per_second,
                origins=source.origins,
                keys=tuple(
                    KeyHint(
                        hint=key.hint,
                        created_at=key.created_at,
                        used_at=key.used_at,
                        ends_at=key.ends_at,
                        works=key.works,
                    )
                    for key in shown.keys
                ),
                signs_since=shown.secret_since,
                last_at=today[source.name].last_at if source.name in today else None,
                today={field: getattr(today.get(source.name), field, 0) for field in _FIELDS},
                in_all={field: getattr(in_all.get(source.name), field, 0) for field in _FIELDS},
                in_quarantine=flow.quarantined.get(source.name, {}) if flow else {},
            )
        )
    return Sources(tuple(entries))


@get(
    PREFIX + "/flow",
    sync_to_thread=True,
    responses=NOT_PERMITTED,
    tags=["collection"],
    operation_id="flow",
    opt={OPT: Permission.REPORT},
)
def flow_now(shop: Shop) -> FlowNow:
    """What waits, how long it has waited, and whether a worker works."""
    flow = shop.flow()
    return FlowNow(
        working=flow.working,
        lag_seconds=flow.lag_seconds,
        waiting_deliveries=flow.waiting_deliveries,
        waiting_events=flow.waiting_events,
        waiting_octets=flow.waiting_octets,
        unfolded=flow.unfolded,
        quarantined=sum(sum(reasons.values()) for reasons in flow.quarantined.values()),
    )


@get("/metrics", sync_to_thread=True, include_in_schema=False, opt={OPT: Permission.REPORT})
def metrics(request: Request[Any, Any, Any], shop: Shop) -> Response[bytes]:
    """The figures in Prometheus' text format; scrape with an API key that has the scope ``report``."""
    flow, in_all = shop.flow(), shop.source_totals()
    turned_away = request.app.state.door.turned_away
    families: list[tuple[str, str, str, Iterable[Sample]]] = [
        *(
            (
                f"shopkeeper_events_{field}_total",
                "counter",
                f"Events of live sources: {field}.",
                [({"source": name}, getattr(totals, field)) for name, totals in sorted(in_all.items())],
            )
            for field in _FIELDS
        ),
        (
            "shopkeeper_source_last_event_timestamp_seconds",
            "gauge",
            "When a source last told something.",
            [
                ({"source": name}, totals.last_at.timestamp())
                for name, totals in sorted(in_all.items())
                if totals.last_at is not None
            ],
        ),
        (
            "shopkeeper_quarantine_rows",
            "gauge",
            "What was refused and is kept, by source and reason.",
            [
                ({"source": source, "reason": reason}, count)
                for source, reasons in sorted(flow.quarantined.items())
                for reason, count in sorted(reasons.items())
            ],
        ),
        (
            "shopkeeper_requests_turned_away_total",
            "counter",
            "Requests for this process that were answered with an error at once.",
            [
                ({"source": source, "code": code}, count)
                for (source, code), count in sorted(turned_away.items())
            ],
        ),
        ("shopkeeper_inbox_deliveries", "gauge", "Deliveries that wait.", [({}, flow.waiting_deliveries)]),
        ("shopkeeper_inbox_events", "gauge", "Events that wait, about.", [({}, flow.waiting_events)]),
        ("shopkeeper_inbox_bytes", "gauge", "Octets that wait.", [({}, flow.waiting_octets)]),
        ("shopkeeper_lag_seconds", "gauge", "Age of the oldest that waits.", [({}, flow.lag_seconds)]),
        ("shopkeeper_events_unfolded", "gauge", "Events in no record yet.", [({}, flow.unfolded)]),
        ("shopkeeper_worker_up", "gauge", "Whether a worker works.", [({}, int(flow.working))]),
    ]
    return Response("".join(_family(*family) for family in families).encode(), media_type=PROMETHEUS)


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> str:
    r"""One family of samples.

    >>> print(_family("a_total", "counter", "Some.", [({"b": 'x"y'}, 2)]), end="")
    # HELP a_total Some.
    # TYPE a_total counter
    a_total{b="x\"y"} 2
    """
    lines = [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        told = ",".join(f'{label}="{_escaped(said)}"' for label, said in labels.items())
        lines.append(f"{name}{{{told}}} {value}" if told else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
