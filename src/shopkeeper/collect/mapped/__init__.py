"""Any system's JSON as events, by a mapping that is data: see ``docs/how-to/connect-anything.md``."""
