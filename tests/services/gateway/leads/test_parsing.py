"""Given the text of a CSV: which leads are in it, and what is complained about."""

from datetime import date

import pytest

from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.formulas import guarded, without_guard
from services.gateway.leads.parsing import Lead, parse


def only_lead(text: str) -> Lead:
    parsed = parse(text)
    assert not parsed.complaints
    [lead] = parsed.leads
    return lead


def complaints(text: str) -> list[str]:
    return [str(complaint) for complaint in parse(text).complaints]


def test_a_plain_spreadsheet_is_read() -> None:
    lead = only_lead(
        "name,email,phone,address,property type,stage,notes\n"
        'Ann Lee,ann@example.com,555-0101,"1 Elm St, Austin",Condo,negotiating,Likes light\n'
    )
    assert lead.body() == {
        "name": "Ann Lee",
        "email": "ann@example.com",
        "phone": "555-0101",
        "property_address": "1 Elm St, Austin",
        "property_type": "residential",
        "stage": "negotiating",
        "notes": "Likes light",
    }


def test_a_follow_up_boss_export_is_read() -> None:
    lead = only_lead(
        "ID,First Name,Last Name,Stage,Lead Source,Email 1,Email 1 - Type,Phone 1,"
        "Property Address,Property City,Property State,Property Postal Code,Background,Notes,Tags\n"
        "17,Ann,Lee,Hot Prospect,Zillow,ann@example.com,home,555-0101,"
        "1 Elm St,Austin,TX,78701,Has two dogs,Called twice,buyer\n"
    )
    assert (lead.name, lead.stage) == ("Ann Lee", "lead")
    assert lead.property_address == "1 Elm St, Austin, TX 78701"
    assert (lead.notes, lead.source) == ("Called twice\nHas two dogs", "Zillow")
    assert lead.custom_fields == {
        "ID": "17",
        "Email 1 - Type": "home",
        "Tags": "buyer",
    }


def test_a_hubspot_export_is_read() -> None:
    lead = only_lead(
        "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Street Address,"
        "City,State/Region,Postal Code,Lifecycle Stage,Lead Status\n"
        "901,Ann,Lee,ann@example.com,,555-0199,1 Elm St,Austin,TX,78701,Opportunity,Open deal\n"
    )
    assert (lead.phone, lead.stage) == ("555-0199", "negotiating")
    assert lead.property_address == "1 Elm St, Austin, TX 78701"
    assert lead.custom_fields == {"Record ID": "901"}


@pytest.mark.parametrize(
    ("cell", "language"),
    [("es", "es"), ("Español", "es"), ("zh-Hant", "zh-Hant"), ("CHINESE", "zh")],
)
def test_greeting_language_and_time_zone_are_read(cell: str, language: str) -> None:
    lead = only_lead(
        "name,email,Preferred Name,Preferred Language,Time Zone\n"
        f"Ann Lee,ann@example.com,Annie,{cell},America/Chicago\n"
    )
    assert (lead.greeting, lead.language, lead.time_zone) == ("Annie", language, "America/Chicago")
    assert not lead.custom_fields


def test_a_language_or_time_zone_that_is_not_known_stays_as_a_field_of_its_own() -> None:
    lead = only_lead(
        "name,email,Language,Timezone\nAnn Lee,ann@example.com,Spanish or English,Central\n"
    )
    assert (lead.language, lead.time_zone) == ("", "")
    assert lead.custom_fields == {"Language": "Spanish or English", "Timezone": "Central"}


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        *[("Lead", "lead"), ("Nurture", "lead"), ("salesqualifiedlead", "lead")],
        *[("marketingqualifiedlead", "lead"), ("Buyers", "negotiating")],
        *[("opportunity", "negotiating"), ("Pending", "under_contract")],
        *[("Under Contract", "under_contract"), ("under_contract", "under_contract")],
        *[("customer", "closed"), ("Past Client", "closed"), ("Trash", "lost")],
    ],
)
def test_the_stages_of_others_are_translated(word: str, stage: str) -> None:
    assert only_lead(f"name,email,stage\nAnn,ann@example.com,{word}").stage == stage


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        *[("Single-Family", "residential"), ("CONDO", "residential"), ("Retail", "commercial")],
        *[("office", "commercial"), ("Lot", "land"), ("Farm/Ranch", "land"), ("other", "other")],
    ],
)
def test_the_property_types_of_others_are_translated(word: str, kind: str) -> None:
    lead = only_lead(f"name,email,property_type\nAnn,ann@example.com,{word}")
    assert lead.property_type == kind


def test_unqualified_beside_a_lifecycle_stage_is_lost_and_gets_no_followups() -> None:
    lead = only_lead("name,email,Lifecycle Stage,Lead Status\nA,a@example.com,lead,Unqualified")
    assert lead.stage == "lost"
    assert not lead.is_followed_up


def test_a_stage_nobody_knows_is_a_lead_s_and_kept_with_a_warning() -> None:
    lead = only_lead("name,email,stage\nAnn,ann@example.com,Sphere\n")
    assert (lead.stage, lead.custom_fields) == ("lead", {"stage": "Sphere"})
    [warning] = lead.warnings
    assert str(warning).startswith("line 2: stage: “Sphere” is not known here")


def test_headers_may_be_written_in_any_manner_and_values_padded() -> None:
    lead = only_lead("\ufeff FULL_NAME ; E-Mail Address;\n  Ann   Lee ; ann@example.com ;\n")
    assert (lead.name, lead.email) == ("Ann Lee", "ann@example.com")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found_out(delimiter: str, end: str) -> None:
    text = delimiter.join(["name", "email"]) + end + delimiter.join(["Ann", "a@example.com"]) + end
    assert only_lead(text).line == 2


def test_excels_own_line_about_the_delimiter_is_skipped() -> None:
    assert only_lead("sep=;\r\nname;email\r\nAnn;ann@example.com\r\n").line == 3


def test_quoted_line_breaks_and_blank_lines_leave_the_numbers_right() -> None:
    parsed = parse(
        "name,email,notes\n"
        'Ann,ann@example.com,"two\nlines"\n'
        "\n"
        ",,\n"
        "Bob,nowhere,\n"
        "Cid,cid@example.com,\n"
    )
    assert [(lead.name, lead.line) for lead in parsed.leads] == [("Ann", 2), ("Cid", 7)]
    assert [complaint.line for complaint in parsed.complaints] == [6]


def test_who_has_no_email_is_refused_and_the_others_go_on() -> None:
    parsed = parse("name,email,phone\nAnn,nowhere,\nBob,,\nCid,cid@example.com,\n")
    assert [lead.name for lead in parsed.leads] == ["Cid"]
    assert [str(complaint) for complaint in parsed.complaints] == [
        "line 2: email: “nowhere” is no email address",
        "line 3: email: no email address",
    ]


def test_what_is_longer_than_the_data_model_allows_is_cut_and_told() -> None:
    header = "name,email,address,notes," + ",".join(f"c{i}" for i in range(51))
    row = f"{'n' * 101},a@example.com,{'a' * 201},{'x' * 1001}," + ",".join("v" * 51)
    lead = only_lead(f"{header}\n{row}\n")
    assert [w.field for w in lead.warnings] == [
        *("name", "property_address", "notes", "custom_fields")
    ]
    assert (len(lead.name), len(lead.property_address), len(lead.notes)) == (100, 200, 1000)
    assert len(lead.custom_fields) == 50
    assert lead.warnings[-1].reason.endswith("not c50")


def test_without_a_name_the_address_stands_for_it() -> None:
    lead = only_lead("name,email\n,ann@example.com\n")
    assert lead.name == "ann@example.com"
    assert "no name" in lead.warnings[0].reason


@pytest.mark.parametrize(
    ("cell", "email"),
    [
        ("b@x.example;", "b@x.example"),
        ("a@x.example, b@x.example", "a@x.example"),
        ("nowhere; b@x.example", "b@x.example"),
        ("Ann <a@x.example>", "a@x.example"),
        ('"Lee, Ann" <a@x.example>', "a@x.example"),
        ("mailto:a@x.example", "a@x.example"),
    ],
)
def test_an_address_is_found_however_it_is_written(cell: str, email: str) -> None:
    quoted = cell.replace('"', '""')
    assert only_lead(f'name,email\nAnn,"{quoted}"\n').email == email


def test_digits_that_are_a_text_stay_as_they_are() -> None:
    lead = only_lead(
        'name,email,address,city,state,zip\nAnn,a@x.example,1 Elm,Arden,NC,"=""02134"""'
    )
    assert lead.property_address == "1 Elm, Arden, NC 02134"


def test_a_region_alone_is_no_address() -> None:
    lead = only_lead("name,email,region,city\nAnn,a@x.example,CA,Salem\n")
    assert lead.property_address == ""
    assert lead.custom_fields == {"region": "CA", "city": "Salem"}


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2024-01-31T10:00:00Z"], ["2024-01-31"]),
        (["01/02/2024", "01/31/2024 9:00 AM"], ["2024-01-02", "2024-01-31"]),
        (["01/02/2024", "31/01/2024"], ["2024-02-01", "2024-01-31"]),
        (["31.01.2024"], ["2024-01-31"]),
        (["yesterday", "02/30/2024"], ["", ""]),
        (["1/31/24", "Jan 31, 2024", "31-Jan-24", "20240131", "45322"], ["2024-01-31"] * 5),
        (["31. Januar 2024", "31 de enero de 2024", "Wed, 31 Jan 2024 10:00"], ["2024-01-31"] * 3),
        (["12/31/99", "31.12.99"], ["1999-12-31"] * 2),
        (["99999", "5550102301", "Foo 3, 2024", "0000-00-00"], [""] * 4),
    ],
)
def test_days_are_read_as_their_column_is_written(cells: list[str], days: list[str]) -> None:
    lines = "".join(f'A,a{n}@x.example,"{cell}"\n' for n, cell in enumerate(cells))
    leads = parse(f"name,email,Date Added\n{lines}").leads
    assert [lead.lead_since for lead in leads] == days
    told = [[w.field for w in lead.warnings] for lead in leads]
    assert told == [[] if day else ["lead_since"] for day in days]


def test_nobody_is_a_lead_since_a_day_to_come() -> None:
    text = "name,email,Date Added\nAnn,a@x.example,2031-01-01\n"
    [lead] = parse(text, today=date(2026, 11, 27)).leads
    assert lead.lead_since == ""
    assert lead.custom_fields == {"Date Added": "2031-01-01"}
    assert [w.field for w in lead.warnings] == ["lead_since"]


@pytest.mark.parametrize(
    ("header", "cells", "name"),
    [
        ("Name,Last name", "Ann,Bigelow", "Ann Bigelow"),
        ("Name,Last name", "Ann Bigelow,Bigelow", "Ann Bigelow"),
        ("First Name,Last Name,Display Name", "Robert,Smith,Bob Smith", "Robert Smith"),
        ("First Name,Last Name,Name", "Ann,Lee,Dr. Ann Lee", "Dr. Ann Lee"),
        ("Vorname,Name", "Ann,Lee", "Ann Lee"),
        ("Nombre,Apellido paterno,Apellido materno", "Ana,García,López", "Ana García López"),
        ("First,Middle Name,Last,Surname", "Ann,B.,Lee,Lee", "Ann B. Lee"),
    ],
)
def test_a_name_is_made_of_all_its_parts_once(header: str, cells: str, name: str) -> None:
    assert only_lead(f"email,{header}\na@x.example,{cells}\n").name == name


@pytest.mark.parametrize(
    "title",
    [
        *("Property Address", "Mailing Address", "Home Address", "Listing Address", "Addr"),
        *("Street Address 1", "StreetAddress1", "Address Street", "Calle y número"),
        *("Straße und Hausnummer", "Straße privat"),
    ],
)
def test_a_street_has_the_city_beside_it(title: str) -> None:
    text = f"name,email,{title},City,State,Zip\nAnn,a@x.example,14 Oak St,Rome,NY,10001\n"
    assert only_lead(text).property_address == "14 Oak St, Rome, NY 10001"


@pytest.mark.parametrize(
    ("cells", "address"),
    [
        ("14 Oak St,4,Rome,NY,10001", "14 Oak St, 4, Rome, NY 10001"),
        ("9 Salem Ave,,Salem,OR,97301", "9 Salem Ave, Salem, OR 97301"),
        ('"1 Elm St, Salem, OR 97301",,Salem,OR,97301', "1 Elm St, Salem, OR 97301"),
        ('"1 Elm St, Salem OR",,Salem,OR,', "1 Elm St, Salem OR"),
    ],
)
def test_no_part_of_an_address_is_lost_or_doubled(cells: str, address: str) -> None:
    text = f"name,email,Address,Unit,City,State,Zip\nAnn,a@x.example,{cells}\n"
    assert only_lead(text).property_address == address


def test_a_mapping_names_the_parts_of_an_address() -> None:
    text = "name,email,Objekt,Wo,Wann\nAnn,a@x.example,14 Oak St,Rome,x\n"
    [lead] = parse(text, mapping={"Objekt": "property_address", "Wo": "city"}).leads
    assert lead.property_address == "14 Oak St, Rome"


@pytest.mark.parametrize("header", ["email,name", "name,email"])
def test_a_footer_is_dropped_whatever_addresses_are_in_it(header: str) -> None:
    cells = {"name": "Ann", "email": "a@x.example"}
    text = (
        f"{header}\n{','.join(cells[title] for title in header.split(','))}\n\n"
        '"Generated By:  Lee Agent lee@office.example  1/1/2024"\n'
        "Questions? support@crm.example\n"
    )
    parsed = parse(text)
    assert [lead.email for lead in parsed.leads] == ["a@x.example"]
    assert parsed.complaints == ()


def test_a_file_of_addresses_alone_loses_none_to_its_footer() -> None:
    parsed = parse("email\na@x.example\nb@x.example\nCopyright 2024\n")
    assert [lead.email for lead in parsed.leads] == ["a@x.example", "b@x.example"]


def test_a_blank_before_a_quote_does_not_break_the_cell() -> None:
    lead = only_lead('email, name, phone\na@x.example, "Lee, Ann", 555\n')
    assert (lead.name, lead.phone) == ("Lee, Ann", "555")
    assert only_lead('email, name\na@x.example, "Bo" Lee\n').name == '"Bo" Lee'


def test_a_mapping_says_what_columns_mean() -> None:
    text = "Wer,Post,Weg,Nein\nAnn,a@x.example,x,ja\n"
    mapping = {"Wer": "name", "Post": "email", "Weg": "ignore", "Nein": "opt_out"}
    parsed = parse(text, mapping=mapping)
    [lead] = parsed.leads
    assert (lead.name, lead.email, lead.suppressed) == ("Ann", "a@x.example", True)
    assert lead.custom_fields == {"Nein": "ja"}
    assert parsed.columns == tuple(mapping.items())
    for wrong, told in (({"Who": "name"}, "names “Who”"), ({"Wer": "nose"}, "“Wer” for “nose”")):
        with pytest.raises(Unreadable, match=told):
            parse(text, mapping=wrong)


def test_spellings_of_one_email_are_one_and_others_are_not() -> None:
    emails = (
        "jo@bücher.example.com",
        "Jo@xn--bcher-kva.example.com",
        "straße@a.com",
        "strasse@a.com",
    )
    text = "name,email\n" + "".join(f"Jo,{email}\n" for email in emails)
    [complaint] = complaints(text)
    assert complaint.startswith("line 3: email: ")
    assert complaint.endswith("is already on line 2")


def test_an_email_that_was_there_already_is_complained_about_with_the_first_line() -> None:
    text = "name,email\nAnn,ann@example.com\nAnne,ANN@example.com\n"
    assert complaints(text) == ["line 3: email: ANN@example.com is already on line 2"]


def test_values_beyond_the_header_are_kept_and_told() -> None:
    lead = only_lead("name,email,address\nAnn,ann@example.com,1 Elm St, Austin\n")
    assert lead.custom_fields == {"Column 4": "Austin"}
    assert "has 4 values where the header has 3" in lead.warnings[0].reason


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    parsed = parse('name,email\n"Ann,ann@example.com\nBob,bob@example.com\n')
    assert [str(complaint) for complaint in parsed.complaints] == [
        "line 2: a quote that opens here is never closed"
    ]
    assert [lead.name for lead in parsed.leads] == ["Bob"]


def test_custom_fields_keep_their_titles_apart() -> None:
    lead = only_lead("name,email,tag,tag,\nAnn,ann@example.com,a,b,c\n")
    assert lead.custom_fields == {"tag": "a", "tag (4)": "b", "Column 5": "c"}


def test_an_address_that_holds_the_city_does_not_get_it_twice() -> None:
    lead = only_lead('name,email,address,city\nA,a@example.com,"1 Elm St, Austin",Austin\n')
    assert lead.property_address == "1 Elm St, Austin"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("name,phone\nAnn,1\n", "no column for an email .*; it has: name, phone"),
        ("1 Elm St,Austin\n", "no column for an email"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(text: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        parse(text)


def test_the_custom_fields_of_an_export_come_back_with_their_types() -> None:
    lead = only_lead(
        "name,email,custom_fields,tag\n"
        'Ann,ann@example.com,"{""budget"": 450000, ""loan"": {""by"": ""X""}}",a\n'
    )
    assert lead.custom_fields == {"budget": 450000, "loan": {"by": "X"}, "tag": "a"}


@pytest.mark.parametrize("text", ["{", "[1]", "likes light", "[" * 100_000])
def test_custom_fields_that_are_no_json_object_stay_a_text(text: str) -> None:
    lead = only_lead(f"name;email;custom_fields\nAnn;ann@example.com;{text}\n")
    assert lead.custom_fields == {"custom_fields": text}


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        *[
            ("=1+1", "'=1+1"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
        ],
        *[("-2+3+cmd|x", "'-2+3+cmd|x"), ("\tx", "'\tx"), ("\rx", "'\rx"), ("-", "'-")],
        *[("'=1", "''=1"), ("''+x", "'" + "''+x")],
        *[("+1 555 0100", "+1 555 0100"), ("+1 (555) 010-0100", "+1 (555) 010-0100")],
        *[("-12.5", "-12.5"), ("Ann", "Ann"), ("'t Hooft", "'t Hooft"), ("", ""), ("'", "'")],
    ],
)
def test_what_looks_like_a_formula_is_guarded_and_comes_back(cell: str, written: str) -> None:
    assert guarded(cell) == written
    assert without_guard(written) == cell
