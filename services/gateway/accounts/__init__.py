"""Accounts, log-ins, API keys, and who may call."""
