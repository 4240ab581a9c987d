"""crm: clients and agents."""
