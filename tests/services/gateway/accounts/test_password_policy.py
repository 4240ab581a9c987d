"""Which passwords are refused, and what the answer says."""

import pytest

from services.gateway.accounts.password_policy import not_common, not_of
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, person, promote
from tests.system import AGENT, logged_in

COMMON = (
    *("password1234", "Password1234!", "PASSWORDPASSWORD", "P@ssw0rd!!!!!", "  password  1"),
    *("qwertyuiop12", "123456789012", "1qaz2wsx3edc4rfv", "iloveyou2024!", "letmeinletmein"),
    *(" " * 12, "a" * 12, "abababababab", "............."),
)
UNCOMMON = (
    *(PASSWORD, "a better horse battery", "password manager's choice", "xK2$vv9!qqLmZ"),
    *("kein Pferd frisst Gurkensalat", "дом на краю старого леса"),
)
ADDRESS = "dana.reed@reed.example"
OF_THE_ADDRESS = (
    *(ADDRESS, "Dana.Reed@Reed.Example", "dana.reed1234", "danareeddanareed"),
    *("d.a.n.a.r.e.e.d.", "reed.example2024", "D4na.R33d!!!!"),
)


@pytest.mark.parametrize("password", COMMON)
def test_a_common_password_is_refused_however_it_is_decorated(password: str) -> None:
    with pytest.raises(ValueError, match="unrelated words"):
        not_common(password)


@pytest.mark.parametrize("password", UNCOMMON)
def test_other_passwords_are_accepted(password: str) -> None:
    assert not_common(password) == not_of(ADDRESS, password) == password


@pytest.mark.parametrize("password", OF_THE_ADDRESS)
def test_the_own_address_is_no_password(password: str) -> None:
    with pytest.raises(ValueError, match="email address"):
        not_of(ADDRESS, password)


@pytest.mark.parametrize("password", ["password1234", " " * 12, "short"])
async def test_wherever_a_password_is_set_the_answer_names_the_field(
    api: Api, password: str
) -> None:
    new = {"email": "new@agents.example.com", "name": "New", "password": password}
    problem(await api.http.post("/api/auth/register", json=new), 422, "password")
    admin = logged_in(AGENT)
    made = await api.http.post("/api/admin/agents", json=new, headers=admin)
    problem(made, 422, "password")
    async with person(api.http.base_url) as ana:
        change = {"current_password": PASSWORD, "new_password": password}
        problem(await ana.post("/api/auth/password", **change), 422, "new_password")
        path = f"/api/admin/agents/{(await ana.http.get('/api/agents/me')).json()['id']}"
        change = {"password": password}
        problem(await api.http.patch(path, json=change, headers=admin), 422, "password")


async def test_nor_may_it_be_the_address_of_the_account(api: Api) -> None:
    new = {"email": "reed.family@agents.example.com", "name": "New", "password": "Reed.Family.1"}
    detail = problem(await api.http.post("/api/auth/register", json=new), 422, "password")
    assert "choose several unrelated words" in detail
    admin = logged_in(AGENT)
    problem(await api.http.post("/api/admin/agents", json=new, headers=admin), 422, "password")
    async with person(api.http.base_url) as ana:
        change = {"current_password": PASSWORD, "new_password": ana.email.upper()}
        problem(await ana.post("/api/auth/password", **change), 422, "new_password")
        path = f"/api/admin/agents/{await promote(ana)}"
        change = {"password": f"{ana.email}!"}
        problem(await api.http.patch(path, json=change, headers=admin), 422, "password")
        assert (await ana.log_in()).is_success
