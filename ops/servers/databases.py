"""The names of the services' databases, as MONGODB_DATABASE_PREFIX says."""

import os

from chassis.mongo.client import database_name
from contracts.services import DATABASE_PREFIX


def database_of(service: str) -> str:
    """Return the name of the service's database."""
    return database_name(service, os.environ.get("MONGODB_DATABASE_PREFIX") or DATABASE_PREFIX)
