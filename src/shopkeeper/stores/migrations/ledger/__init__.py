"""The numbered schema files of the ledger."""
