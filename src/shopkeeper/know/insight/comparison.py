"""What do these customers have in common? A group beside the rest, or beside another group, over everything known.

Every trait and every derived fact is put to the test together. Found is what passes at the false discovery rate *and*
differs by at least a small effect: with a million customers everything is significant and little of it matters. The
intervals of what was found are widened for having been picked out of so many (``discoveries``), and those of the levels
of one thing hold side by side (Bonferroni over its levels, as Goodman 1965). Facts that the group was made of, and
their kin, are told apart and not tested: they would be certain discoveries and pay for false ones.

Shares are counted over everybody. Ranks are taken of a sample of each side where it is larger than ``most``: with
100,000 the standard error of Cliff's delta is below 0.003, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from shopkeeper.domain.errors import InvalidInput
from shopkeeper.know.insight import kin
from shopkeeper.know.insight.derived import LABELS
from shopkeeper.know.insight.discoveries import Dependence, coverage_alpha, q_values
from shopkeeper.know.insight.facts import Comparison, Fact
from shopkeeper.know.insight.gathering import Gathered, Number, Share
from shopkeeper.know.insight.people import Lists, People
from shopkeeper.know.insight.shares import cohen_h, difference, effect_limits, p_values, ratio
from shopkeeper.know.insight.wording import number_sentence, share_sentence

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 100_000
_SAMPLE_OF_KIN = 20_000
_SMALL = 30


def compare(
    people: People,
    group: Iterable[int] | NDArray[Any],
    against: Iterable[int] | NDArray[Any] | None = None,
    *,
    derived: Iterable[tuple[str, Lists]] = (),
    definition: Collection[str] = (),
    without: Collection[str] = kin.PLUMBING,
    rate: float = 0.05,
    least: float = 0.1,
    dependence: Dependence = "positive",
    most: int = MOST,
    seed: int = 1,
    as_of: datetime | None = None,
) -> Comparison:
    """Compare a group (customer ids, or a mask over ``people.ids``) with ``against``, or with everybody else.

    ``definition`` names the traits and derived facts that the group was made of; facts in ``without``
    are not looked at. ``rate`` is both the false discovery rate
    and 1 - level of the intervals before widening; ``least`` the smallest effect worth telling. Customers who are in
    both groups are left out of both.

    Raises InvalidInput where a side is empty.
    """
    one = people.mask(group)
    two = ~one if against is None else people.mask(against)
    both = one & two
    notes = _notes_on_overlap(int(both.sum()))
    one, two = one & ~both, two & ~both
    if not one.any() or not two.any():
        raise InvalidInput(
            "nobody is in the group" if not one.any() else "nobody is left to compare the group with",
            hint="a comparison needs customers on both sides",
        )
    gathered = Gathered(one, two, most=most, seed=seed)
    reasons = _gather(people, gathered, derived, set(definition), set(without) - set(definition), seed)
    if gathered.sampled:
        notes.append(
            f"numbers are ranked over a sample of {most:,} of a side; shares are counted over everybody"
        )
    if min(gathered.sizes) < _SMALL:
        notes.append(
            f"only {min(gathered.sizes)} customers on one side: little can be found, and ranges are wide"
        )
    return _told(gathered, reasons, rate, least, dependence, notes, as_of)


def _notes_on_overlap(shared: int) -> list[str]:
    return [f"{shared:,} customers are in both groups and left out of both"] if shared else []


def _gather(
    people: People,
    gathered: Gathered,
    derived: Iterable[tuple[str, Lists]],
    definition: set[str],
    without: set[str],
    seed: int,
) -> dict[str, str]:
    """Put every question; by ``about``, why some of them are no insight."""
    defining = [trait for trait in people.traits if trait.name in definition]
    rows = np.arange(len(people))
    if rows.size > _SAMPLE_OF_KIN:
        rows = np.random.default_rng(seed).choice(rows, _SAMPLE_OF_KIN, replace=False)
    made_of = {
        name: column[rows] for name, column in people.columns(defining) if isinstance(column, np.ndarray)
    }
    reasons: dict[str, str] = {}
    traits = {trait.name: trait for trait in people.traits if trait.name not in without}
    for name, column in people.columns(list(traits.values())):
        reasons[name] = kin.declared(name, definition)
        if not reasons[name] and made_of and isinstance(column, np.ndarray):
            reasons[name] = kin.measured(column[rows], made_of)
        gathered.add(traits[name], column)
    for key, lists in derived:
        if key in without:
            continue
        label, _ = LABELS.get(key, (key, ""))
        reasons[key] = kin.declared(key, definition)
        gathered.levels(key, label, lists, phrase=_phrase(label))
    return reasons


def _phrase(label: str) -> str:
    return f"{label[:1].lower()}{label[1:]}"


def _told(
    gathered: Gathered, reasons: dict[str, str], rate: float, least: float, dependence: Dependence,
    notes: list[str], as_of: datetime | None,
) -> Comparison:  # fmt: skip
    shares, numbers = gathered.shares, gathered.numbers
    counts = np.array([(s.k1, s.n1, s.k2, s.n2) for s in shares], float).reshape(-1, 4).T
    p = np.concatenate([p_values(*counts), [n.seen.p for n in numbers]]) if shares or numbers else np.empty(0)
    effects = np.concatenate([
        cohen_h(counts[0] / counts[1], counts[2] / counts[3]), [n.seen.effect for n in numbers]
    ])  # fmt: skip
    why = [reasons[s.about] for s in shares] + [reasons[n.trait.name] for n in numbers]
    tested = np.array([not reason for reason in why], np.bool_)
    q = np.full(p.size, np.nan)
    q[tested] = q_values(p[tested], dependence)
    found = tested & (np.nan_to_num(q, nan=1.0) <= rate) & (np.abs(effects) >= least)
    alpha = coverage_alpha(int(found.sum()), int(tested.sum()), rate, dependence)
    facts = [*_share_facts(shares, counts, alpha), *(_number_fact(n, alpha) for n in numbers)]
    told = [
        _finished(fact, float(p[at]), float(q[at]) if tested[at] else None, why[at])
        for at, fact in enumerate(facts)
    ]
    ranked = sorted(
        range(len(told)), key=lambda at: (-abs(told[at].certain), -abs(told[at].effect), told[at].label)
    )
    return Comparison(
        group=gathered.sizes[0], rest=gathered.sizes[1], tested=int(tested.sum()),
        facts=tuple(told[at] for at in ranked if found[at]),
        others=tuple(told[at] for at in ranked if tested[at] and not found[at]),
        by_definition=tuple(told[at] for at in ranked if not tested[at]),
        pictures=gathered.pictures, rate=rate, least=least, dependence=dependence, notes=tuple(notes), as_of=as_of,
    )  # fmt: skip


def _finished(fact: Fact, p: float, q: float | None, why: str) -> Fact:
    import msgspec

    return msgspec.structs.replace(fact, p=p, q=q, by_definition=why)


def _share_facts(shares: list[Share], counts: NDArray[Any], alpha: float) -> list[Fact]:
    from scipy.special import ndtri

    if not shares:
        return []
    alphas = alpha / np.array([share.together for share in shares], float)
    z = -ndtri(alphas / 2)
    low, high = difference(counts[0], counts[1], counts[2], counts[3], z)
    ratio_low, ratio_high = ratio(counts[0], counts[1], counts[2], counts[3], z)
    p1, p2 = counts[0] / counts[1], counts[2] / counts[3]
    effect = cohen_h(p1, p2)
    ends = effect_limits(counts[0], counts[1], counts[2], counts[3], z)
    made = []
    for at, share in enumerate(shares):
        one, two = float(p1[at]), float(p2[at])
        made.append(
            Fact(
                about=share.about, level=share.level, aspect=share.aspect, label=share.label,
                sentence=share_sentence(share.phrase, one, two), group=one, rest=two, group_size=share.n1,
                rest_size=share.n2, difference=one - two, low=float(low[at]), high=float(high[at]),
                ratio=one / two if two else None, ratio_low=float(ratio_low[at]),
                ratio_high=float(ratio_high[at]) if np.isfinite(ratio_high[at]) else None,
                effect=float(effect[at]), certain=_certain(ends[0][at], ends[1][at]),
                level_of_interval=1 - float(alphas[at]), p=1.0,
            )
        )  # fmt: skip
    return made


def _number_fact(number: Number, alpha: float) -> Fact:
    import msgspec

    seen, trait = number.seen, number.trait
    low, high = seen.interval(alpha)
    ends = [msgspec.structs.replace(seen, chance=(limit + 1) / 2).effect for limit in (low, high)]
    return Fact(
        about=trait.name, aspect="number", label=f"{trait.label} {number.of}".strip(),
        sentence=number_sentence(
            trait.label, trait.kind, trait.unit, seen.median, seen.median_rest, seen.chance, number.of
        ),
        group=seen.median, rest=seen.median_rest, group_size=seen.m, rest_size=seen.n, difference=seen.delta,
        low=low, high=high, effect=seen.effect, certain=_certain(*ends), level_of_interval=1 - alpha, p=1.0,
        sampled=number.sampled,
    )  # fmt: skip


def _certain(low: float, high: float) -> float:
    return float(low) if low > 0 else float(high) if high < 0 else 0.0
