"""mailer: sends each email once and records its outcome."""
