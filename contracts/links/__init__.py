"""Links in letters: what mailer seals into them and gateway opens again."""
