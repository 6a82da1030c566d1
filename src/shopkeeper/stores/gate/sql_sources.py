"""Sources, their write keys and what they sign with, in plain SQL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shopkeeper.domain.source import Source
from shopkeeper.stores.contract.gate import SealedSecret, WriteKey
from shopkeeper.stores.sql.session import Session

_read = msgspec.json.Decoder(Source).decode
_write = msgspec.json.Encoder().encode


class SourceReads:
    """Reading sources."""

    session: Session

    def generation(self) -> int:
        """Grows with every change."""
        return int(self.session.rows("SELECT value FROM gate_number WHERE name = 'generation'")[0][0])

    def sources(self) -> list[Source]:
        """Every source, by name."""
        return [_read(row[0]) for row in self.session.rows("SELECT body FROM source ORDER BY name")]

    def write_keys(self) -> list[WriteKey]:
        """Every key."""
        sql = (
            "SELECT hash, source, hint, created_at, used_at, ends_at FROM write_key ORDER BY created_at, hash"
        )
        return list(map(WriteKey._make, self.session.rows(sql)))

    def secrets(self) -> list[SealedSecret]:
        """What each source signs with."""
        sql = "SELECT source, salt, sealed, created_at FROM source_secret ORDER BY source"
        return list(map(SealedSecret._make, self.session.rows(sql)))


class SourceWrites(SourceReads):
    """Writing sources."""

    def put_source(self, source: Source) -> None:
        """Add or replace a source."""
        self.session.run(
            "INSERT INTO source (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (source.name, _write(source)),
        )
        self._changed()

    def add_write_key(self, key: WriteKey) -> None:
        """Keep a key."""
        self.session.run(
            "INSERT INTO write_key (hash, source, hint, created_at, used_at, ends_at) VALUES (?, ?, ?, ?, ?, ?)",
            key,
        )
        self._changed()

    def end_write_keys(self, hashes: Sequence[bytes], at: int) -> None:
        """Let keys work no longer than until then."""
        self.session.many(
            "UPDATE write_key SET ends_at = ? WHERE hash = ? AND (ends_at = 0 OR ends_at > ?)",
            [(at, one, at) for one in hashes],
        )
        self._changed()

    def note_used(self, hashes: Sequence[tuple[bytes, int]]) -> None:
        """Note when keys were used."""
        self.session.many(
            "UPDATE write_key SET used_at = ? WHERE hash = ? AND used_at < ?",
            [(at, one, at) for one, at in hashes],
        )

    def put_secret(self, secret: SealedSecret | None, source: str) -> None:
        """Keep or forget what a source signs with."""
        if secret is None:
            self.session.run("DELETE FROM source_secret WHERE source = ?", (source,))
        else:
            self.session.run(
                "INSERT INTO source_secret (source, salt, sealed, created_at) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (source) DO UPDATE SET salt = excluded.salt, sealed = excluded.sealed, "
                "created_at = excluded.created_at",
                secret,
            )
        self._changed()

    def _changed(self) -> None:
        self.session.run("UPDATE gate_number SET value = value + 1 WHERE name = 'generation'")
