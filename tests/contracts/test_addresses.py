"""One person, one address: which spellings are one, and which are told apart."""

from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.addresses import canonical_address, display_address, keys_of, wire_address

JOSE_NFD = normalize("NFD", "josé@mail.example")
TEXT = st.text(st.characters())
# Surrogates, and what looks like addresses more often than chance would.
ADDRESSES = TEXT | st.from_regex(r"[\w.ß-]{1,9}@(\w{1,9}\.){1,3}\w{2,5}", fullmatch=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jo@bücher.example", "JO@XN--BCHER-KVA.EXAMPLE"),
        ("jo@bücher.example", normalize("NFD", "jo@BÜCHER.example")),
        ("jo@bücher.example", "jo@bücher\u3002example"),
        ("jo@faß.example", "jo@xn--fa-hia.example"),
        ("jo@οδοσ.example", "jo@ΟΔΟΣ.example"),
        ("josé@mail.example", JOSE_NFD),
        ("josé@mail.example", JOSE_NFD.upper()),
        ("jo@mail.example", " Jo@Mail.Example \r\n"),
        ("jo@a_b.bücher.example", "jo@a_b.xn--bcher-kva.example"),
    ],
)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert canonical_address(one) == canonical_address(other)
    assert canonical_address(other) in keys_of(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("straße@mail.example", "strasse@mail.example"),
        ("jo@faß.example", "jo@fass.example"),
        ("\u017fam@mail.example", "sam@mail.example"),
        ("ﬁn@mail.example", "fin@mail.example"),
        ("jo@bücher.example", "jo@bucher.example"),
        ("jo+1@mail.example", "jo@mail.example"),
        ("jo@mail.example.", "jo@mail.example"),
    ],
)
def test_what_only_looks_alike_is_told_apart(one: str, other: str) -> None:
    assert canonical_address(one) != canonical_address(other)


@given(ADDRESSES)
@example("J\u030c" * 300 + "@" + "J\u030c" * 130 + "ü")
@example("@")
@example("")
@example("jo@\ud800.example")
def test_the_canonical_form_is_total_and_idempotent(address: str) -> None:
    canonical = canonical_address(address)
    assert canonical_address(canonical) == canonical
    assert keys_of(address)[0] == canonical


@given(st.text(st.characters(codec="ascii")))
def test_an_ascii_address_has_the_key_that_it_had(address: str) -> None:
    assert keys_of(address) == (address.strip().casefold(),)


@given(TEXT, TEXT, st.sampled_from(["mail.example", "faß.example", "FASS.example"]))
def test_sharp_s_and_double_s_are_never_merged(before: str, after: str, domain: str) -> None:
    one, other = (f"{before}{letters}{after}@{domain}" for letters in ("ß", "ss"))
    assert canonical_address(one) != canonical_address(other)


@given(ADDRESSES)
def test_the_key_of_0_1_0_is_among_the_keys(address: str) -> None:
    assert address.strip().casefold() in keys_of(address)


@pytest.mark.parametrize(
    "stored", ["jo@bücher.example", "jo@xn--bcher-kva.example", "JO@BÜCHER.example"]
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_key_of_0_1_0_of_another_spelling_is_among_the_keys(stored: str, form: str) -> None:
    local, _, domain = stored.partition("@")
    older = normalize(form, f"é{local}@{domain}").casefold()  # type: ignore[arg-type]
    for address in ("éJo@bücher.example", JOSE_NFD[3:5] + "jo@xn--bcher-kva.example"):
        assert older in keys_of(address)


def test_on_the_wire_the_domain_is_ascii_and_the_rest_as_typed() -> None:
    assert wire_address("Jo.Ä@Bücher.example") == "Jo.Ä@xn--bcher-kva.example"
    assert wire_address("Jo@mail.example") == "Jo@mail.example"


def test_a_canonical_address_is_shown_in_readable_form() -> None:
    canonical = canonical_address("Jo.Ä@Bücher.example")
    assert display_address(canonical) == "jo.ä@bücher.example"
    assert display_address("jo@xn--.example") == "jo@xn--.example"


def test_what_is_far_too_long_costs_nothing() -> None:
    address = "jo@" + "ü." * 50_000
    assert keys_of(address)[0] == canonical_address(address) == address[:-1] + "."
