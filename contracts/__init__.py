"""The public contracts: messages, topics and their schemas."""
