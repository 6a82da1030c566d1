"""The numbered schema files of the gate."""
