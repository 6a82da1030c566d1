"""The hot path of live collection: who hands in, and putting what is handed in on disk.

Nothing here asks a store on the way: sources and keys are looked up in memory and looked at again by a thread of its
own, twice a second and only when something changed; a delivery is sealed and queued, and ``done`` says when it is on
disk. Any thread, or an event loop, may call it.
"""

from __future__ import annotations

import contextlib
import threading
import zlib
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from shopkeeper.domain.delivery import Delivery
from shopkeeper.domain.errors import StoreDamaged
from shopkeeper.domain.source import Source
from shopkeeper.stores.contract.gate import Backlog, Gate, KeptDelivery, NewDelivery
from shopkeeper.stores.contract.vault import Vault

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at whether sources changed and how much waits."""
_USED_EVERY: Final = 60_000_000
"""Microseconds between two notes of when a key was used."""
_SMALL: Final = 1_000
"""Octets below which compressing is not worth its time."""
_PLAIN, _ZLIB, _GZIP = 0, 1, 2
_KEY_KIND: Final = "write_key"


class _Known(Struct, frozen=True):
    """What is known of sources."""

    generation: int
    by_name: dict[str, Source]
    by_key: dict[bytes, tuple[Source, int]]
    """Source and when the key ends, by the key's pseudonym."""
    secrets: dict[str, str]


class Hearing:
    """Knows who may hand in, and hands on."""

    def __init__(self, gate: Gate, vault: Vault, now: Callable[[], int]) -> None:
        self.gate = gate
        self.vault = vault
        self.now = now
        self.waiting = Backlog(0, 0, 0, 0)
        """What waits, as of the last look."""
        self._salt = vault.salt()
        self._plain: dict[str, bytes] = {}
        """Pseudonyms of keys that were shown: a keyed hash costs more than the rest of the way."""
        self._known: _Known | None = None
        self._used: dict[bytes, int] = {}
        self._noted: dict[bytes, int] = {}
        self._guard = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def source_of_key(self, write_key: str) -> Source | None:
        """The enabled source to which a write key belongs, or None. An ended key belongs to nobody."""
        source = self.holder_of_key(write_key)
        return None if source is None or source.disabled else source

    def holder_of_key(self, write_key: str) -> Source | None:
        """The source to which a write key belongs, disabled or not, or None. An ended key belongs to nobody."""
        if not write_key or len(write_key) > 200:
            return None
        hash_ = self._plain.get(write_key)
        if hash_ is None:
            hash_ = key_hash(self.vault, write_key)
        found = self._now_known().by_key.get(hash_)
        if found is None:
            return None
        if len(self._plain) < 10_000:
            self._plain[write_key] = hash_
        source, ends_at = found
        now = self.now()
        if ends_at and ends_at <= now:
            return None
        if now - self._noted.get(hash_, 0) > _USED_EVERY:
            self._noted[hash_] = self._used[hash_] = now
        return source

    def source_named(self, name: str) -> Source | None:
        """The enabled source of that name, or None."""
        source = self._now_known().by_name.get(name)
        return None if source is None or source.disabled else source

    def known(self, name: str) -> Source | None:
        """The source of that name, disabled or not, or None."""
        return self._now_known().by_name.get(name)

    def sources(self) -> list[Source]:
        """Every source, disabled ones too."""
        return list(self._now_known().by_name.values())

    def secret_of(self, source: Source) -> str | None:
        """What a source signs its requests with, or None where none was set."""
        return self._now_known().secrets.get(source.name)

    def hand_in(
        self,
        delivery: Delivery,
        events: int,
        done: Callable[[Exception | None], None],
        *,
        gzipped: bytes | None = None,
    ) -> None:
        """Keep a delivery; ``done`` is called on another thread when it is on disk (None) or why it is not.

        ``events`` is about how many it holds. ``gzipped`` is the body as it came where it came compressed, which
        saves compressing it again. Never blocks; raises StoreBusy where too much waits already.
        """
        body, coding = delivery.body, _PLAIN
        if gzipped is not None and len(gzipped) < len(body):
            body, coding = gzipped, _GZIP
        elif len(body) > _SMALL:
            body, coding = zlib.compress(body, 1), _ZLIB
        sealed = self.vault.seal(self._salt, (coding, body, delivery.notes))
        kept = NewDelivery(
            delivery.received_at, delivery.source, delivery.format, delivery.topic, events, self._salt, sealed
        )
        self.gate.inbox.put(kept, done)

    def look(self) -> None:
        """Look at sources, keys and the backlog now; what was used meanwhile is noted."""
        with self._guard:
            used, self._used = self._used, {}
            if used:
                with contextlib.suppress(Exception):
                    self.gate.write(lambda tx: tx.note_used(list(used.items())))
            known = self._known
            with self.gate.read() as reader:
                generation = reader.generation()
                if known is None or generation != known.generation:
                    by_name = {source.name: source for source in reader.sources()}
                    keys = {
                        key.hash: (by_name[key.source], key.ends_at)
                        for key in reader.write_keys()
                        if key.source in by_name
                    }
                    secrets = {
                        row.source: str(self.vault.unseal(row.salt, row.sealed)) for row in reader.secrets()
                    }
                    self._known = _Known(generation, by_name, keys, secrets)
            self.waiting = self.gate.inbox.backlog(0)

    def close(self) -> None:
        """Stop looking; note what was used."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self._used:
            with contextlib.suppress(Exception):
                self.look()

    def _now_known(self) -> _Known:
        known = self._known
        if known is None:
            self.look()
            known = self._known
            if known is None:
                raise StoreDamaged("the gate says nothing of its sources")
            with self._guard:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._watch, name="hearing", daemon=True)
                    self._thread.start()
        return known

    def _watch(self) -> None:
        while not self._end.wait(LOOK_EVERY):
            with contextlib.suppress(Exception):  # a store that fails now is asked again in half a second
                self.look()


def key_hash(vault: Vault, write_key: str) -> bytes:
    """The keyed hash as which a write key is kept."""
    return vault.pseudonym(_KEY_KIND, write_key)


def opened(vault: Vault, kept: KeptDelivery) -> Delivery:
    """A kept delivery as it was handed in. Raises StoreDamaged where it is not what was sealed."""
    coding, body, notes = vault.unseal(kept.salt, kept.body)
    if coding == _ZLIB:
        body = zlib.decompress(body)
    elif coding == _GZIP:
        body = _gunzipped(body)
    return Delivery(
        source=kept.source,
        format=kept.format,
        received_at=kept.received_at,
        body=body,
        topic=kept.topic,
        notes=notes,
    )


def _gunzipped(body: bytes) -> bytes:
    """The body of a gzip stream, of one member or several one after another.

    >>> import gzip
    >>> _gunzipped(gzip.compress(b"one ") + gzip.compress(b"two"))
    b'one two'
    """
    parts = []
    while body:
        stream = zlib.decompressobj(wbits=31)
        parts.append(stream.decompress(body) + stream.flush())
        body = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)
