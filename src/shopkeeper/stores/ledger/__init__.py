"""The ledger: live data, row by row. ``sql_*`` speak plain SQL; an engine file adds how to connect, commit and copy."""
