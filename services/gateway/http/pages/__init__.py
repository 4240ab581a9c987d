"""Pages that links in emails open: one button, or one form; in the look of the dashboard."""
