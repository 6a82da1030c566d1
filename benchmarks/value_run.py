"""Fits and predicts with one library and tells what it took; runs in an environment of its own.

    python value_run.py LIBRARY MODEL FOLDER SECONDS GB

LIBRARY is shopkeeper, lifetimes or pymc-marketing; MODEL bg, mbg or pareto; FOLDER holds ``frequency.npy``,
``recency.npy`` and ``T.npy``; SECONDS of CPU and GB of memory are the most it may take. A fit of a thousand customers
goes first and is not counted (it imports and compiles). Every step prints one line of JSON when it is done, so that a
run that is stopped has told what it finished. CPU seconds are those of this process with all its threads, and of its
children.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WEEKS = 39


def main() -> None:
    library, model, folder, seconds, gigabytes = sys.argv[1:]
    warnings.simplefilter("ignore")
    data = {name: np.load(Path(folder) / f"{name}.npy") for name in ("frequency", "recency", "T")}
    work = {"shopkeeper": shopkeeper, "lifetimes": lifetimes, "pymc-marketing": pymc}[library]
    work(model, {name: values[:1000] for name, values in data.items()}, lambda _, step: step())
    before = memory()
    most = int(float(gigabytes) * 1e9)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    last = int(spent() + float(seconds)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (last, last))
    work(model, data, told)
    say("memory", mb=memory(), before_mb=before)


def told(name: str, step: Callable[[], Any]) -> Any:
    """Do a step and print what it took."""
    cpu, wall = spent(), time.perf_counter()
    result = step()
    say(name, cpu_s=spent() - cpu, wall_s=time.perf_counter() - wall)
    return result


def spent() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def memory() -> float:
    """Most memory so far, in MB (10^6 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def say(step: str, **figures: Any) -> None:
    print(json.dumps({"step": step, **figures}), flush=True)


def shopkeeper(model: str, data: dict[str, Any], do: Any) -> None:
    from shopkeeper.predict.value import BGNBD, MBGNBD, ParetoNBD

    kind = {"bg": BGNBD, "mbg": MBGNBD, "pareto": ParetoNBD}[model]
    fit = do("fit", lambda: kind().fit(**data))
    if do is told:
        say("found", params=fit.params)
        if not fit.converged:
            raise SystemExit(f"{fit.name} did not converge: {fit.notes}")
    do("expected purchases", lambda: fit.expected_purchases(WEEKS))
    do("P(alive)", fit.p_alive)


def lifetimes(model: str, data: dict[str, Any], do: Any) -> None:
    from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter

    kind = {"bg": BetaGeoFitter, "mbg": ModifiedBetaGeoFitter, "pareto": ParetoNBDFitter}[model]
    x, t, age = data["frequency"], data["recency"], data["T"]
    fitter = kind()
    do("fit", lambda: fitter.fit(x, t, age))
    if do is told:
        say("found", params={name: float(value) for name, value in fitter.params_.items()})
    ahead = fitter.conditional_expected_number_of_purchases_up_to_time
    do("expected purchases", lambda: ahead(WEEKS, x, t, age))
    do("P(alive)", lambda: fitter.conditional_probability_alive(x, t, age))


def pymc(model: str, data: dict[str, Any], do: Any) -> None:
    import logging

    import pandas as pd
    from pymc_marketing import clv

    logging.getLogger("pymc").setLevel(logging.ERROR)
    kind = {
        "bg": clv.BetaGeoModel, "mbg": clv.ModifiedBetaGeoModel, "pareto": clv.ParetoNBDModel
    }[model]  # fmt: skip
    frame = pd.DataFrame({"customer_id": np.arange(len(data["T"])), **data})
    one = kind(data=frame)
    do("fit", lambda: one.fit(method="map", progressbar=False))
    if do is told:
        names = ("r", "alpha", "s", "beta") if model == "pareto" else ("r", "alpha", "a", "b")
        say("found", params={name: float(one.idata.posterior[name].mean()) for name in names})
    do("expected purchases", lambda: np.asarray(one.expected_purchases(frame, future_t=WEEKS)))
    do("P(alive)", lambda: np.asarray(one.expected_probability_alive(frame)))


if __name__ == "__main__":
    main()
