"""What the system refuses is one line: the file, the reason, the remedy."""

import errno
import os
import ssl

import pytest

from ops.errors import explain


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "data/port"),
            "data/port: No space left on device; make room on the disk, then try again",
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "data"),
            "data: Permission denied; use a folder that you may write to",
        ),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "Too many open files"),
        (TimeoutError(), "TimeoutError"),
        (ssl.SSLError(1, "the certificate has expired"), "the certificate has expired"),
    ],
)
def test_an_error_of_the_system_is_one_line(error: OSError, line: str) -> None:
    assert explain(error) == line
