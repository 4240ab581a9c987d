"""Opting out: the page of a letter's link; suppressions, and clients that say no otherwise."""
