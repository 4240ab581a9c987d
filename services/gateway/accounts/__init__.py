"""Accounts, sessions, API keys, authentication and rate limits."""
