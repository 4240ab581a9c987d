"""Requests and responses, by what they are about; those of accounts are with the accounts."""
