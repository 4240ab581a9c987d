"""Links that are mailed to the holder of an address: to confirm it, or to set a new password."""
