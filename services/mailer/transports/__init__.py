"""The transports, and what makes a letter safe to send."""
