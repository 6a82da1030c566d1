"""The vault with AES-256-GCM; keys are BLAKE2b of the shop's secret and a node's salt.

The secret lies in the file ``secret.key`` of the shop's folder, readable by its owner only. Whoever has the ledger
without that file reads no personal value.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shopkeeper.domain.errors import StoreDamaged

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_SECRET_BYTES = 32
_NONCE_BYTES = 12
_SHORTEST = 3
_LONGEST = 24


class AesVault:
    """Seals under keys derived from one secret.

    >>> vault = AesVault(bytes(32))
    >>> salt = vault.salt()
    >>> vault.unseal(salt, vault.seal(salt, {"city": "Leeds"}))
    {'city': 'Leeds'}
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _SECRET_BYTES:
            raise StoreDamaged(
                f"the shop's secret has {len(secret)} bytes instead of {_SECRET_BYTES}",
                hint="restore secret.key from a backup",
            )
        self._seal = blake2b(secret, person=b"seal", digest_size=32).digest()
        self._name = blake2b(secret, person=b"pseudonym", digest_size=32).digest()
        self._find = blake2b(secret, person=b"find", digest_size=32).digest()
        self._words = lru_cache(maxsize=50_000)(self._word_tokens)
        self._latest: tuple[bytes, AESGCM] = (b"", AESGCM(self._seal))
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder().decode

    def pseudonym(self, kind: str, value: str) -> bytes:
        """Sixteen bytes that stand for an identifier in this shop."""
        return blake2b(
            f"{kind}\0{value}".encode("utf-8", "surrogatepass"), key=self._name, digest_size=16
        ).digest()

    def tokens(self, texts: Iterable[str]) -> set[bytes]:
        """Tokens of every word, and of every beginning of a word of at least three letters."""
        found: set[bytes] = set()
        for text in texts:
            for word in words(text):
                found.update(self._words(word))
        return found

    def wanted(self, text: str) -> list[bytes]:
        """One token per word of a search; words of fewer than three letters narrow nothing and are left out."""
        return [self._token(word[:_LONGEST]) for word in words(text) if len(word) >= _SHORTEST]

    def salt(self) -> bytes:
        """Sixteen random bytes."""
        return os.urandom(16)

    def seal(self, salt: bytes, value: Any) -> bytes:
        """Nonce and ciphertext of the value's MessagePack."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher(salt).encrypt(nonce, self._encode(value), None)

    def unseal(self, salt: bytes, sealed: bytes) -> Any:
        """The value again."""
        try:
            return self._decode(
                self._cipher(salt).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
            )
        except InvalidTag:
            raise StoreDamaged(
                "a sealed value cannot be opened with this shop's secret",
                hint="was secret.key replaced? restore it from the backup that belongs to this ledger",
            ) from None

    def _cipher(self, salt: bytes) -> AESGCM:
        """The cipher of a salt; the latest is kept, for who seals much under one."""
        known, cipher = self._latest
        if known != salt:
            cipher = AESGCM(blake2b(salt, key=self._seal, digest_size=32).digest())
            self._latest = (salt, cipher)
        return cipher

    def _token(self, word: str) -> bytes:
        return blake2b(word.encode("utf-8", "surrogatepass"), key=self._find, digest_size=8).digest()

    def _word_tokens(self, word: str) -> tuple[bytes, ...]:
        return tuple(
            self._token(word[:n]) for n in range(min(_SHORTEST, len(word)), min(len(word), _LONGEST) + 1)
        )


def words(text: str) -> list[str]:
    """Lower-case words without accents.

    >>> words("Zoë-Ann O'Neill <zoe@example.com>")
    ['zoe', 'ann', 'o', 'neill', 'zoe', 'example', 'com']
    """
    flat = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in flat if not unicodedata.combining(c)))


def open_vault(secret_file: Path, *, create: bool = False) -> AesVault:
    """The vault whose secret lies in ``secret_file``; with ``create`` a new secret is drawn where there is none."""
    if create and not secret_file.exists():
        handle = os.open(secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
    try:
        return AesVault(secret_file.read_bytes())
    except FileNotFoundError:
        raise StoreDamaged(
            f"{secret_file.name} is missing from the shop's folder",
            hint="without it no personal value can be read; restore it from a backup",
        ) from None
