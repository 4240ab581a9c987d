"""`realtoros demo`: sample leads followed up live in the terminal."""
