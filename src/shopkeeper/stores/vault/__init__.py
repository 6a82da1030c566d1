"""Personal values: pseudonyms, blind search tokens and sealing under deletable keys."""
