"""Where recordings are made, as control sees it: names files, has the parent start and stop the recorder, and hears how it went.

Control process, one thread; imports ``tap``. What is being recorded lies in the tap, so a control that is started again knows of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .control.instrument import Instrument
from .control.row import Refused, Reply
from .tap import Order, Recording, Tap

SUFFIXES = (".wav", ".flac")
START_SECONDS = 10.0  # a recorder that says nothing so long never will
_NAME = re.compile(r"[^/\\:*?\"<>|\x00-\x1f]{1,200}")

Tell = Callable[[dict[str, Any]], None]


class RecordingStudio:
    """Makes one recording at a time.

    Parameters
    ----------
    tap : Tap
        Where the sound is, and where the recorder says how it fares.
    folder : Path
        Where recordings go; made when it is needed.
    tell : callable
        Takes an event for the parent.
    """

    def __init__(self, instrument: Instrument, tap: Tap, folder: Path, tell: Tell) -> None:
        self._instrument, self._tap, self._folder, self._tell = instrument, tap, folder, tell
        found = tap.recording()
        self.path = found.path if found.state == "on" else ""
        self._number = found.number
        self._begun_seconds = time.monotonic()
        self._asked: dict[Any, str] = {}  # who is told how it ended, and with which address they asked last

    def start(self, name: str) -> str:
        """Begin with this sample; see `control.recording.Studio`."""
        path = self._place(name)
        stream = self._tap.stream()
        if not stream.generation:
            raise Refused("there is no sound yet: try again in a moment")
        self._number = max(self._number, self._tap.recording().number) + 1
        self._begun_seconds = time.monotonic()
        self._asked = {}
        self._ask()
        self.path = str(path)
        order = Order(self._number, self.path, stream.generation, stream.written_samples)
        self._tell({"event": "record", "order": order, "sentence": f"Recording into {path}."})
        return self.path

    def stop(self) -> None:
        """End with this sample."""
        stream = self._tap.stream()
        self._ask()
        self._tell({"event": "record", "until": (stream.generation, stream.written_samples)})

    def _ask(self) -> None:
        request = self._instrument.request()
        self._asked[request.sender] = request.address

    def _place(self, name: str) -> Path:
        """Return a file that does not exist yet."""
        name = name or time.strftime("oscsynth-%Y-%m-%d-%H%M%S.wav")
        if not Path(name).suffix:
            name += ".wav"
        if not _NAME.fullmatch(name) or Path(name).suffix.lower() not in SUFFIXES or name.startswith("."):
            raise Refused(f"a recording has the name of a file, ending in .wav or .flac, without a folder; not {name[:60]!r}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"{self._folder}: the folder for recordings cannot be made: {error.strerror}") from error
        path, number = self._folder / name, 1
        while any(path.with_suffix(suffix).exists() for suffix in SUFFIXES):
            number += 1
            path = self._folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        return path

    def look(self) -> tuple[list[tuple[Any, Reply]], str]:
        """Return the replies to those who wait for the end of a recording, each with its sender, and a sentence for the screen."""
        if not self.path:
            return [], ""
        found = self._tap.recording()
        if found.number != self._number or found.state == "on":
            if found.number != self._number and time.monotonic() - self._begun_seconds > START_SECONDS:
                found = Recording(self._number, "failed", self.path, sentence="the recorder does not start")
            else:
                self.path = found.path if found.number == self._number else self.path
                return [], ""
        self.path = ""
        self._instrument.part_changed(self._instrument.whole)  # so that everybody is told
        asked, self._asked = self._asked, {}
        if found.state == "done":
            said = f"Recorded {found.seconds:.1f} s: {found.path}" + (f" ({found.sentence})" if found.sentence else "") + "."
            return [(sender, Reply(f"{self._instrument.prefix}/done", (address, found.path))) for sender, address in asked.items()], said
        sentence = f"the recording ended: {found.sentence}; what was written stays"
        return [(sender, self._instrument.fail(address, sentence)) for sender, address in asked.items()], f"T{sentence[1:]}."


def recordings_folder() -> Path:
    """Return the user's folder for recordings."""
    import platformdirs

    return platformdirs.user_music_path() / "oscsynth"
