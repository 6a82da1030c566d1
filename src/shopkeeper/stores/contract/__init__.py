"""What a ledger, a vault and a lake must do: the only part of ``stores`` that stages may import."""
