"""How a process starts: its settings and secrets, and how a wrong start ends."""
