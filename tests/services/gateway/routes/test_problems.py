"""Problems over HTTP: each has a type with a page, and says whether trying again is safe."""

import re

import pytest

from services.gateway.http.problem_types import BY_STATUS, TYPES, ProblemType
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: str(type_.slug))
async def test_a_type_s_uri_leads_to_a_page(api: Api, type_: ProblemType) -> None:
    page = await api.http.get(type_.uri, headers={"Authorization": ""})
    assert page.status_code == 200
    assert f"<h1>{type_.status} {type_.title}</h1>" in page.text


async def test_there_is_no_page_of_a_type_that_is_none(api: Api) -> None:
    problem(await api.http.get("/problems/castle"), 404)


def test_codes_are_unique_and_every_status_has_a_type() -> None:
    assert len({one.code for one in TYPES}) == len(TYPES)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", one.code) for one in TYPES)
    assert (BY_STATUS[409].code, BY_STATUS[401].code) == ("conflict", "unauthorized")
