"""Verbs of the shop about connecting other systems: mappings, and tables of databases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopkeeper.domain.actor import Permission
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.trial import Trial
from shopkeeper.shop.places import Places

if TYPE_CHECKING:
    from shopkeeper.domain.reading import Guess
    from shopkeeper.domain.report import ImportSummary


class ConnectVerbs:
    """Connecting any system by a file, and any database by its address."""

    places: Places

    if TYPE_CHECKING:

        def _may(self, permission: Permission, verb: str) -> None: ...

    def try_mapping(
        self, mapping: str | Path, sample: bytes | str | Path, *, topic: str = "", source: str = "sample"
    ) -> Trial:
        """What a mapping (TOML, or its file) makes of a sample body (JSON, or its file); nothing is brought in.

        Raises InvalidInput or UnknownName with the line of what is wrong with the mapping.
        """
        self._may(Permission.COLLECT, "try a mapping")
        from shopkeeper.shop import mapping_trial

        return mapping_trial.attempt(self.places, mapping, sample, topic=topic, source=source)

    def preview_table(self, url: str, query: str, kind: str | None = None, **how: Any) -> Guess:
        """What a table of another database seems to be; nothing is brought in. ``how`` as for ``collect_table``."""
        self._may(Permission.COLLECT, "preview tables")
        from shopkeeper.shop import tables

        return tables.preview_table(self.places, url, tables.asked_of({"query": query, "kind": kind, **how}))

    def collect_table(
        self,
        url: str,
        query: str,
        kind: str | None = None,
        *,
        cursor: str = "",
        source: str = "",
        progress: Progress | None = None,
        **how: Any,
    ) -> ImportSummary:
        """Bring in a table, view or query of another database; with a ``cursor`` only what came since the last time.

        ``url`` as SQLAlchemy writes it; ``${NAME}`` in it is taken from the environment. ``cursor`` is a column that
        grows with every change, such as ``updated_at``. ``how``: mapping (field -> column), numbering, zone (of times
        without one), overlap, anew, timeout. The address is not kept.
        """
        self._may(Permission.COLLECT, "bring in tables")
        from shopkeeper.shop import tables

        told = {"query": query, "kind": kind, "cursor": cursor, "source": source, **how}
        return tables.bring_table(self.places, url, tables.asked_of(told), progress)
