"""Routes of follow-ups and their emails, and what may still be decided of them."""
