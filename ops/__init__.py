"""The `realtoros` command and what it runs."""
