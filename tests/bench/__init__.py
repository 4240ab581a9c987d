"""How fast due follow-ups are drained, and what the system costs while nothing happens."""
