"""Prints the figures of letters and guard: `python -m tests.services.composer.figures`."""

import asyncio
from collections import Counter
from typing import get_args

from rich.console import Console

from contracts.scheduler import FollowupType
from tests.services.composer.guard.test_guard import bad_texts, flags, texts
from tests.services.composer.writers.requests import sample_requests
from tests.services.composer.writers.test_template_writer import FIVE, clauses, letter_to, masked

_SETS = ("", "second_", "third_")


async def templates(console: Console) -> None:
    """Print how the letters without a key to the 25 sample leads differ."""
    for step in get_args(FollowupType):
        letters = {masked(await letter_to(asked), asked) for asked in sample_requests(step)}
        console.print(f"{step}: {len(letters)} distinct texts of 25")
    most = 0
    for five in zip(*map(sample_requests, FIVE), strict=True):
        bodies = [masked(await letter_to(asked), asked) for asked in five]
        found = Counter(clause for body in bodies for clause in clauses(body))
        most = max(most, *found.values())
    console.print(f"the same clause in one client's five letters: {most}")


def guard(console: Console) -> None:
    """Print what the guard catches, and what it should not have caught."""
    for name in _SETS:
        bad, good = bad_texts(f"{name}bad_texts.txt"), texts(f"{name}good_texts.txt")
        caught = sum(flag in flags(text) for flag, text in bad)
        wrong = sum(bool(flags(text)) for text in good)
        console.print(
            f"{name}bad_texts: {caught} of {len(bad)} caught for the right reason; "
            f"{name}good_texts: {wrong} of {len(good)} flagged"
        )


if __name__ == "__main__":
    out = Console()
    asyncio.run(templates(out))
    guard(out)
