"""MongoDB clients, change streams and batched reads."""
