"""Fake OpenAI and SendGrid: processes of their own that speak HTTP, fail on order and count."""
