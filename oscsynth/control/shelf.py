"""The patches that can be played: which versions of each the engine was asked to load, and which are ready.

Control process, one thread; imports ``patch`` and ``metadata`` alone. A version is a patch as it was at one time, with its decoder, under a
number that is never used again.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..metadata import Metadata
from ..patch import Patch
from .row import Refused

RequestLoad = Callable[[int, Patch | None], None]


@dataclass(slots=True)
class Version:
    """A patch as it was at one time. ``digest`` tells whether another is the same; ``ready`` says that the engine has it."""

    number: int
    patch: Patch
    metadata: Metadata | None
    digest: str
    ready: bool = False

    def instruments(self) -> list[str]:
        """Return the instruments that its decoder knows, in order; none unless that is of kind ``note``."""
        return list(self.metadata.note.instruments) if self.metadata and self.metadata.note else []


@dataclass(slots=True)
class _Entry:
    patch: Patch
    current: Version | None = None  # the newest that is ready
    coming: Version | None = None
    fault: str = ""


class Shelf:
    """All patches by name, in order.

    Parameters
    ----------
    request_load : callable
        Given a number and a patch, has the engine load it; given a number and None, has it forget that number.
    """

    def __init__(self, request_load: RequestLoad) -> None:
        self._request_load = request_load
        self._entries: dict[str, _Entry] = {}
        self._outdated: list[Version] = []
        self._known: dict[str, Version] = {}  # of an earlier control, by digest
        self.next_number = 1

    @property
    def names(self) -> list[str]:
        """The names in order."""
        return list(self._entries)

    @property
    def playable(self) -> list[str]:
        """The names without those that are known not to work."""
        return [name for name, entry in self._entries.items() if entry.current or not entry.fault]

    def patch(self, name: str) -> Patch:
        """Return the newest patch of that name, loaded or not."""
        return self._entries[name].patch

    def ready(self, name: str) -> Version | None:
        """Return the newest version that is ready, None while the first is being loaded.

        Raises
        ------
        Refused
            When there is no such patch or it cannot be played.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise Refused(f"there is no patch {name!r}{nearest(name, self._entries)}; send /oscsynth/patches for the list")
        if entry.current is None and entry.fault:
            raise Refused(f"the patch {name} cannot be played: {entry.fault}")
        return entry.current

    def set_patches(self, patches: Mapping[str, Patch]) -> bool:
        """Take over which patches there are; return whether their names changed."""
        before = self.names
        gone = [entry for name, entry in self._entries.items() if name not in patches]
        self._entries = {name: self._entries.get(name) or _Entry(patch) for name, patch in patches.items()}
        self._outdated += [version for entry in gone for version in (entry.current, entry.coming) if version]
        return before != self.names

    def offer(self, patch: Patch, metadata: Metadata | None, stamp: str) -> Version | None:
        """Have a checked patch loaded, unless that version is there; return a version that is ready already from an earlier control."""
        digest = hashlib.blake2b(repr((patch, stamp)).encode(), digest_size=16).hexdigest()
        entry = self._entries.setdefault(patch.name, _Entry(patch))
        entry.patch, entry.fault = patch, ""
        if any(version is not None and version.digest == digest for version in (entry.coming or entry.current,)):
            return None
        if entry.coming:
            self._outdated.append(entry.coming)
        known = self._known.pop(digest, None)
        version = Version(known.number if known else self.next_number, patch, metadata, digest, known.ready if known else False)
        self.next_number = max(self.next_number, version.number + 1)
        entry.coming = version
        if version.ready:
            return self._arrive(entry, version)
        self._request_load(version.number, patch)
        return None

    def refuse(self, name: str, fault: str) -> None:
        """Remember why a patch cannot be played; a version that is ready stays."""
        if name in self._entries:
            self._entries[name].fault = fault

    def loaded(self, number: int, error: str) -> tuple[Version, str] | None:
        """Take the engine's answer; return the version it is about and the error, None for one that is no longer wanted."""
        for entry in self._entries.values():
            if entry.coming is not None and entry.coming.number == number:
                version = entry.coming
                if not error:
                    return self._arrive(entry, version), ""
                entry.coming, entry.fault = None, error
                return version, error
            if entry.current is not None and entry.current.number == number:
                entry.current.ready = not error
        return None

    def load_again(self, sounding: Iterable[Version], awaited: Iterable[str]) -> None:
        """Ask a new engine for everything, what sounds and what is awaited first."""
        versions = {version.number: version for version in sounding}
        versions |= {coming.number: coming for name in awaited if name in self._entries and (coming := self._entries[name].coming)}
        for entry in self._entries.values():
            versions |= {version.number: version for version in (entry.current, entry.coming) if version}
        for version in versions.values():
            self._request_load(version.number, version.patch)

    def forget(self, sounding: Iterable[Version]) -> None:
        """Have the engine drop the versions that were replaced and that no part plays."""
        keep = {version.number for version in sounding}
        for version in [version for version in self._outdated if version.number not in keep]:
            self._outdated.remove(version)
            self._request_load(version.number, None)

    def versions(self) -> list[Version]:
        """Return every version that a later control should know."""
        return [version for entry in self._entries.values() for version in (entry.current, entry.coming) if version] + self._outdated

    def know(self, versions: Iterable[Version]) -> None:
        """Take over from an earlier control what the engine has; those that are not offered again are forgotten some time."""
        for version in versions:
            self._known[version.digest] = version
            self.next_number = max(self.next_number, version.number + 1)

    def settle(self) -> None:
        """Count as replaced what an earlier control had loaded and nobody has offered again."""
        self._outdated += self._known.values()
        self._known.clear()

    def _arrive(self, entry: _Entry, version: Version) -> Version:
        if entry.current is not None:
            self._outdated.append(entry.current)
        entry.current, entry.coming = version, None
        version.ready = True
        return version


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``, the nearest is X`` for a misspelt name, or nothing."""
    by_folded = {known.casefold(): known for known in names}
    close = difflib.get_close_matches(name[:100].casefold(), by_folded, 1, 0.5)
    return f", the nearest is {by_folded[close[0]]!r}" if close else ""
