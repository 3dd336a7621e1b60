"""A backend that is a WAV file: in step with the clock in ``serve``, as fast as it goes offline.

Whoever is killed leaves a file that opens: the sizes in the header, which libsndfile writes only on closing, are put right four times a second.
Runs in the paced thread of ``null`` (or in the caller's, offline). Imports the shapes of ``audio`` and ``errors``.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..errors import AudioError
from . import AudioSettings, free_name
from .null import NullBackend

Subtype = Literal["PCM_24", "FLOAT"]
HEADER_EVERY_SECONDS = 0.25
MAX_GAP_SECONDS = 30.0  # silence written for the time between two engines, at most
MAX_BYTES = 2**32 - 2**20  # what the 32-bit sizes of a WAV can say, with room for the header


class WaveWriter:
    """A WAV file that grows, and can be opened at any moment.

    Parameters
    ----------
    path : Path
        Where; overwritten unless ``append``.
    sample_rate_hz, n_channels : int
        Of the file.
    subtype : str
        24-bit integers or 32-bit floats.
    append : bool
        Continue the file that a killed process left, with silence for the time since; one that does not fit gets a new name.

    Raises
    ------
    AudioError
        When it cannot be written.
    """

    def __init__(self, path: Path, sample_rate_hz: int, n_channels: int = 2, subtype: Subtype = "PCM_24", append: bool = False) -> None:
        self._first = self.path = path
        self.sample_rate_hz, self.n_channels, self._subtype = sample_rate_hz, n_channels, subtype
        self._sample_bytes = n_channels * (3 if subtype == "PCM_24" else 4)
        self._open(append and path.exists() and path.stat().st_size > 0)

    def _open(self, append: bool) -> None:
        gap_seconds = time.time() - self.path.stat().st_mtime if append else 0.0
        try:
            if append:
                repair(self.path)
            self._file = self._continue() if append else self._create()
        except (OSError, soundfile.LibsndfileError) as error:
            raise AudioError(f"{self.path} cannot be written: {why(error, self.path)}") from error
        self._header = Header(self.path)
        self._next_seconds = 0.0
        gap = round(min(max(gap_seconds, 0.0), MAX_GAP_SECONDS) * self.sample_rate_hz)
        self.write(np.zeros((gap, self.n_channels), np.float32))

    def _create(self) -> soundfile.SoundFile:
        return soundfile.SoundFile(self.path, "w", self.sample_rate_hz, self.n_channels, self._subtype, format="WAV")

    def _continue(self) -> soundfile.SoundFile:
        file = soundfile.SoundFile(self.path, "r+")
        if (file.samplerate, file.channels, file.subtype) == (self.sample_rate_hz, self.n_channels, self._subtype):
            file.seek(0, soundfile.SEEK_END)
            return file
        file.close()
        self.path = free_name(self._first)
        return self._create()

    def write(self, block: NDArray[np.float32]) -> None:
        """Write float32 (samples, channels).

        Raises
        ------
        OSError
            When the disk is full or gone; the message names the file.
        """
        try:
            if self._file.tell() * self._sample_bytes + block.nbytes > MAX_BYTES:
                self.close()
                self.path = free_name(self._first)
                self._open(append=False)
            self._file.write(block)
            if time.monotonic() >= self._next_seconds:
                self._next_seconds = time.monotonic() + HEADER_EVERY_SECONDS
                self._header.update()
        except (OSError, soundfile.LibsndfileError, AudioError) as error:
            raise OSError(f"{self.path} cannot be written any further: {why(error, self.path)}") from error

    def close(self) -> None:
        """Write what is left and the final header."""
        self._file.close()
        self._header.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Header:
    """The places in a WAV file that say how long it is."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "r+b", buffering=0)
        self._fact_at = self._data_at = 0
        self._block_bytes = 1
        at = 12  # after RIFF, the size, WAVE
        while not self._data_at and self._file.seek(at) and len(chunk := self._file.read(24)) >= 8:
            name, size = struct.unpack_from("<4sI", chunk)
            if name == b"fmt ":
                self._block_bytes = struct.unpack_from("<H", chunk, 20)[0]
            elif name == b"fact":
                self._fact_at = at + 8
            elif name == b"data":
                self._data_at = at + 8
            at += 8 + size + size % 2

    def update(self) -> int:
        """Write the sizes that the file has now, and return its samples."""
        size = os.fstat(self._file.fileno()).st_size
        samples = (size - self._data_at) // self._block_bytes if self._data_at else 0
        for at, value in ((4, size - 8), (self._data_at - 4, samples * self._block_bytes), (self._fact_at, samples)):
            if at > 0:
                self._file.seek(at)
                self._file.write(struct.pack("<I", value))
        return samples

    def truncate(self) -> None:
        """Cut off a sample that was only half written."""
        self._file.truncate(self._data_at + self.update() * self._block_bytes)
        self.update()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def repair(path: Path) -> None:
    """Make the header of a WAV file that was cut short say what is really there."""
    header = Header(path)
    header.truncate()
    header.close()


def why(error: Exception, path: Path) -> str:
    """Return why a sound file could not be written, in words that help."""
    if isinstance(error, AudioError):
        return str(error)
    if getattr(error, "code", 0) == 2:  # libsndfile's "System error" says no more
        folder = path.absolute().parent
        if not folder.is_dir():
            return "there is no such folder"
        return "the disk may be full" if os.access(folder, os.W_OK) else "nobody may write into that folder"
    return getattr(error, "strerror", None) or getattr(error, "error_string", "").strip() or str(error)


class WaveBackend(NullBackend):
    """Writes the sound into a file, in step with the clock."""

    def __init__(self, audio: str, render: Callable[[int], NDArray[np.float32]], settings: AudioSettings) -> None:
        super().__init__(render, settings, deliver=self._write)
        self.device, self.api = audio, "WAV file"
        self._writer = WaveWriter(Path(audio), self.sample_rate_hz, self.n_channels, append=settings.append)
        if settings.append:
            self.sentence = f"The recording goes on in {self._writer.path}."

    def _write(self, block: NDArray[np.float32]) -> None:
        self._writer.write(block)

    def close(self) -> None:
        """Stop, and close the file."""
        super().close()
        self._writer.close()
