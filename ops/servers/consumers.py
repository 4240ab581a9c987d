"""Which services run, as Kafka sees it: each reads as a consumer group of its own."""

from typing import Any

from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest_v2
from aiokafka.protocol.api import Request

from chassis.kafka.servers import KafkaServers
from contracts.services import SERVICES
from ops.errors import OperatorError


class _DescribeGroup(Request[DescribeGroupsRequest_v2]):
    """The request in the last version of which aiokafka 0.14 reads the answer rightly."""

    API_KEY = DescribeGroupsRequest_v2.API_KEY

    def __init__(self, group: str) -> None:
        self._group = group

    def build(
        self, request_struct_class: type[DescribeGroupsRequest_v2]
    ) -> DescribeGroupsRequest_v2:
        return request_struct_class([self._group])


async def running_services(
    servers: KafkaServers, prefix: str, *, runs: str, stopped: str
) -> dict[str, str]:
    """Return for each service `runs` when any replica of it reads its topics, else `stopped`.

    One that was killed counts as running until Kafka notices, for at most a minute. Raises
    OperatorError.
    """
    client = servers.plain()
    try:
        await client.bootstrap()
        return {
            service: runs if await _has_members(client, prefix + service) else stopped
            for service in SERVICES
        }
    except KafkaError as error:
        raise OperatorError(
            f"Kafka at {servers} (KAFKA_BOOTSTRAP_SERVERS) does not tell which run"
            f" ({type(error).__name__})"
        ) from error
    finally:
        await client.close()


async def _has_members(client: Any, group: str) -> bool:
    coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
    answer = await client.send(coordinator, _DescribeGroup(group))
    [(error, _group, _state, _type, _protocol, members)] = answer.groups
    if error:
        raise for_code(error)
    return bool(members)
