# ruff: noqa: INP001 - mounted into a container, not imported
"""Allows on Kafka what `realtoros topics acls` prints, from Kafka's own loopback."""

import asyncio
import os

from chassis.kafka.servers import KafkaServers
from ops.servers.stores import topic_prefix
from ops.topics.acls import acls, allow

asyncio.run(allow(KafkaServers("127.0.0.1:9094"), acls(topic_prefix(os.environ))))
