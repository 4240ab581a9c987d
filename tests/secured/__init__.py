"""RealtorOS on a Kafka and a MongoDB with TLS, users and least rights.

Run by `make test-secured`."""
