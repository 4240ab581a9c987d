"""The dashboard of an agent: its figures, emails by day, and what waits for a person."""
