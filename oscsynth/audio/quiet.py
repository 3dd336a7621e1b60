"""Keep what PortAudio, ALSA and JACK print at start out of the terminal.

They write straight to file descriptor 2, so that is what moves. Any thread may use it, one at a time; plain Python.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

# Lines that say why a device does not open; all others are talk (ALSA alone prints forty for a machine without a sound card).
_TELLING = ("busy", "denied", "not permitted", "no such device", "sample rate", "samplerate")
_TALK_BYTES = 65536  # the last of it is kept


class Talk:
    """What the libraries have printed so far."""

    def __init__(self) -> None:
        self.text = ""

    def reason(self) -> str:
        """Return the last line that says why something failed, or an empty text."""
        telling = [line.strip() for line in self.text.splitlines() if any(word in line.lower() for word in _TELLING)]
        return telling[-1] if telling else ""


@contextlib.contextmanager
def quiet_stderr() -> Iterator[Talk]:
    """Send what is written to file descriptor 2 into a file for the time of a ``with`` block, and give it back afterwards as text."""
    talk = Talk()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        terminal = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield talk
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TALK_BYTES))
            talk.text = file.read().decode(errors="replace")


def hush_stderr() -> None:
    """Let only Python write to the terminal from now on: JACK's threads go on talking as long as they live."""
    terminal = os.dup(2)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, errors="backslashreplace")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
