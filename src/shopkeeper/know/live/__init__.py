"""Segments, live: who enters and leaves as things are heard, as time goes by, and as definitions change."""
