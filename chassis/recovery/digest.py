"""Comparing collections: a digest each, and the documents in which two differ."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw

SHOWN = 3
BATCH_DOCUMENTS = 1000
# What the outcome does not depend on: who works on a document, where in Kafka a commit stands,
# when a view was brought up to date.
APART = ("claim", "published", "applied_at")
# Neither ids nor times are made objects of: there are many, and only their bytes count.
_CHEAP: CodecOptions[Raw] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
_WHOLE: CodecOptions[Raw] = CodecOptions(
    uuid_representation=UuidRepresentation.STANDARD, tz_aware=True
)


class Difference(NamedTuple):
    """A document as it is live and as replay makes it; None where there is none."""

    live: Raw | None
    fresh: Raw | None


class Comparison(NamedTuple):
    """Two collections: how many documents, SHA-256 over them, and the first that differ."""

    name: str
    live: tuple[int, str]
    fresh: tuple[int, str]
    differences: list[Difference]


async def digest(collection: AsyncCollection[Raw]) -> tuple[int, str]:
    """Give the number of documents and a SHA-256 over them all, in the order of their ids."""
    count, over = 0, hashlib.sha256()
    async for _, encoded in _documents(collection):
        count += 1
        over.update(encoded)
    return count, over.hexdigest()


async def compare(
    name: str,
    live: AsyncCollection[Raw],
    fresh: AsyncCollection[Raw],
    session: AsyncClientSession,
) -> Comparison:
    """Compare two collections, the live one as it is in the session's snapshot."""
    left, right = _documents(live, session), _documents(fresh)
    counts, digests = [0, 0], [hashlib.sha256(), hashlib.sha256()]
    differences: list[Difference] = []
    one, other = await anext(left, None), await anext(right, None)
    while one or other:
        first = min(_key(each[0]) for each in (one, other) if each)
        in_one = one if one and _key(one[0]) == first else None
        in_other = other if other and _key(other[0]) == first else None
        for number, each in enumerate((in_one, in_other)):
            if each:
                counts[number] += 1
                digests[number].update(each[1])
        if (in_one and in_one[1]) != (in_other and in_other[1]) and len(differences) < SHOWN:
            differences.append(Difference(_whole(in_one), _whole(in_other)))
        one = await anext(left, None) if in_one else one
        other = await anext(right, None) if in_other else other
    told = [(count, over.hexdigest()) for count, over in zip(counts, digests, strict=True)]
    return Comparison(name, told[0], told[1], differences)


async def _documents(
    collection: AsyncCollection[Raw], session: AsyncClientSession | None = None
) -> AsyncIterator[tuple[Raw, bytes]]:
    found: Any = collection.find_raw_batches(session=session, batch_size=BATCH_DOCUMENTS)
    async for batch in found.sort("_id"):
        for raw in bson.decode_all(batch, codec_options=_CHEAP):
            for field in APART:
                raw.pop(field, None)
            yield raw, bson.encode(_ordered(raw), codec_options=_CHEAP)


def _whole(found: tuple[Raw, bytes] | None) -> Raw | None:
    return bson.decode(found[1], codec_options=_WHOLE) if found else None


def _key(raw: Raw) -> bytes:
    """Give an id as the server compares it: text, or the bytes of a UUID."""
    id_ = raw["_id"]
    return id_.encode() if isinstance(id_, str) else bytes(id_)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value
