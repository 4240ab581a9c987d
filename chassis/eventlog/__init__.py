"""The event store: appending commits with their states, publishing them, working on due states."""
