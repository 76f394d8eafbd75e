"""Words, signatures, addresses and posts of notifications. Pure: no rows, no Django."""
