"""What the ledger and the gate share: sessions on an SQL database, and joining waiting writes into one commit."""
