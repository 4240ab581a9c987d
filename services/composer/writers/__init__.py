"""Writers of letters: a language model, or templates; and what each is told of the client."""
