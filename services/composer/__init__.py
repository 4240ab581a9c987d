"""composer: writes the text of each follow-up."""
