"""Before the provider is called: what forbids it, the daily limit, the switch of all sending."""
