"""Kafka: producer, consumer, records, and checkpoints in topics."""
