"""The best coding for a caller."""

import pytest

from services.gateway.http.compression.accept_encoding import best_coding


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("GZip", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0", None),
        ("br; q=0.000 , gzip ; q=0.3", "gzip"),
        ("*", "br"),
        ("*, br;q=0", "gzip"),
        ("*;q=0", None),
        ("identity", None),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0, br", "br"),
        ("deflate", None),
        ("", None),
        (";q=1,,=", None),
        ("gzip;q=much", None),
        ("xbr, brx", None),
    ],
)
def test_the_coding_that_is_wanted_most_is_the_best(accepted: str, coding: str | None) -> None:
    assert best_coding(accepted, ("br", "gzip")) == coding


def test_of_nothing_nothing_is_best() -> None:
    assert best_coding("gzip, *", ()) is None
