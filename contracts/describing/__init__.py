"""What is written for readers of the topics: JSON Schemas, docs/events.md, AsyncAPI."""
