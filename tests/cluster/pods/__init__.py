"""Pods that run: containers by podman instead of pretended ones."""
