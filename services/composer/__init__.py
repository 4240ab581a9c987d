"""composer: the text of each follow-up."""
