"""Places where data lives: the ledger (live, row by row), the vault (personal values) and the lake (analysis)."""
