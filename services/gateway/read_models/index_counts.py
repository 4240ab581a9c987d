"""Exact counts by MongoDB on an index alone (COUNT_SCAN), without reading its entries.

It does so for the `count` command and one range of the index, not in aggregations (pymongo's
count_documents is one) and not for `$in`: so one command for all values that exist, or one for
each, concurrently.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw

# On an index, a comparison leaves out documents without the field.
ANY_TEXT = {"$gte": ""}
ANY_TIME = {"$gte": datetime(1, 1, 2, tzinfo=UTC)}


async def count(documents: AsyncCollection[Raw], where: Raw, **options: Any) -> int:
    """Count the documents that match; `options` such as `hint` and `limit` are those of `count`."""
    command = {"count": documents.name, "query": where, **options}
    answer = await documents.database.command(command, codec_options=documents.codec_options)
    return int(answer["n"])


async def count_by_value(
    documents: AsyncCollection[Raw], where: Raw, field: str, values: Sequence[str], **options: Any
) -> dict[str, int]:
    """Count the documents that match, by value of the field."""
    counting = (count(documents, where | {field: one}, **options) for one in values)
    counts = await asyncio.gather(*counting)
    return dict(zip(values, counts, strict=True))


async def count_listed(
    documents: AsyncCollection[Raw], where: Raw, statuses: Collection[str]
) -> int:
    """Count what a list shows: documents of certain statuses, or all of a client's that match."""
    # A client has few, and its index is not in the order of statuses.
    if "client_id" in where:
        return await documents.count_documents(where)
    return await count_in(documents, where, "status", statuses)


async def count_in(
    documents: AsyncCollection[Raw],
    where: Raw,
    field: str,
    all_values: Collection[str],
    **options: Any,
) -> int:
    """Count the documents that match `where`, which lists values of the field (`$in`).

    All possible values are one range of the index, counted at one moment. With fewer, a document
    that changes from one to another meanwhile may be counted twice, or not at all.
    """
    named = where[field]["$in"]
    if set(named) == set(all_values):
        return await count(documents, where | {field: ANY_TEXT}, **options)
    return sum((await count_by_value(documents, where, field, named, **options)).values())
