"""What browser SDKs ask before they send: the settings of their source, with this server as their only destination."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from shopkeeper.web.tracking import answers
from shopkeeper.web.tracking.answers import Refusal
from shopkeeper.web.tracking.keys import LONGEST, admitted, from_header, from_query

if TYPE_CHECKING:
    from shopkeeper.web.tracking.door import Asked, Door

_HOST: Final = re.compile(rb"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?")


async def segment_settings(door: Door, asked: Asked, _topic: str) -> None:
    """GET /v1/projects/{writeKey}/settings: what analytics-next and the mobile SDKs begin with."""
    key = asked.name
    asked.name = ""  # a key is nothing to count by
    source = door.senders.source(key if len(key) <= LONGEST else "", asked.scope, asked.origin)
    asked.name = source.name
    host = asked.header(b"host")
    if not _HOST.fullmatch(host):
        raise Refusal(400, "bad_host", "the Host header is not a name")
    scheme = asked.scope.get("scheme", "http")
    everything = {"__default": {"enabled": True}}
    settings: dict[str, Any] = {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": host.decode("ascii") + "/v1",
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": False,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {"track": everything, "identify": everything, "group": everything},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
    await answers.told(asked.send, settings, asked.origin)


async def rudder_settings(door: Door, asked: Asked, _topic: str) -> None:
    """GET /sourceConfig/: what RudderStack's SDKs begin with. It names no destination, so nothing else is loaded."""
    key = from_header(asked.authorization) if asked.authorization else from_query(asked.scope["query_string"])
    # a source that is switched off is told so in the SDK's own way, and then it does not send
    found = door.senders.any_source(key, asked.scope)
    if not found.disabled:
        admitted(found, asked.origin)
    asked.name = found.name
    silent = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source: dict[str, Any] = {
        "id": found.name,
        "name": found.name,
        "writeKey": key,
        "enabled": not found.disabled,
        "workspaceId": "shopkeeper",
        "config": {"statsCollection": silent},
        "connections": [],
        "destinations": [],
        "dataplanes": {},
    }
    told = {"source": source, "isHosted": False, "consentManagementMetadata": {"providers": []}}
    await answers.told(asked.send, told, asked.origin)
