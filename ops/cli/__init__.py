"""The `realtoros` command line."""
