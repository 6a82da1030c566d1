"""Reads a saved fit without being told which one it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from shopkeeper.domain.errors import BadFile
from shopkeeper.predict.value.bgnbd import BGNBDFit
from shopkeeper.predict.value.cnbd import BGCNBDFit, MBGCNBDFit
from shopkeeper.predict.value.covariate_fit import CovariateFit
from shopkeeper.predict.value.gammagamma import GammaGammaFit
from shopkeeper.predict.value.mbgnbd import MBGNBDFit
from shopkeeper.predict.value.model import read_fit
from shopkeeper.predict.value.pareto import ParetoNBDFit
from shopkeeper.predict.value.season import Season
from shopkeeper.predict.value.seasonal import SeasonalFit

AnyFit = (
    BGNBDFit
    | MBGNBDFit
    | ParetoNBDFit
    | BGCNBDFit
    | MBGCNBDFit
    | GammaGammaFit
    | SeasonalFit
    | CovariateFit
    | Season
)
_TAGGED: dict[Any, Any] = {
    one.__struct_config__.tag: one
    for one in (BGNBDFit, MBGNBDFit, ParetoNBDFit, BGCNBDFit, MBGCNBDFit, GammaGammaFit)
}
_BY_FIELDS: dict[str, Any] = {"baseline": CovariateFit, "season": SeasonalFit, "weeks": Season}


def load(path: Path | str) -> AnyFit:
    """Read whichever fit was written by its ``save``: a model's, one with seasons or covariates, amounts, a season.

    Raises:
        BadFile: it is none of them.

    >>> from tempfile import TemporaryDirectory
    >>> from shopkeeper.predict.value import BGNBD
    >>> fit = BGNBD().fit(frequency=[2, 1, 0, 4], recency=[30.4, 1.7, 0, 20], T=[38.9, 38.9, 38.9, 20.0])
    >>> with TemporaryDirectory() as folder:
    ...     fit.save(f"{folder}/fit.json")
    ...     same = load(f"{folder}/fit.json")
    >>> same == fit
    True
    """
    text = Path(path).read_bytes()
    try:
        said: Any = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise BadFile(f"not a saved fit: {error}", hint="save the fit again") from error
    if isinstance(said, dict):
        kind = _TAGGED.get(str(said.get("model"))) or next(
            (k for f, k in _BY_FIELDS.items() if f in said), None
        )
        if kind is not None:
            found: AnyFit = read_fit(text, kind)
            return found
    raise BadFile("not a saved fit: it says of no model", hint="give a file written by fit.save()")
