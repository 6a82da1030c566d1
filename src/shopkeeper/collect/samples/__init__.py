"""The sample shop: real purchases and an honest, seeded simulation, written as a retailer's export files.

The files are then imported like anybody's. `world.py` holds every assumption, `names.py` the lists
from which persons are made, `pack.py` how the real data were packed; the other modules follow the
customer: source, persons, places, tills, catalogue, taste, browsing, mailing, social, visits,
offers, acquire, service, records, and at last export and truth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopkeeper.collect.samples.export import SampleManifest

__all__ = ["write_sample"]


def write_sample(
    folder: Path,
    *,
    size: float = 1.0,
    seed: int = 7,
    truth: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> SampleManifest:
    """Write the sample shop into `folder` and the truth about its people into `truth`.

    `size` 1 holds exactly the 1,044,847 real order lines; below 1 a share of the customers with
    their whole histories; above 1 also copies under new numbers. The same size and seed give the
    same files. `truth` defaults to a folder beside `folder` with "-truth" added to its name: only
    tests and benchmarks may read it. `progress` is called with what is being made and the share done.

    Raises ValueError if `size` is not above 0 and at most 1000.

        manifest = write_sample(Path("sample-shop"), size=0.01)
        manifest.rows("orders")
    """
    from shopkeeper.collect.samples.export import write

    folder = Path(folder)
    beside = Path(truth) if truth is not None else folder.parent / f"{folder.name}-truth"
    return write(
        folder, size=size, seed=seed, truth=beside, progress=progress or (lambda _what, _share: None)
    )
