"""Engines of the gate: what the doors write, before and beside the ledger."""
