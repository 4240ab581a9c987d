"""`realtoros doctor` says what is wrong with the servers before a service has to."""

import pytest

from chassis.kafka.servers import KafkaServers
from chassis.start.exit_codes import ExitCode, StartError
from contracts.services import SERVICES
from ops.servers import doctor
from ops.servers.ports import LOOPBACK, free_port
from ops.servers.stores import apply_indexes, apply_topics
from tests.servers import Server


async def test_all_is_well_with_what_the_jobs_have_made(
    kafka: Server, mongodb: Server, prefix: str
) -> None:
    await apply_topics(kafka.servers, prefix)
    await apply_indexes(mongodb.address)
    said: list[str] = []
    code = await doctor.diagnose(kafka.servers, prefix, mongodb.address, SERVICES, said.append)
    assert code == ExitCode.STOPPED, said
    assert {line[:3] for line in said} == {"ok "}
    assert len(said) == 3 + 2 * len(SERVICES)
    assert mongodb.address not in "".join(said)


async def test_each_thing_that_is_missing_is_named(
    kafka: Server, mongodb: Server, prefix: str
) -> None:
    said: list[str] = []
    code = await doctor.diagnose(kafka.servers, prefix, mongodb.address, ("crm",), said.append)
    assert code == ExitCode.MISSING
    wrong = [line for line in said if line.startswith("WRONG")]
    assert len(wrong) == 2
    assert "realtoros indexes apply" in wrong[0]
    assert "realtoros topics apply" in wrong[1]


async def test_servers_that_are_not_there_are_named(mongodb: Server) -> None:
    said: list[str] = []
    nowhere = f"{LOOPBACK}:{free_port()}"
    code = await doctor.diagnose(
        KafkaServers(nowhere), "x.", f"mongodb://{nowhere}/", SERVICES, said.append
    )
    assert code == ExitCode.UNREACHABLE
    assert nowhere in said[0]
    await apply_indexes(mongodb.address)
    said.clear()
    code = await doctor.diagnose(
        KafkaServers(nowhere), "x.", mongodb.address, ("crm",), said.append
    )
    assert code == ExitCode.UNREACHABLE
    assert f"WRONG  Kafka at {nowhere}: KAFKA_BOOTSTRAP_SERVERS: {nowhere}: " in "\n".join(said)


async def test_a_job_that_is_refused_says_so_as_a_start_does(mongodb: Server) -> None:
    wrong = mongodb.address_of("crm")
    with pytest.raises(StartError, match=r"MONGODB_URI: .*a right is missing") as refused:
        await apply_indexes(wrong)
    assert refused.value.code == ExitCode.REFUSED


@pytest.mark.parametrize(("there", "seconds"), [(100.5, 0), (100, 0), (101, 0), (93, 7), (131, 30)])
def test_a_clock_differs_by_what_the_answer_s_way_cannot_explain(
    there: float, seconds: float
) -> None:
    assert doctor.skew(100, there, 101) == seconds
