"""Fake OpenAI and SendGrid: HTTP servers with injectable faults and a ledger of accepted calls."""
