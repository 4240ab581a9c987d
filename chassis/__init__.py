"""What every service stands on: log, relay, due loop, inbox, views. It knows no service."""
