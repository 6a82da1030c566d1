"""Linkage: which records are one person, by probability, trained without labels."""

from shopkeeper.resolve.linkage.person import SCHEMA, Person, people_table
from shopkeeper.resolve.linkage.prepare import Prepared, prepare

__all__ = ["SCHEMA", "Person", "Prepared", "people_table", "prepare"]
