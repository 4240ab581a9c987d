"""RealtorOS on a Kafka with TLS, SCRAM and ACLs. Run by `make test-secured`."""
