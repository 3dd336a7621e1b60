"""When something is saved in folders, also after one of them was taken away and put back.

Control process, on its event loop; imports nothing of this program.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

LOOK_SECONDS = 1.0  # how often it is looked whether a folder is still the one that is watched
_SETTLE_MS = 100  # editors save in several steps


async def saves(folders: Sequence[Path], endings: tuple[str, ...]) -> AsyncGenerator[None]:
    """Give after each change of files with these endings, and when a folder comes or goes; never ends.

    It gives once more soon after it began to watch: what was saved just before would stay unseen.

    Raises
    ------
    OSError
        When the system lets nothing be watched.
    """
    known = _identities(folders)
    while True:
        there = [folder for folder, identity in zip(folders, known, strict=True) if identity]
        is_settled, is_other = False, False
        try:
            async with aclosing(_looks(there, endings)) as looks:
                async for changed in looks:
                    before, known = known, _identities(folders)
                    # One that is made again in a moment may look like the old one, but that went is told.
                    is_other = known != before or any(Path(path) in there for _, path in changed)
                    if changed or is_other or not is_settled:
                        yield
                    is_settled |= not changed
                    if is_other:
                        break
        except FileNotFoundError:  # it went before it was watched
            known = _identities(folders)
            await asyncio.sleep(LOOK_SECONDS)


async def _looks(there: Sequence[Path], endings: tuple[str, ...]) -> AsyncGenerator[set[tuple[Any, str]]]:
    """Give what was changed as it comes, and nothing every `LOOK_SECONDS`."""
    from watchfiles import awatch  # heavy, and not needed to sound

    if not there:
        await asyncio.sleep(LOOK_SECONDS)
        yield set()
        return
    roots = set(map(str, there))
    changes = awatch(
        *there,
        watch_filter=lambda _, path: path.lower().endswith(endings) or path in roots,
        debounce=_SETTLE_MS,
        step=_SETTLE_MS,  # it wakes up as often while nothing is saved
        rust_timeout=round(1000 * LOOK_SECONDS),
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    async with aclosing(changes):
        async for changed in changes:
            yield changed


def _identities(folders: Sequence[Path]) -> list[tuple[int, int] | None]:
    """Return what tells each folder from another one of its name, None for one that is not there."""
    return [_identity(folder) for folder in folders]


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if folder.is_dir() else None
