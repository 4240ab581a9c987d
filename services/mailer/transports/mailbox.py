"""The transport that needs no key and no network: a folder of letters that any mail program opens.

A file under its final name is whole and on the disk, and it is the proof that the letter was sent.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from tempfile import mkstemp

from chassis.domain.errors import CallFailed
from services.mailer.transports.headers import sender_address
from services.mailer.transports.mime import message_of
from services.mailer.transports.transport import Parcel


class Mailbox:
    """Puts each letter into `folder` as `<id>-<attempt>.eml` (RFC 5322), from `mail_from`."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self._folder = folder
        self._from = sender_address(mail_from)

    async def send(self, parcel: Parcel) -> str | None:
        """Write the letter unless it is there already; give its Message-ID. Raises CallFailed."""
        return await asyncio.to_thread(self._put, parcel)

    async def close(self) -> None:
        """Nothing is held."""

    def _put(self, parcel: Parcel) -> str:
        domain = self._from.rpartition("@")[2]
        message_id = f"<{parcel.id}.{parcel.attempt}@{domain}>"
        final = self._folder / f"{parcel.id}-{parcel.attempt}.eml"
        content = bytes(message_of(parcel, self._from, message_id))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not final.exists():
                _create_whole(final, content)
        except OSError as error:
            # The reason of the system, never the path: that may name a person.
            raise CallFailed(f"the mailbox cannot be written: {error.strerror}") from None
        return message_id


def _create_whole(final: Path, content: bytes) -> None:
    """Create the file with all of its content, or not at all; leave one that is there alone."""
    descriptor, name = mkstemp(prefix=".", suffix=".part", dir=final.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, final)
    finally:
        Path(name).unlink(missing_ok=True)
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
