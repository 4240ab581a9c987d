"""Clients that are generated from docs/openapi.json, type-checked and used on a running system."""
