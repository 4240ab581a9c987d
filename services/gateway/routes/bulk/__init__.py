"""The same change to many clients or follow-ups: each by the command of its single route."""
