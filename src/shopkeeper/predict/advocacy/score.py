"""The advocacy score: 0 to 100 points, made of parts that are shown and sum to it.

Each part has a most and a number of deeds that earns half of it: ``points = most * (1 - 2 ** -(deeds / half))``, so
that the first deeds count most and nobody gets a hundred by one deed done a thousand times. Whom somebody brought
counts most since it is the only part that is itself an outcome; what is said before others counts more than a click.
Mosts and halves are **assumptions**, chosen and not learned. What goes before bringing others in the shop's own past is
told beside them (``bringing``), for whoever wants to choose others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Part(Struct, frozen=True):
    """One part of the score: points at most, and the number of deeds that earns half of them."""

    name: str
    label: str
    most: float
    half: float
    sentence: str


PARTS: Final = (
    Part("brought", "Brought others", 40, 2, "Customers brought who went on to buy."),
    Part("said", "Shared and commented", 20, 5, "Posts shared or commented on, by linked accounts."),
    Part("praised", "Praised", 15, 2, "Reviews, counted in full from five stars on and not at all up to three."),
    Part("liked", "Liked, pinned, followed", 15, 10, "Posts liked or pinned and accounts followed, by linked ones."),
    Part("open", "Linked an account", 10, 1, "Social accounts linked to the customer's own."),
)  # fmt: skip
"""What the score is made of. The figures are assumptions."""


def points(deeds: Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Points of each part from the number of deeds by part's name, rounded to tenths; they sum to the score.

    >>> made = points({"brought": [0, 2, 100], "open": [0, 1, 1]})
    >>> made["brought"].tolist(), made["open"].tolist()
    ([0.0, 20.0, 40.0], [0.0, 5.0, 5.0])
    """
    return {
        part.name: np.asarray(np.round(part.most * (1.0 - 2.0 ** -(_count(deeds[part.name]) / part.half)), 1))
        for part in PARTS
        if part.name in deeds
    }


def praise(reviews: ArrayLike, stars: ArrayLike) -> Floats:
    """How many reviews of praise: none up to three stars on the mean, all of them at five.

    >>> praise([0, 4, 4], [0, 20, 16]).tolist()
    [0.0, 4.0, 2.0]
    """
    n, total = _count(reviews), np.asarray(stars, float)
    mean = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    return np.asarray(n * np.clip((mean - 3.0) / 2.0, 0.0, 1.0))


def _count(values: ArrayLike) -> Floats:
    return np.asarray(np.maximum(np.nan_to_num(np.asarray(values, float)), 0.0))
