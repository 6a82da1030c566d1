"""Hear what happened: every door leads to the one intake."""
