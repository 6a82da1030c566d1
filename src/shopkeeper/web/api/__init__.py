"""The API under ``/api/v1``: the shop's verbs as resources; the structs of ``domain`` are its models."""

from __future__ import annotations

from typing import Any

from shopkeeper.web.api import (
    customers,
    docs,
    features,
    flow,
    identity,
    insight,
    profiles,
    segments,
    segments_live,
    whole,
)

API: tuple[Any, ...] = (
    whole.health,
    whole.me,
    profiles.profile,
    profiles.profile_traits,
    profiles.profile_identifiers,
    profiles.profile_household,
    profiles.profile_events,
    customers.list_customers,
    segments.query_customers,
    segments.size_customers,
    features.features,
    insight.read_condition,
    insight.compare,
    insight.channels,
    insight.overlaps,
    insight.suggestions,
    identity.explain,
    identity.explain_pair,
    identity.match,
    identity.turns,
    identity.review,
    identity.settle,
    identity.rules,
    identity.junk,
    segments_live.segments,
    segments_live.all_changes,
    segments_live.segment,
    segments_live.save,
    segments_live.activate,
    segments_live.pause,
    segments_live.archive,
    segments_live.members,
    segments_live.changes,
    segments_live.recount,
    whole.report,
    whole.traits,
    flow.sources,
    flow.flow_now,
    flow.metrics,
    docs.docs_page,
    docs.docs_entrance,
)
"""The handlers of the API."""
