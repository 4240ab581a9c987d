"""Rebuilding a database from its topics, and topics from the database."""
