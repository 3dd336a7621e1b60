"""Which part plays which patch: what was asked for, what the engine has loaded, and who waits for it.

Control process, one thread. `shelf` knows the patches and their versions; this brings them to the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..metadata import Metadata
from ..patch import Patch
from .arrange import dress
from .part import Part, Request
from .row import Reply
from .shelf import Version

if TYPE_CHECKING:
    from .instrument import Instrument


class Repertoire:
    """What the parts of an instrument play and are going to play."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument

    def switch(self, part: Part, name: str, request: Request | None = None) -> None:
        """Let a part play a patch, as soon as that is loaded; the newest request wins.

        Raises
        ------
        Refused
            When there is no such patch or it cannot be played.
        """
        version = self._instrument.shelf.ready(name)
        request = request or self._instrument.request()
        part.expect(name, request)
        if version is None:
            self._instrument.part_changed(part)
            return
        self.take(part, version)
        self._instrument.reply("done", request.address, version.patch.name)

    def take(self, part: Part, version: Version) -> list[str]:
        """Let a part play a version that is ready, as it was arranged if it was; return what of that cannot be done."""
        faults: list[str] = []
        if (arrangement := part.arrangement) is None:
            part.take(version)
        else:
            part.travel(arrangement.seconds)
            part.take(version, lambda: faults.extend(dress(part, arrangement)))
        return faults

    def _done(self, part: Part) -> Reply:
        assert part.version is not None and part.request is not None
        return Reply(f"{self._instrument.prefix}/done", (part.request.address, part.version.patch.name))

    def start(self, name: str) -> None:
        """Let part 1 play a patch as the program starts; another than those there are is refused as in `switch`."""
        self.switch(self._instrument.parts[1], name, Request(f"{self._instrument.prefix}/patch", None))

    def set_patches(self, patches: Mapping[str, Patch]) -> None:
        """Take over which patches there are, by name and in order; each is played once it was offered."""
        if self._instrument.shelf.set_patches(patches):
            for part in (*self._instrument.parts.values(), self._instrument.whole):
                self._instrument.part_changed(part)

    def offer(self, patch: Patch, metadata: Metadata | None, stamp: str = "") -> list[tuple[Any, Reply]]:
        """Have a checked patch loaded; ``stamp`` differs when the decoder's file does. Returns what `loaded` returns."""
        self._instrument.noted = True
        patch = patch.suited_to(metadata.kind) if metadata else patch
        arrived = self._instrument.shelf.offer(patch, metadata, stamp)
        return self._arrive(arrived) if arrived else []

    def refuse(self, name: str, fault: str) -> list[tuple[Any, Reply]]:
        """Remember why a patch cannot be played; return the replies to those who wait for it, each with its sender."""
        self._instrument.shelf.refuse(name, fault)
        return self._give_up(name, fault)

    def loaded(self, number: int, error: str = "") -> list[tuple[Any, Reply]]:
        """Take the engine's answer; return the replies to those who waited for it, each with its sender."""
        answer = self._instrument.shelf.loaded(number, error)
        if answer is None:
            return []
        version, error = answer
        return self._give_up(version.patch.name, error) if error else self._arrive(version)

    def load_again(self) -> None:
        """Ask a new engine for everything, what sounds or is awaited first; it begins where the last journeys were to end."""
        for part in self._instrument.parts.values():
            part.set("travel", 0.0)
        self._instrument.shelf.load_again(self.sounding(), [part.wanted for part in self._instrument.parts.values() if part.wanted])

    def forget(self) -> None:
        """Have the engine drop what no part plays any more; some time after the switch, which the engine may not have seen yet."""
        self._instrument.shelf.forget(self.sounding())

    def sounding(self) -> list[Version]:
        """Return what the parts play."""
        return [part.version for part in self._instrument.parts.values() if part.version]

    def _arrive(self, version: Version) -> list[tuple[Any, Reply]]:
        replies: list[tuple[Any, Reply]] = []
        for part in self._instrument.parts.values():
            if part.wanted == version.patch.name:
                faults = self.take(part, version)
                if part.request is not None:
                    replies.append((part.request.sender, self._done(part)))
                    replies += [(part.request.sender, self._instrument.fail(part.request.address, fault)) for fault in faults]
            elif part.version is not None and part.version.patch.name == version.patch.name and part.version is not version:
                part.reload(version)
        self._instrument.end_journeys()
        return replies

    def _give_up(self, name: str, fault: str) -> list[tuple[Any, Reply]]:
        replies = []
        for part in list(self._instrument.parts.values()):
            if part.wanted != name:
                continue
            part.wanted, part.arrangement = "", None
            if part.request is not None:
                replies.append((part.request.sender, self._instrument.fail(part.request.address, f"the patch {name} cannot be played: {fault}")))
            if part.version is None and part.number > 1:
                self._instrument.close(part)
        return replies
