"""Writes: commands sent to their owners, and the wait for their replies."""
