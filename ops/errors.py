"""What goes wrong in an operator's hands rather than in the code."""

from errno import EACCES, EDQUOT, ENOSPC, EROFS

_REMEDIES = {
    **dict.fromkeys((EACCES, EROFS), "use a folder that you may write to"),
    **dict.fromkeys((ENOSPC, EDQUOT), "make room on the disk, then try again"),
}


class OperatorError(Exception):
    """Something the operator can put right; the message is the one line that says how."""


class ApiUnavailable(OperatorError):
    """The API did not answer, or answered that it cannot at present: asking again may help."""


def explain(error: OSError) -> str:
    """Return what the system refused, of which file, and what to do about it, on one line."""
    what = error.strerror or str(error) or type(error).__name__
    parts = [str(error.filename)] if error.filename else []
    remedy = _REMEDIES.get(error.errno or 0)
    return ": ".join([*parts, f"{what}; {remedy}" if remedy else what])
