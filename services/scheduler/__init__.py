"""scheduler: when each client's follow-ups are due."""
