"""Draws a chart as SVG: lines, bars or a heat map with axes and a legend. Nothing but text, so no library is needed.

A chart is plain data; `figure.Figure` is what has one. Series differ in dash as well as in colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from shopkeeper.predict.value.history import Floats

_INK, _GRID, _MARK = "#1c2733", "#d9dee3", "#8794a1"
_COLOURS = ("#1f5fa8", "#c8641b", "#3d7f45", "#7d4a9c", "#8a6d1f", "#4a4a4a")
_DASHES = ("", "6 4", "2 3", "9 3 2 3", "1 3", "12 4")
_Axis = Callable[[ArrayLike], Floats]
_LEFT, _RIGHT, _TOP, _BOTTOM = 66.0, 18.0, 62.0, 50.0
_TICKS = 6
_PER_LETTER = 6.7
_MOST_CELLS = 60
_MOST_MARKS = 30
_PALE, _DEEP = (239, 244, 249), (15, 62, 115)
_MONTHS = (1, 3, 6, 12, 24, 60, 120)


@dataclass(frozen=True, slots=True)
class Series:
    """A line (or bars, in a chart with ``labels``): its name in the legend, and its points."""

    name: str
    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over a number or a date, or bars over labels.

    Attributes:
        title: above the chart; what a reader without eyes hears first.
        x_label: of the axis below.
        y_label: of the axis on the left.
        series: lines, or bars side by side where there are ``labels``.
        labels: of the groups of bars.
        marks: places on the axis below where something happened, as a thin upright line.
        marked: what that is.
        dates: whether x counts days since 1970-01-01.
        top: of the axis on the left; None: of the largest value.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    labels: tuple[str, ...] = ()
    marks: tuple[float, ...] = ()
    marked: str = ""
    dates: bool = False
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Heat:
    """A value at each x and y, told by colour; NaN where there is none. ``values`` has a row per y."""

    title: str
    x_label: str
    y_label: str
    x: Floats
    y: Floats
    values: Floats


def svg(chart: Chart | Heat, *, width: int = 640, height: int = 380) -> str:
    """Draw a chart.

    >>> line = Series("one", np.array([0.0, 1.0]), np.array([0.0, 2.0]))
    >>> drawn = svg(Chart("A < B", "weeks", "orders", (line,)))
    >>> drawn.startswith("<svg"), "A &lt; B" in drawn, drawn.count("<polyline")
    (True, True, 1)
    """
    inner = _heat(chart, width, height) if isinstance(chart, Heat) else _plain(chart, width, height)
    title = escape(chart.title)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="12" fill="{_INK}">',
        f"<title>{title}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT:g}" y="22" font-size="15" font-weight="600">{title}</text>',
        *inner,
        "</svg>",
    ])  # fmt: skip


def steps(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Give round numbers from ``low`` to ``high``, a few.

    >>> steps(0.0, 9.3)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / most
    tens = 10.0 ** math.floor(math.log10(rough))
    step = next(one * tens for one in (1.0, 2.0, 5.0, 10.0) if one * tens >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def day_steps(low: float, high: float, most: int = _TICKS) -> list[tuple[float, str]]:
    """Give days between two days since 1970-01-01, on the first of months where that is enough, and their names.

    >>> day_steps(19_723.0, 20_088.0)
    [(19723.0, '2024-01'), (19814.0, '2024-04'), (19905.0, '2024-07'), (19997.0, '2024-10')]
    """
    months = np.arange(
        np.datetime64(math.ceil(low), "D").astype("datetime64[M]"),
        np.datetime64(math.floor(high), "D").astype("datetime64[M]") + 1,
    )
    starts = months.astype("datetime64[D]").astype(np.int64)
    for step in _MONTHS:
        here = (starts >= low) & (starts <= high) & (months.astype(np.int64) % step == 0)
        if here.sum() <= most:
            break
    if here.sum() >= 2:
        return [(float(day), str(month)) for day, month in zip(starts[here], months[here], strict=True)]
    days = [math.ceil(day) for day in steps(low, high, 4)]
    return [(float(day), str(np.datetime64(day, "D"))) for day in dict.fromkeys(days)]


def said(value: float) -> str:
    """Write a number for a reader.

    >>> said(0.25), said(12000.0), said(3.0)
    ('0.25', '12,000', '3')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _plain(chart: Chart, width: int, height: int) -> Iterator[str]:
    bars = bool(chart.labels)
    every = np.concatenate([np.asarray(one.y, float) for one in chart.series] or [np.empty(0)])
    every = every[np.isfinite(every)]
    top = chart.top if chart.top is not None else float(every.max(initial=0.0)) * 1.05 or 1.0
    bottom = min(0.0, float(every.min(initial=0.0)))
    if bars:
        low, high = -0.5, len(chart.labels) - 0.5
    else:
        xs = np.concatenate([*(one.x for one in chart.series), np.asarray(chart.marks, float)])
        low, high = (float(xs.min()), float(xs.max())) if xs.size else (0.0, 1.0)
        high = high if high > low else low + 1.0
    kinds = [
        (
            _COLOURS[place % len(_COLOURS)],
            "" if bars else _DASHES[(place + place // len(_COLOURS)) % len(_DASHES)],
        )
        for place in range(len(chart.series))
    ]
    names = [(one.name, *kind) for one, kind in zip(chart.series, kinds, strict=True)]
    if chart.marks and chart.marked:
        names.append((chart.marked, _MARK, "2 3"))
    legend, lower = _legend(names, width, bars=bars)
    begin = _TOP + lower
    right, down = width - _LEFT - _RIGHT, height - begin - _BOTTOM

    def at_x(x: ArrayLike) -> Floats:
        return np.asarray(_LEFT + (np.asarray(x, float) - low) / (high - low) * right)

    def at_y(y: ArrayLike) -> Floats:
        return np.asarray(begin + (top - np.asarray(y, float)) / (top - bottom) * down)

    yield from legend
    yield from _left_axis([(float(at_y(y)), said(y)) for y in steps(bottom, top)], width)
    if bars:
        below = [(float(at_x(place)), label) for place, label in enumerate(chart.labels)]
    elif chart.dates:
        below = [(float(at_x(day)), name) for day, name in day_steps(low, high)]
    else:
        below = [(float(at_x(x)), said(x)) for x in steps(low, high)]
    yield from _names(below, chart, width, height)
    # Many marks side by side would hide the lines: then they stand along the axis.
    long = down if len(chart.marks) <= _MOST_MARKS else 12.0
    for mark in at_x(chart.marks).tolist():
        path = f"M{mark:.1f} {begin + down - long:.1f}V{begin + down:.1f}"
        yield f'<path d="{path}" stroke="{_MARK}" stroke-dasharray="2 3"/>'
    for place, (one, (colour, dash)) in enumerate(zip(chart.series, kinds, strict=True)):
        if bars:
            yield from _bars(one.y, place, len(chart.series), colour, at_x, at_y)
        else:
            yield from _line(at_x(one.x), at_y(np.clip(one.y, bottom, top)), colour, dash)


def _line(x: Floats, y: Floats, colour: str, dash: str) -> Iterator[str]:
    """A line, in parts where values are missing."""
    known = np.isfinite(x) & np.isfinite(y)
    for part in np.split(np.arange(x.size), np.flatnonzero(np.diff(known.astype(np.int8))) + 1):
        if part.size and known[part[0]]:
            points = " ".join(f"{x[i]:.1f},{y[i]:.1f}" for i in part)
            dashed = f' stroke-dasharray="{dash}"' if dash else ""
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'


def _bars(y: Floats, place: int, count: int, colour: str, at_x: _Axis, at_y: _Axis) -> Iterator[str]:
    zero, heights = float(at_y(0.0)), at_y(y)
    wide = 0.8 / count
    for group, end in enumerate(heights.tolist()):
        if math.isfinite(end):
            left, right = (float(at_x(group - 0.4 + wide * one)) for one in (place, place + 1))
            yield (
                f'<rect x="{left:.1f}" y="{min(zero, end):.1f}" width="{max(right - left - 1.0, 0.5):.1f}" '
                f'height="{abs(zero - end):.1f}" fill="{colour}"/>'
            )


def _heat(heat: Heat, width: int, height: int) -> Iterator[str]:
    columns, rows = (_some(axis.size) for axis in (heat.x, heat.y))
    x, y, values = heat.x[columns], heat.y[rows], heat.values[np.ix_(rows, columns)]
    right, down = width - _LEFT - _RIGHT - 60.0, height - _TOP - _BOTTOM
    wide, tall = right / max(x.size, 1), down / max(y.size, 1)
    known = values[np.isfinite(values)]
    low, high = float(known.min(initial=0.0)), float(known.max(initial=0.0))
    span = (high - low) or 1.0
    for row in range(y.size):
        for column in range(x.size):
            if math.isfinite(values[row, column]):
                colour = _shade((values[row, column] - low) / span)
                corner = f'x="{_LEFT + column * wide:.1f}" y="{_TOP + down - (row + 1) * tall:.1f}"'
                yield f'<rect {corner} width="{wide + 0.3:.1f}" height="{tall + 0.3:.1f}" fill="{colour}"/>'
    every = max(1, math.ceil(y.size / 8))
    yield from _left_axis(
        [(_TOP + down - (row + 0.5) * tall, said(y[row])) for row in range(0, y.size, every)], None
    )
    every = max(1, math.ceil(x.size / 8))
    below = [(_LEFT + (place + 0.5) * wide, said(x[place])) for place in range(0, x.size, every)]
    yield from _names(below, heat, width, height)
    for place in range(20):
        at = _TOP + down - (place + 1) * down / 20
        yield (
            f'<rect x="{width - 62}" y="{at:.1f}" width="14" height="{down / 20 + 0.3:.1f}" '
            f'fill="{_shade((place + 0.5) / 20)}"/>'
        )
    for value, at in ((high, _TOP + 10), (low, _TOP + down)):
        yield f'<text x="{width - 44}" y="{at:.1f}">{said(value)}</text>'


def _some(count: int) -> Sequence[int]:
    """Which rows of a heat map are drawn: all, or evenly some."""
    return list(range(0, count, max(1, math.ceil(count / _MOST_CELLS))))


def _shade(share: float) -> str:
    red, green, blue = (
        round(pale + (deep - pale) * share) for pale, deep in zip(_PALE, _DEEP, strict=True)
    )  # fmt: skip
    return f"#{red:02x}{green:02x}{blue:02x}"


def _left_axis(ticks: Sequence[tuple[float, str]], width: int | None) -> Iterator[str]:
    for at, name in ticks:
        if width is not None:
            yield f'<path d="M{_LEFT:g} {at:.1f}H{width - _RIGHT:g}" stroke="{_GRID}"/>'
        yield f'<text x="{_LEFT - 8:g}" y="{at + 4:.1f}" text-anchor="end">{name}</text>'


def _names(ticks: Sequence[tuple[float, str]], chart: Chart | Heat, width: int, height: int) -> Iterator[str]:
    """What stands along and beside the axes."""
    low = height - _BOTTOM
    for at, name in ticks:
        yield f'<text x="{at:.1f}" y="{low + 18:g}" text-anchor="middle">{escape(name)}</text>'
    middle = (_LEFT + width - _RIGHT) / 2
    yield f'<text x="{middle:g}" y="{height - 10}" text-anchor="middle">{escape(chart.x_label)}</text>'
    centre = (_TOP + low) / 2
    yield (
        f'<text x="16" y="{centre:g}" text-anchor="middle" transform="rotate(-90 16 {centre:g})">'
        f"{escape(chart.y_label)}</text>"
    )


def _legend(names: Sequence[tuple[str, str, str]], width: int, *, bars: bool) -> tuple[list[str], float]:
    """Give the legend, in rows where it is long, and how much lower than one row it ends."""
    at, below, drawn = _LEFT, 0.0, []
    for name, colour, dash in names:
        box = 18.0 if bars and not dash else 28.0
        long = box + 18.0 + _PER_LETTER * len(name)
        if at > _LEFT and at + long > width:
            at, below = _LEFT, below + 18.0
        if bars and not dash:
            drawn.append(f'<rect x="{at:g}" y="{36 + below:g}" width="12" height="12" fill="{colour}"/>')
        else:
            dashed = f' stroke-dasharray="{dash}"' if dash else ""
            path = f"M{at:g} {42 + below:g}h22"
            drawn.append(f'<path d="{path}" stroke="{colour}" stroke-width="2"{dashed}/>')
        drawn.append(f'<text x="{at + box:g}" y="{46 + below:g}">{escape(name)}</text>')
        at += long
    return drawn, below
