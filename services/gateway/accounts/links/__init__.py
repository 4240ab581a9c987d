"""Links: mailed to confirm an address or set a new password; made by operators to log in."""
