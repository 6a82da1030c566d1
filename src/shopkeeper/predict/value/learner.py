"""Gradient-boosted trees that correct a probability model's forecast by what else is known of the customer.

The trees learn a factor: expected = offset x exp(trees(features)), with the Poisson likelihood (orders) or the Tweedie
(spend; Joergensen, 1987), so that with no trees the forecast stands. They are small and held back, and how many there
are is decided by cross-validation over customers within the training days; where no tree lowers the loss on customers
not looked at, there is none, and the fit says so. The same data give the same fit: fixed seed, one thread.

LightGBM (Ke et al., 2017) is the extra ``learn`` and is imported when a fit is asked for. A fit is saved as JSON that
holds LightGBM's own text of the trees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from shopkeeper.domain.errors import BadFile, InvalidInput
from shopkeeper.predict.value.features import FeatureTable, stacked
from shopkeeper.predict.value.history import Floats, column, refuse_rows
from shopkeeper.predict.value.model import read_fit

_FLOOR = 1e-3  # an offset of 0 becomes this share of the mean offset: a factor of 0 stays 0
_FEW = 50
_SHRINK = 0.5
_ROBUST = 0.999  # an amount above this quantile is taken as it: a few wholesalers must not decide for all
_MORE = 1e-4  # a gain in mean deviance below this share is none


def installed() -> bool:
    """Whether LightGBM can be imported (not yet doing so)."""
    return find_spec("lightgbm") is not None


class LearnerFit(msgspec.Struct, frozen=True, kw_only=True):
    """Trees on a forecast.

    Attributes:
        objective: poisson (counts) or tweedie (amounts).
        trees: how many; 0 where nothing was gained, and the forecast stands.
        text: the trees as LightGBM writes them.
        features: names of the columns in the order the trees know them.
        categories: by column, the texts its numbers stand for.
        importance: share of the gain by feature, largest first; sums to 1, empty without trees.
        words: what the important features mean.
        level: factor on the forecast that all customers share: the square root of bought over foreseen in the training
            windows (what the model missed there is half its lasting error, half the season: no way to tell). The trees
            only learn who buys more and who less than the others.
        floor: what an offset of 0 is taken as.
        gain: by how much the deviance of customers not looked at fell, as a share of the forecast's own.
        n: rows trained on.
        params: of the search.
        notes: what a reader should know.
    """

    objective: Literal["poisson", "tweedie"]
    trees: int
    text: str
    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    importance: dict[str, float]
    words: dict[str, str]
    level: float
    floor: float
    gain: float
    n: int
    params: dict[str, float]
    notes: tuple[str, ...] = ()

    name: ClassVar[str] = "learner"

    def expected(self, features: FeatureTable, offset: ArrayLike) -> Floats:
        """What each row of ``features`` is expected to buy, given the model's own forecast ``offset`` for it.

        Raises:
            InvalidInput: offsets that are missing, negative or not as many as rows; or there are trees, and LightGBM is
                not installed.
        """
        given = _offset(offset, features.customer.size)
        base = np.maximum(given, self.floor)
        if not self.trees or not given.size:
            return given * self.level
        raw = _booster(self.text).predict(
            _matrix(features, self.features, self.categories), raw_score=True, num_threads=1
        )
        # 20 e-folds either way are far beyond any training and keep the answer finite.
        return np.asarray(base * self.level * np.exp(np.clip(np.asarray(raw, np.float64), -20.0, 20.0)))

    def in_words(self, most: int = 5) -> tuple[str, ...]:
        """What the trees look at, the weightiest first, for the score card.

        >>> fit = LearnerFit(objective="poisson", trees=1, text="", features=("T",), categories={}, params={}, n=9,
        ...     importance={"T": 1.0}, words={"T": "weeks since the first order"}, level=1.0, floor=0.0, gain=0.1)
        >>> fit.in_words()
        ('100 %: weeks since the first order',)
        """
        return tuple(
            f"{round(100 * share)} %: {self.words.get(name, name)}"
            for name, share in list(self.importance.items())[:most]
        )

    def to_json(self) -> bytes:
        """Give the fit as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Read a fit from JSON written by `to_json`.

        Raises:
            BadFile: not a saved fit, or a number of trees that is not in its text.
        """
        fit = read_fit(text, cls)
        if fit.trees != fit.text.count("\nTree="):
            raise BadFile("not a saved LearnerFit: trees are missing", hint="save the fit again")
        return fit

    def save(self, path: Path | str) -> None:
        """Write the fit to a JSON file."""
        Path(path).write_bytes(self.to_json())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a fit from a JSON file written by `save`."""
        return cls.from_json(Path(path).read_bytes())


class Learner(msgspec.Struct, frozen=True, kw_only=True):
    """How to learn.

    Attributes:
        objective: poisson for orders, tweedie for spend.
        rate: learning rate.
        leaves: of a tree, at most.
        rounds: trees, at most.
        folds: of the cross-validation.
        most_rows: rows trained on, at most; of a larger shop a random part of the customers is taken.
        seed: of all that is random.
    """

    objective: Literal["poisson", "tweedie"] = "poisson"
    rate: float = 0.06
    leaves: int = 8
    rounds: int = 300
    folds: int = 3
    most_rows: int = 200_000
    seed: int = 20_240_101

    def fit(
        self,
        features: FeatureTable | Sequence[FeatureTable],
        *,
        offset: ArrayLike | Sequence[ArrayLike],
        target: ArrayLike | Sequence[ArrayLike],
    ) -> LearnerFit:
        """Learn from one past day or several.

        Args:
            features: what was known at the end of each day: one table or one per day.
            offset: forecast of a probability model over the days after it, one per row: one array or one per table.
            target: what was bought within those days, alike.

        Raises:
            InvalidInput: arrays that do not fit the tables, missing or negative numbers (says which rows); or LightGBM
                is not installed.
        """
        tables = [features] if isinstance(features, FeatureTable) else list(features)
        several = not isinstance(features, FeatureTable)
        offsets: Any = list(offset) if several else [offset]  # type: ignore[arg-type]
        targets: Any = list(target) if several else [target]  # type: ignore[arg-type]
        if not len(tables) == len(offsets) == len(targets):
            raise InvalidInput(
                f"{len(tables)} tables, {len(offsets)} offsets and {len(targets)} targets",
                hint="give one offset and one target per table",
            )
        bases, actuals, notes = [], [], []
        for table, one, bought in zip(tables, offsets, targets, strict=True):
            base, actual = _offset(one, table.customer.size), column("target", bought)
            if actual.size != base.size:
                raise InvalidInput(f"arrays differ in length: target {actual.size}, offset {base.size}")
            if self.objective == "poisson":
                refuse_rows(actual < 0, "target is negative")
            elif (actual < 0).any():
                notes.append(f"{int((actual < 0).sum())} negative amounts were taken as 0")
            bases.append(base)
            actuals.append(np.maximum(actual, 0.0))
        if self.objective == "tweedie" and any(one.size for one in actuals):
            most = float(np.quantile(np.concatenate(actuals), _ROBUST))
            actuals = [np.minimum(one, most) for one in actuals]
        levels = [_level(one, actual) for one, actual in zip(bases, actuals, strict=True)]
        table, base, actual = stacked(tables), np.concatenate(bases), np.concatenate(actuals)
        floor = max(_FLOOR * float(base.mean()), 1e-9) if base.size else 1e-9
        if why := _too_little(actual, base):
            return self._standing(table, floor, (*notes, f"{why}: the model's forecast stands"))
        shared = np.repeat(levels, [one.size for one in bases])
        level = float(np.exp(_SHRINK * np.mean(np.log(levels))))
        return self._grown(table, np.maximum(base, floor) * shared, actual, floor, level, notes)

    def _grown(
        self, table: FeatureTable, base: Floats, actual: Floats, floor: float, level: float, notes: list[str]
    ) -> LearnerFit:  # fmt: skip
        lightgbm = _lightgbm()
        who = np.unique(table.customer, return_inverse=True)[1]
        people = int(who.max()) + 1
        lot = np.random.default_rng(self.seed).random(people)
        rows = np.arange(who.size)
        if who.size > self.most_rows:
            rows = np.flatnonzero(lot[who] < self.most_rows / who.size)
            notes.append(
                f"learnt from {rows.size} of {who.size} rows, all rows of a random part of the customers"
            )
        names, texts = table.names, dict(table.categories)
        data = _matrix(table, names, texts)[rows]
        settings = self._settings(rows.size)
        coded = [place for place, name in enumerate(names) if name in texts]
        fold = (np.random.default_rng(self.seed + 1).permutation(people) % self.folds)[who[rows]]

        binned = lightgbm.Dataset(
            data, actual[rows], init_score=np.log(base[rows]), feature_name=[*map(str, range(data.shape[1]))],
            categorical_feature=coded, params=settings, free_raw_data=True,
        )  # fmt: skip
        del data
        trial = lightgbm.cv(
            settings, binned, num_boost_round=self.rounds,
            folds=[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(self.folds)],
            callbacks=[lightgbm.early_stopping(20, verbose=False)],
        )  # fmt: skip
        losses = next(values for name, values in trial.items() if name.endswith("-mean"))
        trees = int(np.argmin(losses)) + 1
        before = self._loss(actual[rows], base[rows])
        best = self._best(actual[rows])
        gain = float((before - losses[trees - 1]) / max(before - best, 1e-12))
        if not gain > _MORE:
            why = "nothing known of the customers improves on the model's forecast, which stands"
            return self._standing(table, floor, (*notes, why))
        grown = lightgbm.train(settings, binned, num_boost_round=trees)
        gains = np.asarray(grown.feature_importance("gain"), dtype=np.float64)
        shares = gains / max(float(gains.sum()), 1e-300)
        ranked = [int(place) for place in np.argsort(-shares, kind="stable") if shares[place] > 0]
        return LearnerFit(
            objective=self.objective, trees=grown.num_trees(), text=grown.model_to_string(importance_type="gain"),
            features=names, categories=texts, importance={names[p]: round(float(shares[p]), 6) for p in ranked},
            words={names[p]: table.words.get(names[p], names[p]) for p in ranked}, level=level, floor=floor,
            gain=round(gain, 6), n=int(rows.size), params=self._params(), notes=tuple(notes),
        )  # fmt: skip

    def _standing(self, table: FeatureTable, floor: float, notes: tuple[str, ...]) -> LearnerFit:
        """A fit without trees."""
        return LearnerFit(
            objective=self.objective, trees=0, text="", features=table.names, categories=dict(table.categories),
            importance={}, words={}, level=1.0, floor=floor, gain=0.0, n=table.customer.size, params=self._params(),
            notes=notes,
        )  # fmt: skip

    def _params(self) -> dict[str, float]:
        return {"rate": self.rate, "leaves": self.leaves, "rounds": self.rounds, "seed": self.seed}

    def _settings(self, n: int) -> dict[str, Any]:
        return {
            "objective": self.objective, "metric": self.objective, "tweedie_variance_power": 1.5,
            "learning_rate": self.rate, "num_leaves": self.leaves,
            "min_data_in_leaf": int(min(200, max(20, n // 50))), "lambda_l2": 10.0, "feature_fraction": 0.7,
            "bagging_fraction": 0.8, "bagging_freq": 1, "max_bin": 63, "min_data_per_group": 50, "cat_smooth": 20.0,
            "seed": self.seed % 2**31, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
        }  # fmt: skip

    def _loss(self, actual: Floats, expected: Floats) -> float:
        """The mean loss as LightGBM reports it."""
        if self.objective == "poisson":
            return float((expected - actual * np.log(expected)).mean())
        return float((2.0 * np.sqrt(expected) + 2.0 * actual / np.sqrt(expected)).mean())

    def _best(self, actual: Floats) -> float:
        """The least that loss could be: every customer foretold exactly."""
        some = actual[actual > 0]
        if self.objective == "poisson":
            return float((some - some * np.log(some)).sum() / actual.size)
        return float(4.0 * np.sqrt(some).sum() / actual.size)


def _too_little(actual: Floats, base: Floats) -> str:
    """Why nothing can be learnt from these rows, or nothing."""
    if actual.size < _FEW:
        return f"{actual.size} rows are too few to learn from"
    if int((actual > 0).sum()) < _FEW // 2:
        return f"only {int((actual > 0).sum())} bought within the training days"
    if not (base > 0).any():
        return "the model expects nothing of anybody"
    return ""


def _level(base: Floats, actual: Floats) -> float:
    """What was bought over what was foreseen, in sum; 1 where either is nothing."""
    foreseen, bought = float(base.sum()), float(actual.sum())
    return bought / foreseen if foreseen > 0 and bought > 0 else 1.0


def _offset(offset: ArrayLike, rows: int) -> Floats:
    given = column("offset", offset)
    refuse_rows(given < 0, "offset is negative")
    if given.size != rows:
        raise InvalidInput(f"{given.size} offsets for {rows} rows of features", hint="give one per row")
    return given


def _matrix(
    table: FeatureTable, names: tuple[str, ...], texts: Mapping[str, tuple[str, ...]]
) -> NDArray[np.float64]:
    values = table.named(names, texts)
    values[np.isinf(values)] = np.nan
    return values


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise InvalidInput("the learner needs LightGBM", hint="pip install 'shopkeeper[learn]'") from error
    return lightgbm


def _booster(text: str) -> Any:
    lightgbm = _lightgbm()
    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise BadFile("the trees of this fit cannot be read", hint="save the fit again") from error
