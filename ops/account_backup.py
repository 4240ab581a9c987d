"""Accounts and API keys in a file: they are in no topic, so `events export` does not hold them."""

import os
from collections.abc import Mapping
from pathlib import Path

from bson import UuidRepresentation, json_util
from pymongo.errors import DuplicateKeyError

from chassis.mongo import client as mongo
from chassis.mongo.client import Database, Raw
from ops.accounts import DATABASE
from ops.errors import OperatorError
from ops.servers.stores import mongodb_errors, store_of
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument

_FORM = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, uuid_representation=UuidRepresentation.STANDARD
)
_COLLECTIONS = (AccountDocument.Settings.name, ApiKeyDocument.Settings.name)


async def export_accounts(uri: str, file: Path) -> Mapping[str, int]:
    """Write them as JSON that only the user can read; return how many of each collection.

    The passwords in it are hashes, the second factors' secrets are not: protect the file.
    Raises OperatorError, also when the file exists.
    """
    with mongodb_errors(uri):
        async with mongo.connect(uri) as client:
            stored = {name: await client[DATABASE][name].find().to_list() for name in _COLLECTIONS}
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(json_util.dumps(stored, json_options=_FORM))
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise OperatorError(f"cannot write {file}: {error.strerror}") from error
    return {name: len(documents) for name, documents in stored.items()}


async def import_accounts(uri: str, file: Path) -> Mapping[str, int]:
    """Insert what the database lacks, and change nothing; return how many of each collection.

    Raises OperatorError, also when another account has the email of one in the file.
    """
    stored = _read(file)
    with mongodb_errors(uri):
        await mongo.apply_indexes(uri, DATABASE, store_of("gateway").documents)
        async with mongo.connect(uri) as client:
            return {
                name: await _insert_missing(client[DATABASE], name, stored[name])
                for name in _COLLECTIONS
            }


def _read(file: Path) -> dict[str, list[Raw]]:
    try:
        stored = json_util.loads(file.read_text(), json_options=_FORM)
        return {name: list(stored[name]) for name in _COLLECTIONS}
    except OSError as error:
        raise OperatorError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise OperatorError(f"{file} is no file of `realtoros agents export`") from error


async def _insert_missing(database: Database, name: str, documents: list[Raw]) -> int:
    there = set(await database[name].distinct("_id"))
    missing = [document for document in documents if document["_id"] not in there]
    for document in missing:
        try:
            await database[name].insert_one(document)
        except DuplicateKeyError as error:
            raise OperatorError(
                f"{name}: another account has the email {document.get('email')}:"
                " change the one or the other, and import again"
            ) from error
    return len(missing)
