"""An export is read back exactly, and no spreadsheet finds a formula in it."""

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.crm import NewClientDetails
from services.gateway.leads import export
from services.gateway.leads.rows import rows_of

# On a busy machine even making a text up takes long.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FORMULA = "=cmd|' /C calc'!A0"
PLAIN_NUMBER = re.compile(r"[+-]?[0-9 ().-]*")
NASTY = st.text(alphabet="=+-@;,|\t\r\n \"'a0\u00eb{}\x1c\u2028\x00")
TEXT = st.one_of(NASTY, st.text(), st.sampled_from(["007", "0049 30 1", "+49 (30) 1", FORMULA]))
VALUE = st.one_of(
    TEXT, st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(-9, 9)
)
FIELDS = st.dictionaries(
    TEXT.filter(lambda name: bool(name) and "\0" not in name),
    st.one_of(VALUE, st.lists(VALUE, max_size=3)),
    max_size=3,
)
CLIENT = st.fixed_dictionaries(
    {
        "name": TEXT.map(lambda text: text[:100]).filter(str.strip),
        "phone": TEXT.map(lambda text: text[:20]),
        "property_address": TEXT.map(lambda text: text[:200]),
        "notes": TEXT.map(lambda text: text[:1000]),
        "greeting": TEXT.map(lambda text: text[:100]).filter(str.strip),
        "language": st.sampled_from(["en", "zh-Hant-TW", "es-419"]),
        "time_zone": st.sampled_from(["UTC", "America/New_York", "Etc/GMT+5"]),
        "custom_fields": FIELDS,
        "stage": st.sampled_from(["lead", "negotiating", "under_contract", "closed", "lost"]),
        "property_type": st.sampled_from(["residential", "commercial", "land", "other"]),
        "local": st.sampled_from(["ann", "=ann", "+ann", "-ann", "ANN", "'ann", "'=ann"]),
    }
)


def stored(number: int, client: dict[str, Any]) -> dict[str, Any]:
    """Return the client as the store has it; what is empty is as what is not there."""
    own = {name: client[name] for name in ("stage", "property_type")}
    details = {name: value for name, value in client.items() if name not in (*own, "local")}
    email = f"{client['local']}{number}@example.com"
    dumped = NewClientDetails.model_validate(details | {"email": email}).model_dump()
    return own | {name: value for name, value in dumped.items() if value}


def exported(clients: list[dict[str, Any]]) -> bytes:
    return export.header() + export.lines(clients)


def read_back(content: bytes) -> list[dict[str, Any]]:
    rows = rows_of(content)
    assert not rows.refused
    read = [json.loads(row.fields) for row in rows.clients]
    return [{**client.pop("personal"), **client} for client in read]


def storable(clients: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [stored(number, client) for number, client in enumerate(clients)]


BLANK: dict[str, Any] = {
    "name": "Ann",
    "phone": "",
    "property_address": "",
    "notes": "",
    "custom_fields": {},
    "greeting": "Ann",
    "language": "en",
    "time_zone": "UTC",
    "stage": "lead",
    "property_type": "land",
    "local": "ann",
}
EXAMPLES = (
    {"name": FORMULA, "phone": "0049 30 1", "notes": f"x;{FORMULA}"},
    {"name": "Ann  Lee;\n'=x", "property_address": "1  Elm St\n2nd floor", "phone": "007"},
    {"notes": f'a;"{FORMULA}\r\n""{FORMULA}\t-1', "custom_fields": {"x;=y": f"|{FORMULA}"}},
    {"notes": "- likes light\n- two dogs", "custom_fields": {"budget": 450000, "a": [None, True]}},
)


@UNHURRIED
@given(st.lists(CLIENT, max_size=2))
@example([BLANK | client for client in EXAMPLES])
def test_what_is_exported_is_read_back_exactly(clients: list[dict[str, Any]]) -> None:
    before = storable(clients)
    assert read_back(exported(before)) == before


@UNHURRIED
@given(st.lists(CLIENT, max_size=2), st.sampled_from(";\t|,"))
@example([BLANK | client for client in EXAMPLES], ";")
@example([BLANK | client for client in EXAMPLES], "\t")
def test_no_spreadsheet_finds_a_formula_whatever_separates_its_cells(
    clients: list[dict[str, Any]], delimiter: str
) -> None:
    text = exported(storable(clients)).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        for cell in row:
            # A number goes on with the line where commas do not separate: that is no formula.
            begins = cell.lstrip(" \t\r\n").partition(',"')[0]
            assert begins[:1] not in set("=+-@") or PLAIN_NUMBER.fullmatch(begins), row


def test_every_cell_is_quoted_and_excel_is_told_the_encoding() -> None:
    content = exported(storable([BLANK | {"name": "Zoë"}]))
    assert content.startswith(b"\xef\xbb\xbf")
    for line in content.decode("utf-8-sig").splitlines():
        assert re.fullmatch(r'"[^"]*"(,"[^"]*"){13}', line)


@pytest.mark.parametrize("delimiter", ",;\t")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_export_that_a_spreadsheet_has_saved_again_is_read_back(
    delimiter: str, encoding: str
) -> None:
    clients = storable([BLANK | client for client in EXAMPLES])
    text = exported(clients).decode("utf-8-sig")
    saved = io.StringIO(newline="")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    csv.writer(saved, delimiter=delimiter).writerows([*row, ""] for row in rows)
    assert read_back(saved.getvalue().encode(encoding)) == clients


def test_what_others_write_is_taken_as_it_is() -> None:
    text = "Name,E-mail,Notes\n' Ann  Lee ,ann@example.com,x;'=1\n"
    [client] = read_back(text.encode())
    assert (client["name"], client["notes"]) == ("' Ann Lee", "x;'=1")
