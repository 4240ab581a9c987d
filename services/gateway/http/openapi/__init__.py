"""The OpenAPI 3.1 document: Litestar's routes, pydantic's schemas, names for generated clients."""
