"""Emails that come in: of which letter they are the answer, what they are, what they do."""
