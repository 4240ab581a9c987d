"""Content codings (RFC 9110, 8.4): which one a caller wants, and answers that are compressed."""
