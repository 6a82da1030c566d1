"""The sample shop, built through the doors every user's files go through."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from msgspec.structs import replace

from shopkeeper.collect.samples import write_sample
from shopkeeper.domain.protocols import Progress
from shopkeeper.domain.report import Report
from shopkeeper.shop.facade import Shop
from shopkeeper.shop.opening import create

SIMULATED = (
    "Purchases, products, prices, dates, countries and returns are real (UCI Online Retail II, 2009 to 2011, "
    "CC BY 4.0). People, stores, staff, costs, browsing, e-mails, social deeds, contacts, offers and spend are "
    "simulated."
)


def build(
    into: str | Path,
    *,
    size: float = 1.0,
    seed: int = 7,
    ledger: str | None = None,
    progress: Progress | None = None,
) -> tuple[Shop, Report]:
    """Write the sample's export files, bring them all in, refresh, and report; steps are timed apart.

    The files lie beside the shop, in ``<into>-exports``, and the simulation's truth in ``<into>-truth``: a shop's own
    folder holds personal values only sealed.
    """
    folder = Path(into)
    timings: dict[str, float] = {}
    began = perf_counter()

    def lap(step: str) -> None:
        nonlocal began
        timings[step] = round(perf_counter() - began, 2)
        began = perf_counter()

    shop = create(
        folder, name="Sample shop", currency="GBP", time_zone="Europe/London", now="2011-12-10T00:00:00+00:00",
        simulated=SIMULATED, ledger=ledger,
    )  # fmt: skip
    exports = folder.with_name(folder.name + "-exports")
    truth = folder.with_name(folder.name + "-truth")
    sample = write_sample(
        exports, size=size, seed=seed, truth=truth, progress=_as(progress, "write the files")
    )
    lap("write the sample's files")
    for file in sample.files:
        shop.collect(exports / file.name, progress=_as(progress, f"import {file.name}"))
        lap(f"import {file.name}")
    timings |= shop.refresh(progress=progress)
    began = perf_counter()
    report = shop.report()
    lap("report")
    return shop, replace(report, timings=timings)


def _as(progress: Progress | None, step: str) -> Progress | None:
    """The same progress under one name, whatever the steps within are called."""
    if progress is None:
        return None
    return lambda _, done: progress(step, done)
