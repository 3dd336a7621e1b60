"""The recorder process: what was heard, from the tap into a file. The parent starts it when a recording begins; it ends with the recording.

A recording is a WAV file that opens at any moment, whoever is killed; one whose name ends in ``.flac`` becomes that when it ends. Imports ``tap``
and the WAV writer of ``audio``; a disk that is slow or full holds up nobody else.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import soundfile

from .audio.wavefile import WaveWriter, repair
from .errors import AudioError
from .real_time import take_it_easy
from .tap import Order, Recording, Stream, Tap, TooLate

LOOK_EVERY_SECONDS = 0.05
TELL_EVERY_SECONDS = 0.25
MAX_SILENCE_SECONDS = 30.0  # between two engines; longer ones are cut
_CHUNK_SECONDS = 1.0


class Recorder:
    """Follows the tap and writes; `finish` closes the file.

    Raises
    ------
    AudioError
        When the file cannot be made.
    """

    def __init__(self, tap: Tap, order: Order, again: bool = False) -> None:
        self._tap, self._order = tap, order
        self._final = Path(order.path)
        self._stream = _sounding(tap)
        self._at = order.first_sample if self._stream.generation == order.generation else 0
        self._lost_samples = 0
        # Until it ends it is a WAV: a FLAC that is cut short does not open.
        self._writer = WaveWriter(self._final.with_suffix(".wav"), self._stream.sample_rate_hz, self._stream.n_channels, append=again)
        if again:  # the one before was killed: silence stands for what it missed
            self._at = self._stream.written_samples
        self._written = 0

    @property
    def path(self) -> Path:
        """What is being written: a WAV file, whatever it will be in the end."""
        return self._writer.path

    @property
    def seconds(self) -> float:
        """Written so far by this process."""
        return self._written / self._stream.sample_rate_hz

    def follow(self, until: tuple[int, int] | None = None) -> bool:
        """Write what there is, up to a sample of a stream; return whether that was reached.

        Raises
        ------
        OSError, AudioError
            When it cannot be written any further.
        """
        stream = self._tap.stream()
        if stream.generation != self._stream.generation and stream.generation:
            if until is not None and until[0] != stream.generation:
                return True
            self._change_to(stream)
        end = until[1] if until is not None and until[0] == self._stream.generation else stream.written_samples
        while self._at < end:
            try:
                data = self._tap.read(self._stream, self._at, min(end - self._at, round(_CHUNK_SECONDS * self._stream.sample_rate_hz)))
            except TooLate:
                self._skip()
                return False
            if not data:
                return False
            self._write(np.frombuffer(data, np.float32).reshape(-1, self._stream.n_channels))  # (samples, channels)
            self._at += len(data) // (4 * self._stream.n_channels)
        return until is not None

    def _write(self, block: np.ndarray) -> None:
        self._writer.write(block)
        self._written += len(block)

    def _skip(self) -> None:
        """Go on after a stretch that nobody wrote down in time, with silence in its place."""
        stream = self._tap.stream()
        if stream.generation == self._stream.generation:
            lost = stream.written_samples - self._at
            self._lost_samples += lost
            self._at += lost
            self._write(np.zeros((lost, stream.n_channels), np.float32))

    def _change_to(self, stream: Stream) -> None:
        """Go on with the sound of another engine, with silence for the time between them."""
        old = self._stream
        if (stream.sample_rate_hz, stream.n_channels) != (old.sample_rate_hz, old.n_channels):
            raise AudioError(f"the new sound has {stream.sample_rate_hz} Hz and {stream.n_channels} channels: begin another recording")
        with suppress(TooLate):
            rest = self._tap.read(old, self._at, old.capacity_samples)
            self._write(np.frombuffer(rest, np.float32).reshape(-1, old.n_channels))
        ended_seconds = old.begun_seconds + self._at / old.sample_rate_hz
        gap_seconds = min(max(0.0, stream.begun_seconds - ended_seconds), MAX_SILENCE_SECONDS)
        self._write(np.zeros((round(gap_seconds * old.sample_rate_hz), old.n_channels), np.float32))
        self._stream, self._at = stream, 0

    def finish(self) -> tuple[Path, str]:
        """Close the file and make what was asked for of it; return it, and what there is to say.

        Raises
        ------
        OSError
            When the end cannot be written; what was written stays.
        """
        self._writer.close()
        path = self._writer.path
        lost_seconds = self._lost_samples / self._stream.sample_rate_hz
        sentence = f"{lost_seconds:.1f} s could not be written in time and are silent" if lost_seconds else ""
        if self._final.suffix.lower() == ".flac" and path == self._final.with_suffix(".wav"):
            path = _to_flac(path, self._final)
        return path, sentence


def _sounding(tap: Tap) -> Stream:
    """Return the stream; waits a moment for an engine that is just being started."""
    until = time.monotonic() + 5.0
    while not (stream := tap.stream()).generation:
        if time.monotonic() > until:
            raise AudioError("there is no sound to record")
        time.sleep(LOOK_EVERY_SECONDS)
    return stream


def _to_flac(wav: Path, flac: Path) -> Path:
    """Return the FLAC file made of a WAV, which is then gone; the WAV where there is no room for both."""
    try:
        with soundfile.SoundFile(wav) as source:
            rate, channels = source.samplerate, source.channels
            with soundfile.SoundFile(flac, "w", rate, channels, "PCM_24", format="FLAC") as target:
                for block in source.blocks(2**16, dtype="int32"):
                    target.write(block)
    except (OSError, soundfile.LibsndfileError):
        flac.unlink(missing_ok=True)
        return wav
    wav.unlink()
    return flac


def main(tap_path: str, order: Order, events: Connection, again: bool = False) -> None:
    """Record until told to stop.

    Parameters
    ----------
    tap_path : str
        Of the `Tap`.
    order : Order
        What to record.
    events : Connection
        The generation and the sample at which to end come in; its end means now.
    again : bool
        Go on with the file of one that was killed.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent says when
    take_it_easy()
    tap = Tap(Path(tap_path))
    recording = Recording(order.number, "on", order.path)
    before_seconds = tap.recording().seconds if again else 0.0
    try:
        recorder = Recorder(tap, order, again)
        recording = replace(recording, path=str(recorder.path))
        until, told_seconds = None, 0.0
        while not recorder.follow(until):
            if time.monotonic() - told_seconds > TELL_EVERY_SECONDS:
                told_seconds = time.monotonic()
                tap.tell(replace(recording, seconds=before_seconds + recorder.seconds))
            until = _heard(events, until, tap)
        path, sentence = recorder.finish()
        tap.tell(replace(recording, state="done", path=str(path), seconds=before_seconds + recorder.seconds, sentence=sentence))
    except (OSError, AudioError) as error:
        with suppress(OSError, AudioError):
            repair(Path(recording.path).with_suffix(".wav"))
        tap.tell(replace(recording, state="failed", seconds=tap.recording().seconds, sentence=str(error)))


def _heard(events: Connection, until: tuple[int, int] | None, tap: Tap) -> tuple[int, int] | None:
    try:
        if events.poll(LOOK_EVERY_SECONDS):
            return events.recv()  # type: ignore[no-any-return]
    except (EOFError, OSError):  # the parent is gone: so will the sound be
        stream = tap.stream()
        return stream.generation, stream.written_samples
    return until
