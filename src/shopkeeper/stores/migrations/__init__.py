"""Forward-only numbered changes of the ledger's schema, ``0001_begin.sql`` first; never edited once released."""
