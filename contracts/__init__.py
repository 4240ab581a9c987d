"""The public language: what the services say to each other and to anyone who listens."""
