"""How a webhook proves who sent it: a keyed hash of its body in a header, or a secret that the header itself holds.

One struct describes what the senders in use do (a bare hash, ``sha256=...``, ``t=...,v1=...``, several signatures
while a secret is changed, a time that is signed too), so that a source is told apart by data rather than by code.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from shopkeeper.domain.clock import SECOND, micros
from shopkeeper.domain.errors import InvalidInput, UnknownName

ALGORITHMS: Final[dict[str, Callable[..., object] | None]] = {
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "sha1": hashlib.sha1,
    "token": None,
}
"""HMAC with these hashes; ``token`` means that the header holds the secret itself."""
ENCODINGS: Final = ("hex", "base64")
KEYS: Final = ("text", "base64", "hex")

UNSIGNED: Final = "unsigned"
STALE: Final = "stale"
FORGED: Final = "forged"

_PLACE: Final = re.compile(r"\{([^{}]*)\}")


class Signature(Struct, frozen=True, kw_only=True):
    """How a source's webhooks are signed."""

    header: str
    """The header that holds the signature, in any case."""
    algorithm: str = "sha256"
    """sha256, sha512, sha1, or token."""
    encoding: str = "hex"
    """How the hash is written: hex or base64."""
    prefix: str = ""
    """What stands before the signature in its header: ``sha256=``, ``v1=``, ``Bearer ``."""
    timestamp_header: str = ""
    """The header with the time that is signed as well, as seconds or milliseconds since 1970 or in ISO form."""
    timestamp_prefix: str = ""
    """What stands before the time, where it shares a header with the signature: ``t=``."""
    signed: str = ""
    """What is hashed, with {body}, {timestamp} and {header:Name} in it; the body alone, or time, a point and body."""
    tolerance_seconds: int = 300
    """How old or how far ahead a signed time may be."""
    key: str = "text"
    """How the secret is to be taken: text as it stands, or base64 or hex of its bytes."""


def checked(signature: Signature) -> Signature:
    """The signature, or an error that says what is wrong with it.

    >>> checked(Signature(header="X-Signature", algorithm="sha265"))
    Traceback (most recent call last):
    shopkeeper.domain.errors.UnknownName: unknown algorithm 'sha265'; did you mean 'sha256'? ...
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", signature.header):
        raise InvalidInput(
            "the header of a signature must be the name of a header", hint="such as X-Signature"
        )
    for what, given, known in (
        ("algorithm", signature.algorithm, ALGORITHMS),
        ("encoding", signature.encoding, ENCODINGS),
        ("key", signature.key, KEYS),
    ):
        if given not in known:
            raise UnknownName(what, given, known)
    if signature.tolerance_seconds < 1:
        raise InvalidInput("tolerance_seconds must be 1 or more", hint="300 is usual")
    timed = bool(signature.timestamp_header or signature.timestamp_prefix)
    for place in _PLACE.findall(signature.signed):
        if place not in ("body", "timestamp") and not place.startswith("header:"):
            raise UnknownName("part of what is signed", place, ("body", "timestamp", "header:NAME"))
        if place == "timestamp" and not timed:
            raise InvalidInput(
                "{timestamp} is signed but stands nowhere", hint="give timestamp_header or timestamp_prefix"
            )
    if signature.signed and "{body}" not in signature.signed:
        raise InvalidInput("the body is not part of what is signed", hint="put {body} into it")
    return signature


def doubt(
    signature: Signature, secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: int
) -> str:
    """Why a delivery is not believed: ``unsigned``, ``stale`` or ``forged``; empty where it is genuine.

    ``headers`` have names in lower case, ``body`` is the raw one, ``now`` is in microseconds since 1970. Any of
    several secrets may fit, so that one can be changed without losing a delivery. Takes the same time for any
    signature that is wrong.

    >>> sign = Signature(header="X-Hub-Signature-256", prefix="sha256=")
    >>> told = hmac.new(b"secret", b"{}", "sha256").hexdigest()
    >>> doubt(sign, ["old", "secret"], {"x-hub-signature-256": f"sha256={told}"}, b"{}", 0)
    ''
    >>> doubt(sign, ["secret"], {"x-hub-signature-256": f"sha256={told}"}, b"{} ", 0)
    'forged'
    """
    value = headers.get(signature.header.lower(), "")
    told = _after(signature.prefix, value)
    if not told:
        return UNSIGNED
    at = ""
    if signature.timestamp_header or signature.timestamp_prefix:
        where = headers.get(signature.timestamp_header.lower(), "") if signature.timestamp_header else value
        at = next(iter(_after(signature.timestamp_prefix, where)), "")
        if not at:
            return UNSIGNED
    given = [one for text in told if (one := _bytes(signature, text)) is not None]
    message = _message(signature, headers, body, at)
    genuine = False
    for secret in secrets:
        expected = _expected(signature, secret, message)
        for one in given:
            genuine |= hmac.compare_digest(one, expected)
    if not genuine:
        return FORGED
    if at and not _fresh(at, now, signature.tolerance_seconds):
        return STALE
    return ""


def _after(prefix: str, value: str) -> list[str]:
    """What stands behind each occurrence of a prefix, up to a comma, a semicolon or a blank; all where there is none.

    >>> _after("v1=", "t=12, v1=ab,v1=cd"), _after("", " ab== ")
    (['ab', 'cd'], ['ab=='])
    """
    if not prefix:
        return [value.strip()] if value.strip() else []
    found = re.findall(rf"(?:^|[,;\s]){re.escape(prefix)}([^,;\s]+)", value)
    return found[:10]


def _bytes(signature: Signature, text: str) -> bytes | None:
    try:
        if signature.algorithm == "token":
            return text.encode()
        return bytes.fromhex(text) if signature.encoding == "hex" else b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _expected(signature: Signature, secret: str, message: bytes) -> bytes:
    if signature.algorithm == "token":
        return secret.encode()
    return hmac.new(secret_bytes(signature, secret), message, signature.algorithm).digest()


def secret_bytes(signature: Signature, secret: str) -> bytes:
    """The bytes of a secret as the source means it. Raises InvalidInput where they are not written so."""
    try:
        if signature.key == "base64":
            text = secret.rpartition("_")[2]  # some senders put a word before it: whsec_...
            return b64decode(text + "=" * (-len(text) % 4), validate=True)
        return bytes.fromhex(secret) if signature.key == "hex" else secret.encode()
    except (ValueError, binascii.Error):
        raise InvalidInput(
            f"the secret is not written in {signature.key}", hint="take it as the sender shows it"
        ) from None


def _message(signature: Signature, headers: Mapping[str, str], body: bytes, at: str) -> bytes:
    template = signature.signed or ("{timestamp}.{body}" if at else "{body}")
    message = b""
    for place, part in enumerate(_PLACE.split(template)):
        if place % 2 == 0:
            message += part.encode()
        elif part == "body":
            message += body
        elif part == "timestamp":
            message += at.encode()
        else:
            message += headers.get(part.removeprefix("header:").strip().lower(), "").encode()
    return message


def _fresh(at: str, now: int, tolerance: int) -> bool:
    try:
        number = float(at)
        told = round(number * (SECOND if number < 100_000_000_000 else 1_000))
    except (ValueError, OverflowError):
        try:
            instant = datetime.fromisoformat(at)
        except ValueError:
            return False
        told = micros(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    return abs(now - told) <= tolerance * SECOND
