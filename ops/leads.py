"""Leads from a CSV on this machine."""

from pathlib import Path

from ops.errors import OperatorError
from services.gateway.leads.parsing import Parsed, parse
from services.gateway.leads.records import Unreadable, decode


def read(file: Path) -> Parsed:
    """Read the file (UTF-8, UTF-16 or Windows-1252). Raises OperatorError when it is no use."""
    try:
        return parse(decode(file.read_bytes()))
    except OSError as error:
        raise OperatorError(f"cannot read {file}: {error.strerror}") from None
    except Unreadable as error:
        raise OperatorError(f"{file}: {error}") from None
