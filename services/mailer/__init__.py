"""mailer: each email sent once, and what became of it."""
