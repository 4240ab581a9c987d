"""Live updates over server-sent events and WebSocket."""
