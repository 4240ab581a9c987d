"""scheduler: decides when each client's follow-ups are due."""
