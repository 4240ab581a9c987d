"""Why a connection failed, without credentials and without what a refused write would quote."""

from collections.abc import Iterator
from errno import errorcode

from aiokafka.errors import KafkaConnectionError
from pymongo.errors import ConnectionFailure

LONGEST = 200
# What pymongo says after the addresses and their errors.
_TOPOLOGY = ", Timeout:"


def cause_of(error: BaseException) -> str:
    """Return the error's name, with host and errno where it is one of a connection."""
    name = type(error).__name__
    if isinstance(error, ConnectionFailure | KafkaConnectionError):
        return f"{name}: {str(error).partition(_TOPOLOGY)[0][:LONGEST]}"
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno:
            code = errorcode.get(each.errno, str(each.errno))
            # As aiohttp's errors name it.
            host, port = getattr(each, "host", None), getattr(each, "port", None)
            return f"{name}: {code} {host}:{port}" if host else f"{name}: {code}"
    return name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
