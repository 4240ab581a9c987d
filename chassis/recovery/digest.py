"""Comparing collections: a digest of each, and the documents that differ."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw

MAX_DIFFERENCES = 3
BATCH_DOCUMENTS = 1000
# Not compared: who works on a document, where in Kafka a commit is, when a view was updated.
IGNORED_FIELDS = ("claim", "published", "applied_at")
# Does not make objects of ids and times: there are many, and only their bytes count.
_RAW_VALUES: CodecOptions[Raw] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
_TYPED_VALUES: CodecOptions[Raw] = CodecOptions(
    uuid_representation=UuidRepresentation.STANDARD, tz_aware=True
)


class Difference(NamedTuple):
    """A document as it is live and as replayed; None where it is missing."""

    live: Raw | None
    replayed: Raw | None


class Comparison(NamedTuple):
    """Two collections: how many documents, SHA-256 over them, and the first that differ."""

    name: str
    live: tuple[int, str]
    replayed: tuple[int, str]
    differences: list[Difference]


async def digest(collection: AsyncCollection[Raw]) -> tuple[int, str]:
    """Return the number of documents and a SHA-256 over all of them in the order of their ids."""
    count, sha256 = 0, hashlib.sha256()
    async for _, encoded in _documents(collection):
        count += 1
        sha256.update(encoded)
    return count, sha256.hexdigest()


async def compare(
    name: str,
    live: AsyncCollection[Raw],
    replayed: AsyncCollection[Raw],
    session: AsyncClientSession,
) -> Comparison:
    """Compare two collections, the live one in the session's snapshot."""
    lefts, rights = _documents(live, session), _documents(replayed)
    counts, digests = [0, 0], [hashlib.sha256(), hashlib.sha256()]
    differences: list[Difference] = []
    left, right = await anext(lefts, None), await anext(rights, None)
    while left or right:
        first = min(_key(each[0]) for each in (left, right) if each)
        in_left = left if left and _key(left[0]) == first else None
        in_right = right if right and _key(right[0]) == first else None
        for number, each in enumerate((in_left, in_right)):
            if each:
                counts[number] += 1
                digests[number].update(each[1])
        differs = (in_left and in_left[1]) != (in_right and in_right[1])
        if differs and len(differences) < MAX_DIFFERENCES:
            differences.append(Difference(_decoded(in_left), _decoded(in_right)))
        left = await anext(lefts, None) if in_left else left
        right = await anext(rights, None) if in_right else right
    of_live, of_replayed = zip(counts, (each.hexdigest() for each in digests), strict=True)
    return Comparison(name, of_live, of_replayed, differences)


async def _documents(
    collection: AsyncCollection[Raw], session: AsyncClientSession | None = None
) -> AsyncIterator[tuple[Raw, bytes]]:
    found: Any = collection.find_raw_batches(session=session, batch_size=BATCH_DOCUMENTS)
    async for batch in found.sort("_id"):
        for raw in bson.decode_all(batch, codec_options=_RAW_VALUES):
            for field in IGNORED_FIELDS:
                raw.pop(field, None)
            yield raw, bson.encode(_ordered(raw), codec_options=_RAW_VALUES)


def _decoded(found: tuple[Raw, bytes] | None) -> Raw | None:
    return bson.decode(found[1], codec_options=_TYPED_VALUES) if found else None


def _key(raw: Raw) -> bytes:
    """Return an id as the server compares it: text, or the bytes of a UUID."""
    id_ = raw["_id"]
    return id_.encode() if isinstance(id_, str) else bytes(id_)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value
