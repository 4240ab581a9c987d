"""What every route shares: errors, ETags, pages, idempotency, headers, OpenAPI."""
