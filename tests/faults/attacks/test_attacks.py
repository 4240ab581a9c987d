"""While one agent or one address attacks, the others go on: `make bench-attacks` prints the times.

What is asserted here is counted, not timed.
"""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.faults.attacks.attacked_system import AttackedSystem, attacked_system
from tests.faults.attacks.attackers import ATTACKS
from tests.servers import Server

pytestmark = [pytest.mark.alone, pytest.mark.timeout(240)]

SECONDS = 13
MEBIBYTE = 1024 * 1024
MEMORY = 100 * MEBIBYTE
# A line a minute for each reason, and what a start of a worker or an unread file may add.
LOG_LINES = 20
# What an attack comes up against. Heads, bodies and silence have ten seconds.
REFUSED = {
    "trailers": {"head_too_large", "too_many_fields"},
    "silent connections": {"connections_of_address", "silent_connection"},
    "half heads": {"connections_of_address", "slow_head"},
    "slow bodies": {"connections_of_address", "slow_body"},
    "streams": {"connections_of_address", "too_many_requests"},
    "hostile files": {"too_many_requests"},
    "forged webhooks": {"webhook_forged", "too_many_requests"},
    "wrong log ins": {"too_many_requests"},
}


@pytest.fixture(scope="module")
async def attacked(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AttackedSystem]:
    folder, prefix = tmp_path_factory.mktemp("attacked"), f"attacked-{uuid4().hex[:8]}."
    async with attacked_system(folder, kafka, mongodb_server, prefix) as system:
        usual = await system.attack(None, 3)
        assert usual.failed == []
        yield system


def test_it_is_known_what_each_attack_comes_up_against() -> None:
    assert REFUSED.keys() == ATTACKS.keys()


@pytest.mark.parametrize("attack", ATTACKS)
async def test_others_are_served_while_one_attacks(attacked: AttackedSystem, attack: str) -> None:
    outcome = await attacked.attack(attack, SECONDS)
    assert outcome.failed == []
    assert outcome.gets
    assert outcome.logins
    assert REFUSED[attack] & outcome.refused.keys(), outcome.refused
    assert outcome.memory_growth < MEMORY
    assert outcome.log_lines <= LOG_LINES
    # Those of the attacker, and the honest agent's few.
    assert outcome.connections <= 300 + 20
