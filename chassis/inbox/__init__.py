"""Consuming messages: batches in, reactions decided, answers and quarantine out."""
