"""What the words in titles and cells of other programs mean. Pure."""
