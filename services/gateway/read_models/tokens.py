"""The read model of what the language model was given and wrote, in tokens, by agent."""

from collections.abc import Iterable
from typing import Any, ClassVar, get_args
from uuid import UUID, uuid5

from aiokafka.partitioner import murmur2
from pymongo import IndexModel

from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from contracts.catalogue import PARTITIONS
from contracts.composer import CompositionFailed, DraftWritten, EmailComposed

TokensSource = EmailComposed | DraftWritten | CompositionFailed

# Kafka's partitioner drops the sign.
_POSITIVE = 0x7FFFFFFF


class TokensDocument(UuidDocument):
    """Tokens of the letters in an agent's name, of the clients in one partition of the topic.

    By partition, so that no two replicas of the gateway write the same document.
    """

    agent_id: UUID
    prompt: int = 0
    completion: int = 0

    class Settings:
        name = "tokens"
        indexes: ClassVar[list[Any]] = [
            IndexModel([("agent_id", 1), ("prompt", 1), ("completion", 1)]),
        ]


def project_tokens(
    previous: TokensDocument | None, event: TokensSource, id_: UUID
) -> TokensDocument:
    """Add the tokens of a letter, or of what was not fit to be one."""
    known = previous or TokensDocument(id=id_, agent_id=event.agent_id)
    used = event.tokens
    if used is None:
        return known
    added: TokensDocument = known.model_copy(
        update={
            "prompt": known.prompt + used.prompt,
            "completion": known.completion + used.completion,
        }
    )
    return added


def _of_partition(event: TokensSource) -> Iterable[UUID]:
    if event.tokens is None:
        return ()
    partition = (murmur2(str(event.key).encode()) & _POSITIVE) % PARTITIONS
    return (uuid5(event.agent_id, f"tokens of partition {partition}"),)


TOKENS = View(TokensDocument, _of_partition, project_tokens, get_args(TokensSource))
