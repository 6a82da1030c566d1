"""Where the bands of a flow picture run: a column for each boundary, a block for each segment, a band for each flow."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from shopkeeper.shop.told import Flows

WIDTH, HEIGHT = 1000.0, 320.0
NONE = 8
"""The tone of being in none of the segments."""
_BLOCK, _GAP = 10.0, 8.0


class Block(Struct, frozen=True):
    """A segment at a boundary; ``tone`` is its number among them, or ``NONE``."""

    x: float
    y: float
    height: float
    tone: int
    said: str


class Band(Struct, frozen=True):
    """Customers who went from one block to the next: an SVG path, and the tone of where they came from."""

    path: str
    tone: int
    said: str


class Picture(Struct, frozen=True):
    """All of it, within ``WIDTH`` by ``HEIGHT``."""

    blocks: tuple[Block, ...]
    bands: tuple[Band, ...]
    columns: tuple[float, ...]


def picture(found: Flows, titles: dict[str, str]) -> Picture | None:
    """The picture; None where nobody was in any of the segments. Who is in none at both ends is left out."""
    places = (*found.segments, "")
    links = [one for one in found.flows if one.customers and (one.source or one.target)]
    if not links:
        return None
    count = len(found.boundaries)
    sizes: dict[tuple[int, str], int] = defaultdict(int)
    for way, ahead in (("source", 0), ("target", 1)):
        sums: dict[tuple[int, str], int] = defaultdict(int)
        for link in links:
            sums[link.period + ahead, getattr(link, way)] += link.customers
        for key, size in sums.items():
            sizes[key] = max(sizes[key], size)
    fullest = max(sum(sizes[column, place] for place in places) for column in range(count))
    scale = (HEIGHT - _GAP * (len(places) - 1)) / fullest
    columns = tuple(column * (WIDTH - _BLOCK) / (count - 1) for column in range(count))
    tones = {**{place: tone for tone, place in enumerate(found.segments)}, "": NONE}
    blocks, top = [], {}
    for column in range(count):
        y = 0.0
        for place in places:
            size = sizes[column, place]
            if size:
                top[column, place] = y
                said = f"{titles.get(place, place) or 'none of them'}: {size:,}"
                blocks.append(Block(columns[column], y, max(1.0, size * scale), tones[place], said))
                y += size * scale + _GAP
    leaving, coming = dict(top), dict(top)
    bands = []
    for link in sorted(links, key=lambda one: (one.period, tones[one.source], tones[one.target])):
        here, there = (link.period, link.source), (link.period + 1, link.target)
        thick = link.customers * scale
        said = (
            f"{titles.get(link.source, link.source) or 'none of them'} to "
            f"{titles.get(link.target, link.target) or 'none of them'}: {link.customers:,}"
        )
        tone = tones[link.source or link.target]
        left, right = columns[link.period] + _BLOCK, columns[link.period + 1]
        bands.append(Band(_path(left, leaving[here], right, coming[there], thick), tone, said))
        leaving[here] += thick
        coming[there] += thick
    return Picture(tuple(blocks), tuple(bands), columns)


def _path(left: float, begin: float, right: float, end: float, thick: float) -> str:
    """A band of even thickness, bent twice.

    >>> _path(0, 0, 10, 20, 2)
    'M0.0 0.0C5.0 0.0 5.0 20.0 10.0 20.0V22.0C5.0 22.0 5.0 2.0 0.0 2.0Z'
    """
    middle = (left + right) / 2
    low, high = begin + thick, end + thick
    return (
        f"M{left:.1f} {begin:.1f}C{middle:.1f} {begin:.1f} {middle:.1f} {end:.1f} {right:.1f} {end:.1f}"
        f"V{high:.1f}C{middle:.1f} {high:.1f} {middle:.1f} {low:.1f} {left:.1f} {low:.1f}Z"
    )
