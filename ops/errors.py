"""What goes wrong in an operator's hands rather than in the code."""


class OperatorError(Exception):
    """Something the operator can put right; the message is the one line that says how."""


class ApiUnavailable(OperatorError):
    """The API did not answer, or answered that it cannot at present: asking again may help."""
