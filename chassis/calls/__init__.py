"""Calls to providers: as many at once, and as fast, as the provider bears."""
