"""Reads: the views behind the API and how they follow from events."""
