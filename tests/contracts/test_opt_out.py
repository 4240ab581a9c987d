import random
import string
from uuid import UUID

import pytest

from contracts.links.opt_out import InvalidToken, OptOut, OptOutTokens

OLD = {"2025": "the-older-of-the-two-secrets-here"}
NEW = {"2026": "the-newer-of-the-two-secrets-here"}
CLAIMS = OptOut(UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4), "Jo.Éva@bücher.example")
URL_SAFE = set(string.ascii_letters + string.digits + "-_")


def test_a_token_opens_to_what_was_sealed() -> None:
    assert OptOutTokens(NEW).open(OptOutTokens(NEW).seal(CLAIMS)) == CLAIMS


def test_the_same_claims_are_always_the_same_token_and_others_another_one() -> None:
    tokens = OptOutTokens(NEW)
    others = [
        CLAIMS._replace(agent_id=UUID(int=9)),
        CLAIMS._replace(client_id=UUID(int=9)),
        CLAIMS._replace(followup_id=UUID(int=9)),
        CLAIMS._replace(email_id=UUID(int=9)),
        CLAIMS._replace(address="jo@bücher.example"),
    ]
    assert tokens.seal(CLAIMS) == OptOutTokens(NEW).seal(CLAIMS)
    assert len({tokens.seal(each) for each in (CLAIMS, *others)}) == len(others) + 1


def test_a_token_is_safe_in_an_address_and_shows_nothing_personal() -> None:
    token = OptOutTokens(NEW).seal(CLAIMS)
    assert set(token) <= URL_SAFE
    assert "jo" not in token.lower().split("-")
    # Addresses of about the same length cannot be told apart by it.
    assert len(token) == len(OptOutTokens(NEW).seal(CLAIMS._replace(address="al@b.example")))


def test_the_longest_address_fits_into_one_line_of_a_header() -> None:
    longest = CLAIMS._replace(address=f"{'a' * 64}@{'b' * 189}")
    assert len(OptOutTokens(NEW).seal(longest)) <= 448


def test_tokens_of_an_older_key_open_until_it_is_removed() -> None:
    old = OptOutTokens(OLD).seal(CLAIMS)
    assert OptOutTokens(NEW | OLD).open(old) == CLAIMS
    assert OptOutTokens(NEW | OLD).seal(CLAIMS) == OptOutTokens(NEW).seal(CLAIMS)
    with pytest.raises(InvalidToken):
        OptOutTokens(NEW).open(old)


def test_a_token_for_another_purpose_does_not_open() -> None:
    preview = OptOutTokens(NEW, "preview").seal(CLAIMS)
    with pytest.raises(InvalidToken):
        OptOutTokens(NEW).open(preview)


@pytest.mark.parametrize("token", ["", "=", "-", "A" * 10_000, "é" * 100, "\ud800", "a b", "\0"])
def test_what_never_was_a_token_does_not_open(token: str) -> None:
    with pytest.raises(InvalidToken):
        OptOutTokens(NEW | OLD).open(token)


def test_no_mutated_token_opens() -> None:
    tokens, seed = OptOutTokens(NEW | OLD), random.Random(14)
    genuine = {tokens.seal(CLAIMS), OptOutTokens(OLD).seal(CLAIMS)}
    mutants: set[str] = set()
    while len(mutants) < 10_000:
        mutants.add(_mutated(seed.choice(sorted(genuine)), seed))
        mutants -= genuine
    for mutant in mutants:
        with pytest.raises(InvalidToken):
            tokens.open(mutant)


def _mutated(token: str, seed: random.Random) -> str:
    at, letter = seed.randrange(len(token)), seed.choice(string.printable + "é=")
    match seed.randrange(8):
        case 0:
            return token[:at]
        case 1:
            return token[at:]
        case 2:
            return token + letter * seed.randrange(1, 4)
        case 3:
            return token[:at] + letter + token[at + 1 :]
        case 4:
            return token[:at] + letter + token[at:]
        case 5:
            return token[:at] + token[at + 1 :]
        case 6:
            return token[:at] + token[at:].swapcase()
        case _:
            # The bits that base64 ignores at its end.
            return token[:-1] + seed.choice(sorted(URL_SAFE))
