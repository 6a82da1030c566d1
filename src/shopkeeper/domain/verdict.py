"""Whether a forecast beats simple rules, and by how much, from the score card: all doors say the same."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from shopkeeper.domain.report import Score

SURELY = 0.95
"""Share of samples of the customers from which on a difference is called more than chance."""


class Verdict(Struct, frozen=True, kw_only=True):
    """How what is used did beside the best simple rule, on time that neither had seen."""

    used: Score
    rule: Score | None
    """The best rule other than what is used; None where none was tested."""
    gain: float
    """By which share the error is smaller than the rule's; below 0 where it is larger."""
    sure: bool
    """Whether the rule is worse by more than chance."""
    unbeaten: bool = True
    """Whether no model does better than a rule that is used, by more than chance."""

    @property
    def short(self) -> str:
        """In a few words."""
        if self.used.rule:
            return "a rule is used"
        if self.rule is None:
            return "tested alone"
        if self.gain <= 0:
            return "no better"
        size = f"{self.gain * 100:.0f}% better" if self.gain >= 0.005 else "hardly better"
        return size if self.sure else f"{size}, or chance"

    @property
    def sentence(self) -> str:
        """In full."""
        used, rule = self.used, self.rule
        error = f"{used.rmse:.2f} orders a customer (root mean square)"
        called = f"{used.name[:1].upper()}{used.name[1:]} is used"
        if used.rule:
            why = ": no model does clearly better on this shop's past" if self.unbeaten else ""
            return f"{called}, a simple rule{why}. On time it had not seen its error was {error}."
        said = f"{called}. On time it had not seen its error was {error}"
        if rule is None:
            return said + "."
        if self.gain <= 0:
            return (
                f"{said}: by that no better than the simple rule \N{LEFT DOUBLE QUOTATION MARK}{rule.name}"
                f"\N{RIGHT DOUBLE QUOTATION MARK} ({rule.rmse:.2f})."
            )
        against = f"{said}, against {rule.rmse:.2f} for the best simple rule ({rule.name})"
        return f"{against}: {'more than chance' if self.sure else 'which may be chance'}."


def verdict(scores: Sequence[Score]) -> Verdict | None:
    """How the entry in use did beside the best rule; None where nothing could be tested.

    >>> rule = Score(name="repeat rate", mae=1, rmse=2.0, bias=0, spearman=0, top_decile=0, rule=True, beaten=0.99)
    >>> model = Score(name="BG/NBD", mae=1, rmse=1.9, bias=0, spearman=0, top_decile=0, chosen=True)
    >>> found = verdict([rule, model])
    >>> found.short, found.sentence
    ('5% better', 'BG/NBD is used. On time it had not seen its error was 1.90 orders a customer (root mean square), \
against 2.00 for the best simple rule (repeat rate): more than chance.')
    """
    used = next((one for one in scores if one.chosen), None)
    if used is None:
        return None
    rule = min(
        (one for one in scores if one.rule and one is not used), key=lambda one: one.rmse, default=None
    )
    gain = 1 - used.rmse / rule.rmse if rule is not None and rule.rmse > 0 else 0.0
    return Verdict(
        used=used,
        rule=rule,
        gain=gain,
        sure=rule is not None and (rule.beaten or 0.0) >= SURELY,
        unbeaten=all(one.rule or one.beaten is None or one.beaten > 1 - SURELY for one in scores),
    )
