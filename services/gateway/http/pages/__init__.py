"""Pages that links in emails open: one button, or one form."""
