"""Leads from a file of this machine."""

from pathlib import Path

import pytest

from ops.api_client.lead_import import read_leads
from ops.demo.demo import SAMPLE
from ops.errors import OperatorError


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"cannot read .*none\.csv: No such file"):
        read_leads(tmp_path / "none.csv")


def test_an_invalid_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_bytes(b"phone\n1\n")
    with pytest.raises(OperatorError, match=r"leads\.csv: the header has no column for an email"):
        read_leads(file)


def test_the_sample_has_25_leads_to_follow_up() -> None:
    parsed = read_leads(SAMPLE)
    assert not parsed.complaints
    assert sum(lead.is_followed_up for lead in parsed.leads) == 25
