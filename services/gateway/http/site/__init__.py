"""The dashboard's pages: a static export, read once and served from memory (ADR 38)."""
