"""MongoDB and Kafka: embedded ones, and what must be in them before services start."""
