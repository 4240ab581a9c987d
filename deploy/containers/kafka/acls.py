# ruff: noqa: INP001 - mounted into a container, not imported
"""Allows on Kafka what `realtoros topics acls` prints, from Kafka's own loopback.

In one connection, where kafka-acls.sh would start Java for every line.
"""

import asyncio
import os

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest

from ops.servers.stores import topic_prefix
from ops.topics.acls import acls

# Numbers of Kafka's protocol.
RESOURCES = {"topic": 2, "group": 3, "cluster": 4}
OPERATIONS = ("Unknown", "Any", "All", "Read", "Write", "Create", "Delete", "Alter", "Describe")
LITERAL, ALLOW = 3, 3
ANY_HOST = "*"


async def main() -> None:
    """Add all; those that are there stay."""
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:9094")
    await client.bootstrap()
    try:
        for acl in acls(topic_prefix(os.environ)):
            for operation in acl.operations:
                request = CreateAclsRequest(
                    RESOURCES[acl.resource],
                    acl.name,
                    LITERAL,
                    f"User:{acl.principal}",
                    ANY_HOST,
                    OPERATIONS.index(operation),
                    ALLOW,
                )
                response = await client.send(client.get_random_node(), request)
                for code, message in response.creation_responses:
                    if code:
                        raise SystemExit(f"{acl.arguments}: {message} ({code})")
    finally:
        await client.close()


asyncio.run(main())
