"""Emails that come back: what of them is a client's reply. Pure."""
