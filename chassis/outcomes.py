"""What becomes of a message at one aggregate."""

from dataclasses import dataclass

from chassis.errors import Refused


@dataclass(frozen=True, slots=True)
class Done:
    """Its effect is in the log, or there was nothing to do; the stream is at `version`."""

    stream: str
    version: int


# Any other exception is a bug.
Outcome = Done | Refused | Exception
