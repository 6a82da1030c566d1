"""What is said of a forecast beside simple rules: no claim within noise."""

from __future__ import annotations

from shopkeeper.domain.report import Score
from shopkeeper.domain.verdict import Verdict, verdict


def found(*scores: Score) -> Verdict:
    said = verdict(scores)
    assert said is not None
    return said


def score(name: str, rmse: float, **more: object) -> Score:
    return Score(name=name, mae=1, rmse=rmse, bias=0, spearman=0, top_decile=0, **more)  # type: ignore[arg-type]


def test_what_is_used_is_better_by_more_than_chance_only_where_it_is_itself() -> None:
    used, best = score("MBG/NBD", 1.9, chosen=True), score("learner", 1.89, beaten=0.3)
    unsure = found(score("repeat rate", 2.0, rule=True, beaten=0.6), used, best)
    assert unsure.short == "5% better, or chance"
    assert unsure.sentence.endswith("(repeat rate): which may be chance.")
    sure = found(score("repeat rate", 2.0, rule=True, beaten=0.97), used, best)
    assert sure.short == "5% better"
    assert sure.sentence.endswith("(repeat rate): more than chance.")
    assert found(score("repeat rate", 2.0, rule=True), used).short.endswith("or chance"), "not counted yet"


def test_a_rule_in_use_is_not_called_unbeaten_where_a_model_did_clearly_better() -> None:
    used = score("hiatus", 2.0, rule=True, chosen=True)
    assert "no model does clearly better" in found(used, score("MBG/NBD", 1.99, beaten=0.4)).sentence
    beaten = found(used, score("MBG/NBD", 1.5, beaten=0.01))
    assert beaten.short == "a rule is used"
    assert beaten.sentence.startswith("Hiatus is used, a simple rule. On time")
