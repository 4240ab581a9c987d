"""Whom a letter greets, by what agents type as names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.composer.writers.client_names import addressed_name, greeting_name, salutation

GREETED = {
    # One person
    "Maria Lopez": "Maria",
    "MARIA LOPEZ": "Maria",
    "maria lopez": "Maria",
    "  Maria \t Lopez ": "Maria",
    "Lopez, Maria": "Maria",
    "LOPEZ, MARIA": "Maria",
    "Lopez, Maria, MD": "Maria",
    "Smith Jr., John": "John",
    "Van Houten, Peter": "Peter",
    "De la Cruz, Ana": "Ana",
    "Samuel O'Brien": "Samuel",
    "O'BRIEN, SAMUEL": "Samuel",
    "JEAN-LUC PICARD": "Jean-Luc",
    "Mei-Ling Chu": "Mei-Ling",
    "D'ANGELO RUSSELL": "D'Angelo",
    "MCKENZIE SCOTT": "McKenzie",
    "DeShawn Carter": "DeShawn",
    "Zoë Hartmann": "Zoë",
    "İLKER YILMAZ": "İlker",
    "ИВАН ПЕТРОВ": "Иван",
    "Петров, Иван": "Иван",
    "Γιώργος Παπαδάκης": "Γιώργος",
    "राम शर्मा": "राम",
    "John Smith III": "John",
    "John Smith 3rd": "John",
    "Maria Lopez 2": "Maria",
    "Maria Lopez (Zillow)": "Maria",
    "Maria Lopez - met at open house": "Maria",
    "Maria Lopez | buyer": "Maria",
    "Maria Lopez or current resident": "Maria",
    "Attn: Maria Lopez": "Maria",
    'Robert "Bob" Smith': "Bob",
    "✨ Maria ✨": "Maria",
    "Maria!!": "Maria",
    "Maria": "Maria",
    "Jack Ma": "Jack",
    "Abdul Rahman Khan": "Abdul Rahman",
    "La Toya Jackson": "La Toya",
    "María de la Cruz Fernández": "María",
    # Initials
    "J. R. Ewing": "J. R.",
    "J.R. Ewing": "J.R.",
    "J R Ewing": "J R",
    "j. r. ewing": "J. R.",
    "Ewing, J. R.": "J. R.",
    "JR Ewing": "JR",
    "TJ SMITH": "TJ",
    "AJ LEE": "AJ",
    "BO JACKSON": "Bo",
    "J. Edgar Hoover": "Edgar",
    "John Q. Public": "John",
    "J. Ewing": None,
    "Smith, J.": None,
    # Titles and suffixes
    "Dr. José Núñez, MD": "José",
    "Dr. Núñez": "Dr. Núñez",
    "DR. NÚÑEZ": "Dr. Núñez",
    "Dr. J. Smith": "Dr. Smith",
    "Prof. Dr. Anna Weber": "Anna",
    "Mr. Smith": "Mr. Smith",
    "Mrs Patel": "Mrs. Patel",
    "Smith, Mr.": "Mr. Smith",
    "Smith, Mr. John": "John",
    "Anna Weber, Ph.D., CPA": "Anna",
    "Rev. Al Green": "Al",
    "Sra. Gómez": "Sra. Gómez",
    "Mr. T": "Mr. T",
    "Mr.": None,
    # Couples and households
    "John & Mary Smith": "John and Mary",
    "JOHN & MARY SMITH": "John and Mary",
    "John and Mary": "John and Mary",
    "Smith, John & Mary": "John and Mary",
    "Smith, John and Jones, Mary": "John and Mary",
    "John/Mary Smith": "John and Mary",
    "John Smith and Mary Jones": "John and Mary",
    "Carmen y Luis Ortega": "Carmen and Luis",
    "José Ortega y Gasset": "José",
    "Mr. and Mrs. Smith": "Mr. and Mrs. Smith",
    "MR & MRS JOHN SMITH": "Mr. and Mrs. Smith",
    "Dr. and Mrs. Lee": "Dr. and Mrs. Lee",
    "Mr. Smith and Ms. Jones": "Mr. Smith and Ms. Jones",
    "Ann & Bob & Cy Lee": "Ann, Bob and Cy",
    "John and family": "John and family",
    "Ann, Bob and Cy Lee": None,
    "The Smiths": "the Smiths",
    "THE SMITHS": "the Smiths",
    "The Smith's": "the Smiths",
    "The Van Houtens": "the Van Houtens",
    "The Smith Family": "the Smith family",
    "Smith Family": "the Smith family",
    "Familie Müller": "the Müller family",
    "The Rock": None,
    # Scripts without spaces between names
    "李雷": "李雷",
    "李 雷": "李雷",
    "李": "李",
    "田中 太郎": "田中太郎",
    "김 철수": "김철수",
    "佐々木 希": "佐々木希",
    # From right to left
    "محمد": "محمد",
    "محمد علي": "محمد",
    "عبد الله الأحمد": "عبد الله",
    "דוד כהן": "דוד",
    # Not a person, or not a living one
    "Estate of John Doe": None,
    "The Estate of John Doe": None,
    "John Doe Estate": None,
    "John Doe, deceased": None,
    "Heirs of John Doe": None,
    "Late John Doe": None,
    "Jane Roe, Trustee": None,
    "Smith Family Trust": None,
    "Hillside Roofing LLC": None,
    "HILLSIDE ROOFING, L.L.C.": None,
    "Hillside Roofing": None,
    "Smith & Sons": None,
    "Johnson & Johnson": None,
    "Bob's Burgers": None,
    "Müller GmbH & Co. KG": None,
    "Feldman Brewing Co.": None,
    "Team Rodriguez": None,
    "北京房地产有限公司": None,
    "Current Resident": None,
    "Homeowner": None,
    "Facebook Lead": None,
    "Maria's sister": None,
    # Not a name
    "bob@mail.example": None,
    "maria.lopez@example.com": None,
    "12 Elm Street": None,
    "Elm Street": None,
    "2214 Juniper Ridge Dr, Austin, TX 78745": None,
    "Lot 9, Cedar Hollow": None,
    "www.example.com": None,
    "https://example.com/maria": None,
    "zillow.com": None,
    "512-555-0101": None,
    "42": None,
    "?": None,
    "/": None,
    "N/A": None,
    "none": None,
    "null null": None,
    "Unknown": None,
    "Test User": None,
    "[Client Name]": None,
    "{{first_name}}": None,
    "<b>Maria</b>": None,
    "Maria Lopez, Austin, TX": None,
    "van der Berg": None,
}


@pytest.mark.parametrize(("name", "greeted"), GREETED.items(), ids=repr)
def test_a_greeting_has_the_right_name_or_none(name: str, greeted: str | None) -> None:
    assert greeting_name(name) == greeted


def test_without_a_name_the_greeting_is_still_polite() -> None:
    assert salutation("Maria Lopez") == "Hi Maria,"
    assert salutation("The Smiths") == "Hello to the Smiths,"
    assert salutation("Hillside Roofing LLC") == "Hello,"


@pytest.mark.parametrize(
    ("greeting", "first_line", "addressed"),
    [
        ("Dr. Núñez", "Hi Dr. Núñez,", "Dr. Núñez"),
        ("McKenzie III, ", "Hi McKenzie III,", "McKenzie III"),
        ("  the\n Garcias", "Hello to the Garcias,", ""),
        ("Dear Ana,", "Dear Ana,", ""),
        ("Good morning, team", "Good morning, team,", ""),
        (" ", "Hi Maria,", "Maria"),
        (None, "Hi Maria,", "Maria"),
    ],
)
def test_the_agent_s_own_greeting_is_used_as_it_is(
    greeting: str | None, first_line: str, addressed: str
) -> None:
    assert salutation("Maria Lopez", greeting) == first_line
    assert addressed_name("Maria Lopez", greeting) == addressed
    if addressed != "Maria":
        assert salutation("Hillside Roofing LLC", greeting) == first_line


@given(st.text(max_size=100))
def test_any_text_gives_a_short_line_that_begins_like_a_name(name: str) -> None:
    greeted = greeting_name(name)
    assert greeted is None or (0 < len(greeted) <= 40 and len(greeted.splitlines()) == 1)
    assert len(salutation(name).splitlines()) == 1


@given(st.sampled_from(["Maria Lopez", "John & Mary Smith", "The Smiths", "Dr. Weber"]))
def test_capitals_do_not_change_who_is_greeted(name: str) -> None:
    assert greeting_name(name.upper()) == greeting_name(name.lower()) == greeting_name(name)
