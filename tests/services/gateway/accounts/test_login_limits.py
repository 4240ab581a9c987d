"""Guessing is limited by account and network: an attacker locks out nobody else."""

from uuid import uuid4

from services.gateway.settings import GatewaySettings
from tests.services.gateway.accounts.conftest import FROM_NEW_NETWORKS, Replicas
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import accounts_database, person

PER_NETWORK: int = GatewaySettings.model_fields["logins_per_account"].default


def network() -> str:
    """Return an address in a network that nobody else has."""
    digits = uuid4().hex
    return f"2001:db8:{digits[:4]}:{digits[4:8]}::1"


async def guess_until_refused(replicas: Replicas, email: str, *networks: str) -> list[int]:
    """Guess from one network after the other, over and over, until one guess is not looked at."""
    statuses: list[int] = []
    # Twice as many where a span of time ends between them.
    while 429 not in statuses and len(statuses) <= 2 * FROM_NEW_NETWORKS:
        number = len(statuses)
        address = networks[number % len(networks)]
        async with replicas.another(email, replica=number % 2, network=address) as eve:
            statuses.append((await eve.log_in("a wrong password")).status_code)
    assert set(statuses[:-1]) == {401}
    assert statuses[-1] == 429
    return statuses


async def test_who_guesses_locks_out_only_the_own_network(replicas: Replicas) -> None:
    attackers = network()
    async with person(replicas.urls[0]) as ana:
        statuses = await guess_until_refused(replicas, ana.email, attackers)
        assert PER_NETWORK < len(statuses) <= 2 * PER_NETWORK + 1
        # Not even the right password is looked at there, at any replica.
        for replica in (0, 1):
            async with replicas.another(ana.email, replica=replica, network=attackers) as eve:
                refused = await eve.log_in()
                problem(refused, 429)
                assert 0 < int(refused.headers["retry-after"]) <= 300
            # Everywhere else the owner is let in, also where that was never done before.
            async with replicas.another(ana.email, replica=replica, network=network()) as same:
                same.take(await same.log_in())


async def test_a_distributed_attack_does_not_lock_out_known_networks(replicas: Replicas) -> None:
    home = network()
    async with (
        person(replicas.urls[0]) as ana,
        replicas.another(ana.email, replica=0, network=home) as at_home,
    ):
        assert (await at_home.log_in()).is_success
        attackers = [network() for _ in range(2 * FROM_NEW_NETWORKS + 1)]
        statuses = await guess_until_refused(replicas, ana.email, *attackers)
        assert len(statuses) > FROM_NEW_NETWORKS
        async with replicas.another(ana.email, network=network()) as elsewhere:
            problem(await elsewhere.log_in(), 429)
        for replica in (0, 1):
            async with replicas.another(ana.email, replica=replica, network=home) as same:
                problem(await same.log_in("a wrong password"), 401)
                same.take(await same.log_in())


async def test_a_network_is_forgotten_in_time_and_stored_without_its_address(
    replicas: Replicas,
) -> None:
    home = network()
    async with (
        person(replicas.urls[0]) as ana,
        replicas.another(ana.email, network=home) as at_home,
        accounts_database(replicas.mongodb) as database,
    ):
        before = {row["_id"] async for row in database["known_networks"].find()}
        assert (await at_home.log_in()).is_success
        [new] = [row async for row in database["known_networks"].find() if row["_id"] not in before]
        assert home.removesuffix("1") not in str(new)
        assert ana.email not in str(new)
        [ttl] = [
            index
            async for index in await database["known_networks"].list_indexes()
            if "expireAfterSeconds" in index
        ]
        assert list(ttl["key"]) == ["expires_at"]


async def test_an_account_that_does_not_exist_is_limited_like_one_that_does(
    replicas: Replicas,
) -> None:
    nobody = f"{uuid4().hex}@agents.example.com"
    statuses = await guess_until_refused(replicas, nobody, network())
    assert PER_NETWORK < len(statuses) <= 2 * PER_NETWORK + 1


async def test_nobody_is_trusted_to_say_whose_request_it_forwards(api: Api) -> None:
    """Without FORWARDED_ALLOW_IPS, not even what connects from this machine."""
    async with person(api.http.base_url) as ana:
        statuses = []
        for _ in range(2 * PER_NETWORK + 1):
            ana.http.headers["X-Forwarded-For"] = network()
            statuses.append((await ana.log_in("a wrong password")).status_code)
        assert 429 in statuses
