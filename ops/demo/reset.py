"""Deleting the data of an earlier demo, and nothing else."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from ops.errors import OperatorError
from ops.servers.server_process import end_orphan, owned


async def delete_data(folder: Path, environment: Mapping[str, str]) -> None:
    """Delete the data in the folder.

    Raises OperatorError when the data is on the user's own servers, which stay untouched, and
    ops.servers.server_process.InUse when a running process uses the folder.
    """
    for variable in ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"):
        if environment.get(variable):
            raise OperatorError(
                f"--fresh deletes the demo's own data only, but {variable} names another server:"
                " unset it"
            )
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    with owned(folder):
        # A demo that was killed may have left servers that still write.
        for name, server in (("mongod", "mongodb"), ("kafka", "kafka")):
            await end_orphan(name, folder / server)
        _delete_folders_in(folder)


def _delete_folders_in(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
