"""Tables of other systems' databases, read like files."""
