"""How much due work is in hand at once."""

from typing import Protocol

# Work that calls nobody gains nothing from more.
LOCAL_SLOTS = 32
WORK_OF_A_CLAIM = 128


class Slots(Protocol):
    """How much work may be in hand at once."""

    def room(self, working: int) -> int:
        """Return how much more to claim while so much is in hand; 0 if that is not worth a claim.

        A few claims of many cost less than many of few: each takes three round trips.
        """

    def used_up(self) -> None:
        """Note that more work waits than there is room for."""


class FixedSlots:
    """As many as are given."""

    def __init__(self, slots: int) -> None:
        self._slots = slots

    def room(self, working: int) -> int:
        """Return what is free, from a quarter on."""
        return worth_a_claim(self._slots - working, self._slots)

    def used_up(self) -> None:
        """Stay as it is."""


def worth_a_claim(free: int, slots: int) -> int:
    """Return what is free of so many slots, but 0 while more will be free soon."""
    return free if free >= min(WORK_OF_A_CLAIM // 4, max(1, slots // 4)) else 0
