"""The vault's contract: how personal values become pseudonyms, search tokens and sealed bytes.

Every identity node has a salt of its own; its key is derived from the shop's secret and that salt. Deleting the
salt makes what was sealed under it unreadable for ever, wherever a copy of the bytes may lie.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Vault(Protocol):
    """Seals and opens personal values; holds no values itself."""

    def pseudonym(self, kind: str, value: str) -> bytes:
        """Sixteen bytes that stand for an identifier; the same for the same value in this shop only."""
        ...

    def tokens(self, texts: Iterable[str]) -> set[bytes]:
        """Search tokens: one per word and per beginning of a word of at least three letters."""
        ...

    def wanted(self, text: str) -> list[bytes]:
        """The tokens a search for this text must all find."""
        ...

    def salt(self) -> bytes:
        """A fresh salt for a new node."""
        ...

    def seal(self, salt: bytes, value: Any) -> bytes:
        """Plain data, encrypted and authenticated under the key of that salt."""
        ...

    def unseal(self, salt: bytes, sealed: bytes) -> Any:
        """The plain data again; raises StoreDamaged when the bytes or the secret are not the right ones."""
        ...
