"""Benchmarks: draining due follow-ups, steady load, idle cost, replay and the REST API."""
