"""One process: settings, HTTP server, health, logging, metrics, background tasks."""
