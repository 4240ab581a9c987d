"""Deleting what an earlier demo left, and nothing else."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from ops.errors import OperatorError
from ops.servers.server_process import end_orphan, owned


async def empty(folder: Path, environment: Mapping[str, str]) -> None:
    """Delete the data in the folder, which no running process may be using.

    Raises OperatorError when the data is on servers of the user's own, which stay untouched, and
    ops.servers.server_process.InUse.
    """
    for variable in ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"):
        if environment.get(variable):
            raise OperatorError(
                f"--fresh deletes the demo's own data only, but {variable} names another server"
            )
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    with owned(folder):
        # A demo that was killed can have left servers that still write.
        for name, server in (("mongod", "mongodb"), ("kafka", "kafka")):
            await end_orphan(name, folder / server)
        _delete_folders_in(folder)


def _delete_folders_in(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
