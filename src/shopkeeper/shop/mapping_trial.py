"""Tries a mapping on a sample body."""

from __future__ import annotations

from pathlib import Path

from shopkeeper.collect.mapped.trial import attempt as tried
from shopkeeper.domain.delivery import Settled
from shopkeeper.domain.errors import BadFile
from shopkeeper.domain.trial import Trial
from shopkeeper.shop.places import Places


def attempt(
    places: Places, mapping: str | Path, sample: bytes | str | Path, *, topic: str, source: str
) -> Trial:
    """What a mapping makes of a sample; files are read where paths are given."""
    text = _read(mapping).decode("utf-8", "strict") if isinstance(mapping, Path) else mapping
    body = (
        _read(sample) if isinstance(sample, Path) else sample.encode() if isinstance(sample, str) else sample
    )
    settings = places.settings
    settled = Settled(
        now=places.now(), zone=settings.time_zone, currency=settings.currency, region=settings.region
    )
    return tried(text, body, settled, source=source, topic=topic)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path.name!r} cannot be read: {error.strerror}", hint="check the path") from None
