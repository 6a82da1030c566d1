"""Nouns and pure rules: frozen, without input or output. Every other folder may import this one; it imports none."""
