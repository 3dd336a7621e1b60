"""A disk that is full, for a while."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

FULL_BYTES = 20_000


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond `FULL_BYTES`, as a full disk does.

    Only inside a test, not as a fixture: pytest itself writes between a test and the end of its fixtures, perhaps into a long file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
