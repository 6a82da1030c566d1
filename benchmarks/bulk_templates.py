"""Has the shop's own door make one event of every content that a drawn world has, for the bulk builder to repeat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import world as worlds
from bulk_rows import SEARCHED, SOURCE, Hand, Template

from shopkeeper.collect.intake import _SEARCHED
from shopkeeper.collect.prepare import Prepared, Preparer
from shopkeeper.collect.segment import parse_call
from shopkeeper.domain.event import Event
from shopkeeper.resolve.keys import Keys
from shopkeeper.stores.vault.aes import open_vault

_SAMPLES = 32
"""Customers with the same kinds of identifiers whose introduction is compared with the door's."""


class Door:
    """The way of an event into a shop, as far as it needs no ledger."""

    def __init__(self, secret: Path) -> None:
        self._preparer = Preparer(open_vault(secret), Keys("GB"), currency="GBP")

    def prepared(self, call: dict[str, Any]) -> tuple[Event, Prepared]:
        """What the door makes of a call."""
        event = parse_call(call, received_at=1 << 52, default_source=SOURCE)
        return event, self._preparer.prepare(event)

    def templates(self, world: worlds.World) -> tuple[list[Template], np.ndarray]:
        """Every content that events of a world have, and which one it is by kind and pick."""
        which = np.zeros((len(worlds.KINDS), worlds.PICKS), np.uint16)
        made: list[Template] = []
        known: dict[tuple[int, bytes], int] = {}
        used = np.bincount(
            world.kind.astype(np.int32) * worlds.PICKS + world.pick, minlength=which.size
        ).reshape(which.shape)
        for kind, pick in np.argwhere(used).tolist():
            content = (kind, msgspec.json.encode(worlds.properties(kind, pick)))
            found = known.get(content)
            if found is None:
                found = known[content] = len(made)
                made.append(self._template(kind, pick))
            which[kind, pick] = found
        return made, which

    def _template(self, kind: int, pick: int) -> Template:
        call = worlds.call(0, kind, pick, 3, 0, "m", 0)
        for place in ("properties", "traits"):
            for key, value in call.get(place, {}).items():
                if value == worlds.number(kind, 0) and key in ("order_id", "contact_id"):
                    call[place][key] = worlds.ORDER
        event, made = self.prepared(call)
        if made.sealed and kind:
            raise RuntimeError(f"{event.name}: a template with personal values")
        if event.channel != worlds.KINDS[kind].channel:
            raise RuntimeError(f"{event.name}: on another channel than it was told on")
        before, numbered, after = made.payload.partition(worlds.ORDER.encode())
        return Template(kind, event.name, made.version, before, after if numbered else None)

    def check(self, hand: Hand) -> None:
        """Raise RuntimeError where the door makes something else of some customers' first events."""
        if set(SEARCHED) != set(_SEARCHED) & set(worlds.introduced(0)):
            raise RuntimeError("customers are found by other fields than the bulk builder knows")
        world = hand.world
        for has in range(4):
            of_these = np.flatnonzero(world.has == has)
            for customer in of_these[:: max(1, len(of_these) // _SAMPLES)].tolist():
                index = int(world.start[customer])
                payload = hand.templates[int(hand.which[0, int(world.pick[index])])].before
                found = hand.introduction(customer, has, payload)
                _, made = self.prepared(worlds.event_call(world, index))
                if (found.body, payload, found.seen, found.sealed) != (
                    made.body, made.payload, made.seen, made.sealed
                ):  # fmt: skip
                    raise RuntimeError("the bulk builder differs from the door")
