"""What training found: for each level of each comparison, how often it holds among matches and among others.

The weight of a level is log2(m / u), in bits, where m is the probability of the level for two records of one person
and u for two of different persons (Fellegi and Sunter, 1969). Where a level means that a value is equal, u is
replaced by the frequency of that value: two Zieglers are more likely one person than two Smiths. The model holds
probabilities and rules only, no value of any record.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from shopkeeper.domain.errors import InvalidInput, StoreDamaged, StoreTooNew
from shopkeeper.resolve.linkage.blocking import Rule, rule_sql
from shopkeeper.resolve.linkage.levels import BY_NAME

FORMAT = 1
"""Raise it where the levels in ``levels.py`` change their meaning: weights of other levels mean nothing."""


class Trained(Struct, frozen=True):
    """One comparison: its name in ``levels.COMPARISONS``, and m and u per level, "all other" last."""

    name: str
    m: tuple[float, ...]
    u: tuple[float, ...]


class Model(Struct, frozen=True):
    """A trained linkage model.

    Attributes:
        comparisons: what is compared, with its probabilities.
        rules: which pairs are looked at (see ``blocking``).
        prior: probability that two records taken at random are one person.
        records: number of distinct records it was trained on.
        seed: of the sample in training.
        format: of the levels.
    """

    comparisons: tuple[Trained, ...]
    rules: tuple[Rule, ...]
    prior: float
    records: int
    seed: int
    format: int = FORMAT

    @property
    def prior_weight(self) -> float:
        """The prior in bits: what all levels together have to outweigh."""
        return math.log2(self.prior / (1.0 - self.prior))

    def frequencies(self) -> tuple[str, ...]:
        """Columns whose values are weighed by how rare they are."""
        found = [
            level.frequency
            for trained in self.comparisons
            for level in BY_NAME[trained.name].levels
            if level.frequency
        ]
        return tuple(dict.fromkeys(found))

    def settings(self, rules: tuple[Rule, ...] | None = None) -> dict[str, Any]:
        """The model in Splink's words, with its own or other rules."""
        return settings(self.comparisons, self.rules if rules is None else rules, prior=self.prior)

    def checksum(self) -> str:
        """SHA-256 of the model, 64 hexadecimal digits: names this version in what it decided."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    def save(self, path: Path) -> str:
        """Write the model as JSON with its checksum, whole or not at all; returns the checksum."""
        checksum = self.checksum()
        text = msgspec.json.format(msgspec.json.encode({"checksum": checksum, "model": self}), indent=1)
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(text)
        beside.replace(path)
        return checksum

    @staticmethod
    def load(path: Path) -> Model:
        """Read a model that ``save`` wrote.

        Raises StoreDamaged where the file was changed or is no model, StoreTooNew where a newer Shopkeeper wrote it,
        InvalidInput where its levels are not those of this version (train again).
        """
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except (msgspec.DecodeError, OSError):
            raise StoreDamaged(f"{path.name} holds no linkage model", hint="Train again") from None
        model = kept.model
        if model.format > FORMAT:
            raise StoreTooNew(f"{path.name} is of format {model.format}, this version reads up to {FORMAT}")
        if model.checksum() != kept.checksum:
            raise StoreDamaged(
                f"{path.name} does not match its checksum", hint="Train again, or restore a backup"
            )
        for trained in model.comparisons:
            known = BY_NAME.get(trained.name)
            if known is None or not len(trained.m) == len(trained.u) == len(known.levels) + 1:
                raise InvalidInput(
                    f"{path.name} compares {trained.name!r} by other levels than this version",
                    hint="Train again",
                )
        return model


class _Kept(Struct):
    checksum: str
    model: Model


def settings(comparisons: tuple[Trained, ...], rules: tuple[Rule, ...], *, prior: float) -> dict[str, Any]:
    """Splink's settings for these comparisons."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": prior,
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule_sql(rule)} for rule in rules],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "comparisons": [_comparison(trained) for trained in comparisons],
    }


def _comparison(trained: Trained) -> dict[str, Any]:
    known = BY_NAME[trained.name]
    levels: list[dict[str, Any]] = [
        {"sql_condition": known.unknown.sql, "label_for_charts": known.unknown.label, "is_null_level": True}
    ]
    for level, m, u in zip(known.levels, trained.m, trained.u, strict=False):
        one = {
            "sql_condition": level.sql,
            "label_for_charts": level.label,
            "m_probability": m,
            "u_probability": u,
        }
        if level.frequency:
            one["tf_adjustment_column"] = level.frequency
            one["tf_adjustment_weight"] = 1.0
            # Then u of this level is simply replaced by the value's frequency; live.py relies on it.
            one["disable_tf_exact_match_detection"] = True
        levels.append(one)
    levels.append(
        {
            "sql_condition": "ELSE",
            "label_for_charts": "different",
            "m_probability": trained.m[-1],
            "u_probability": trained.u[-1],
        }
    )
    return {
        "output_column_name": trained.name.replace("-", "").replace(" ", "_"),
        "comparison_levels": levels,
    }
