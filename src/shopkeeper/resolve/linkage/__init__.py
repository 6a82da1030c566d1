"""Linkage: which records are one person, by probability, trained without labels.

::

    ready = prepare(people, Keys("GB"))            # one spelling per value, junk out, repeats folded
    model = train(ready, splink_backend)           # no labels; model.save(path), Model.load(path)
    linked = link(ready, model, splink_backend)    # linked.person_of, .links, .refused
    fresh = prepare(new_people, Keys("GB"), junk=ready.junk)
    later = link_again(ready, linked, fresh, model, splink_backend)
    index = LiveIndex(ready, model)                # index.candidates(one), index.waterfall(a, b)

Records are prepared (``prepare``), pairs are blocked (``blocking``) and compared in levels (``levels``), levels are
weighed by a model (``model``, ``train``), and the pairs are joined by guarded union (``union``).
"""

from shopkeeper.resolve.linkage.again import Again, link_again
from shopkeeper.resolve.linkage.frequencies import Frequencies
from shopkeeper.resolve.linkage.link import Facing, Linked, guard_of, link
from shopkeeper.resolve.linkage.live import Candidate, LiveIndex
from shopkeeper.resolve.linkage.model import Model, Trained
from shopkeeper.resolve.linkage.person import SCHEMA, Person, people_table
from shopkeeper.resolve.linkage.prepare import JunkValues, Prepared, learn_junk, prepare, spelled
from shopkeeper.resolve.linkage.train import train
from shopkeeper.resolve.linkage.union import Facts, Link, Refusal, United, conflict, unite
from shopkeeper.resolve.linkage.weighing import Bar, Weights, facts_of, rows_of, whole

__all__ = [
    "SCHEMA",
    "Again",
    "Bar",
    "Candidate",
    "Facing",
    "Facts",
    "Frequencies",
    "JunkValues",
    "Link",
    "Linked",
    "LiveIndex",
    "Model",
    "Person",
    "Prepared",
    "Refusal",
    "Trained",
    "United",
    "Weights",
    "conflict",
    "facts_of",
    "guard_of",
    "learn_junk",
    "link",
    "link_again",
    "people_table",
    "prepare",
    "rows_of",
    "spelled",
    "train",
    "unite",
    "whole",
]
