"""Kafka clients, records and the positions that a database remembers."""
