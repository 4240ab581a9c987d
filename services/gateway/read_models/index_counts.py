"""Exact counts that MongoDB makes on an index alone (COUNT_SCAN), without looking at its entries.

It does so for the `count` command and one range of the index, not in aggregations (that is what
pymongo's count_documents does) and not for `$in`: so one command for all values that there are, or
one for each, at the same time.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw

ANY_TEXT = {"$gte": ""}


async def count(documents: AsyncCollection[Raw], where: Raw, **options: Any) -> int:
    """Count the documents that match; `hint` and `limit` as MongoDB's `count` has them."""
    command = {"count": documents.name, "query": where, **options}
    answer = await documents.database.command(command, codec_options=documents.codec_options)
    return int(answer["n"])


async def count_each(
    documents: AsyncCollection[Raw], where: Raw, field: str, values: Sequence[str]
) -> dict[str, int]:
    """Count the documents that match, by value of the field."""
    counts = await asyncio.gather(*(count(documents, where | {field: one}) for one in values))
    return dict(zip(values, counts, strict=True))


async def count_among(
    documents: AsyncCollection[Raw], where: Raw, field: str, every: Collection[str]
) -> int:
    """Count the documents that match, where `where` names values of the field (`$in`).

    All that it can have are one range of the index, counted at one moment. Of fewer, a document
    that goes over from one to another just then may be counted twice, or not at all.
    """
    named = where[field]["$in"]
    if set(named) == set(every):
        return await count(documents, where | {field: ANY_TEXT})
    return sum((await count_each(documents, where, field, named)).values())
