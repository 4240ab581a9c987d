"""The guard: whether a letter is fit to send in an agent's name. Pure."""
