"""Given the bytes of a file: its text, or how to save it so that it can be read."""
# ruff: noqa: RUF001 - names in other scripts

import pytest

from services.gateway.leads.charsets import Unreadable, decode, is_plausible

NAMES = (
    "name,email\nRenée Dubois,r@x.example\nJürgen Groß,j@x.example\nMuñoz,m@x.example\n"
    "Søren Ødegård,s@x.example\n“Zürich” – O’Malley 120 m² €5 Mary–Jane § 7 Acme®\n"
)


@pytest.mark.parametrize(
    "charset",
    [
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"),
        *("utf-32", "utf-32-le", "utf-32-be", "cp1252"),
    ],
)
def test_what_programs_save_is_decoded(charset: str) -> None:
    assert decode(NAMES.encode(charset)) == NAMES


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("name\nRenée Dubois", "mac-roman"),
        ("name\nMüller", "mac-roman"),
        ("name\nMuñoz", "mac-roman"),
        ("name\nWeiß", "mac-roman"),
        ("name\nDvořák", "cp1250"),
        ("name\nŁukasz Żółć", "cp1250"),
        ("name\nИван Петров", "cp1251"),
        ("name\nМосква", "koi8-r"),
        ("name\nΓιώργος", "cp1253"),
        ("name\nÇağlar Işık", "cp1254"),
        ("name\n山田太郎", "shift_jis"),
        ("name\n王小明", "gb18030"),
        ("name\nJosé Müller", "cp850"),
    ],
)
def test_another_charset_is_refused_with_advice_and_right_when_it_is_named(
    text: str, charset: str
) -> None:
    with pytest.raises(Unreadable, match=r"neither UTF-8.*save it as UTF-8.*or name its charset"):
        decode(text.encode(charset))
    assert decode(text.encode(charset), charset) == text


def test_a_charset_that_is_named_is_kept_to() -> None:
    assert decode("Zoë".encode("latin-1"), "iso-8859-1") == "Zoë"
    for charset in ("utf-8", "cp932"):
        with pytest.raises(Unreadable, match=f"is no text in {charset}"):
            decode("Zoë".encode("latin-1"), charset)


@pytest.mark.parametrize(
    "text",
    [
        *("Çelik, façade, œuvre", "Ærø Þór Íris", "João Gonçalves", "Ñandú ¿Qué?"),
        *("5 °C, 1ª, 2º, N°", "Saint-Étienne", "L’Haÿ-les-Roses", "“Ça va”—oui", "100 €"),
        *("½ acre, Citroën", "Mary–Jane", "Pat O´Brien, Pat O‘Brien", "Núñez, Muñoz", "Forlì"),
        *("Hélène Lefèvre, Ève", "Simões, Tõnu", "août, Brûlé", "Nicolò", "‚Süd‘"),
        # The same in Windows-1250.
        *("Šárka Žáková", "Tomáš"),
    ],
)
def test_the_words_of_western_languages_are_plausible(text: str) -> None:
    assert is_plausible(text)


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        *(("Gábor Pető, Ágnes Szűcs", "cp1250"), ("Zdeněk", "cp1250"), ("Čapek", "cp1250")),
        *(("Đorđe", "cp1250"), ("Jurić", "cp1250"), ("Kamiński", "cp1250"), ("Şahin", "cp1254")),
        *(("Bērziņš", "cp1257"), ("Zoë", "mac-roman"), ("José", "mac-roman")),
    ],
)
def test_words_of_other_charsets_are_not_taken_for_western_ones(text: str, charset: str) -> None:
    with pytest.raises(Unreadable, match="UTF-8"):
        decode(text.encode(charset))
    assert decode(text.encode(charset), charset) == text


def test_an_unknown_charset_is_told_with_those_that_are_known() -> None:
    with pytest.raises(Unreadable, match=r"klingon.* is not known here; use one of: .*cp1252"):
        decode(b"name", "klingon")
