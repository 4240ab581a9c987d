"""Many clients at once from a CSV: it is read in another process, carried out, reported."""
