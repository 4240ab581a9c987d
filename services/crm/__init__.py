"""crm: agents and their clients."""
