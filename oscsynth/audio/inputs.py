"""Sound inputs: a device through PortAudio, or a file that stands for one. Each fills what the renderer takes from.

The stream is one of its own beside the output's: a microphone on another card will do, and one that does not open leaves the output alone.
In its callback: copying and counting.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import AudioError
from . import FALLBACK_BLOCK_SAMPLES, Device
from .intake import Intake
from .portaudio_libraries import load_library
from .quiet import quiet_stderr

Samples = NDArray[np.float32]

DEFAULT = "default"
NO_INPUT = (
    "No sound input found: plug one in, or choose one with --input (see `oscsynth devices`). What listens hears silence; everything else plays."
)


class Input(Protocol):
    """What is listened to."""

    name: str
    latency_seconds: float

    def take(self, n_samples: int) -> Samples:
        """Return the next samples, float32 (n_samples, 2); never waits."""

    def is_running(self) -> bool:
        """Return whether it still hears."""


class PortAudioInput:
    """A sound input, opened and hearing at once.

    Raises
    ------
    AudioError
        When there is none, or it does not open: with the reason that the device gave.
    """

    def __init__(self, wanted: str, sample_rate_hz: int, block_samples: int | None) -> None:
        self._intake = Intake()
        self.take = self._intake.take
        with quiet_stderr() as talk:
            self._library = load_library()
            try:
                chosen = choose_input(self._library.inputs(), wanted)
                self.name = chosen.label
                block = block_samples or (0 if "JACK" in chosen.api else FALLBACK_BLOCK_SAMPLES)
                n_channels = min(chosen.input_channels, 2)
                self._stream = self._library.open_input(chosen, sample_rate_hz, block, n_channels, self._intake.put)
                self._stream.start()
            except AudioError:
                self._library.close()
                raise
            except Exception as error:  # OSError, ValueError or PortAudioError, as the library likes
                self._library.close()
                why = next((part for part in error.args if isinstance(part, str)), str(error))
                reason = talk.reason()
                said = f"{why}{f' ({reason})' if reason else ''}"
                raise AudioError(
                    f"The sound input {chosen.label} does not open at {sample_rate_hz} Hz: {said}. What listens hears silence; everything else plays."
                ) from error
        self.latency_seconds = self._stream.latency_seconds

    def is_running(self) -> bool:
        """Return whether PortAudio still calls back."""
        try:
            return self._stream.is_active()
        except Exception:  # what a stream that is gone raises depends on the library
            return False

    def close(self) -> None:
        """Hear no more; never returns when the stream's JACK server has died: leave the process instead."""
        self._stream.close()
        self._library.close()


class FileInput:
    """A sound that is already in memory, as if an input heard it now; silence after its end.

    Parameters
    ----------
    samples : float32 (samples, 1 or 2)
        At the engine's rate.
    """

    def __init__(self, name: str, samples: Samples) -> None:
        self.name, self.latency_seconds = name, 0.0
        self._samples, self._at = samples, 0

    def take(self, n_samples: int) -> Samples:
        """Return the next samples, float32 (n_samples, 2)."""
        block = np.zeros((n_samples, 2), np.float32)
        here = self._samples[self._at : self._at + n_samples]
        block[: len(here)] = here
        self._at += n_samples
        return block

    def is_running(self) -> bool:
        """Return True: a file does not go away."""
        return True


def choose_input(inputs: list[Device], wanted: str) -> Device:
    """Return the one input whose label has ``wanted`` in it, or the default one.

    Raises
    ------
    AudioError
        With all inputs there are, when none or several fit.
    """
    if wanted == DEFAULT:
        found = [device for device in inputs if device.is_default] or inputs[:1]
        if not found:
            raise AudioError(NO_INPUT)
        return found[0]
    fitting = [device for device in inputs if wanted.lower() in device.label.lower()]
    exact = [device for device in fitting if wanted.lower() in (device.name.lower(), device.label.lower())]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    there = "\n".join(f"  {device.label}" for device in fitting or inputs) or "  (none)"
    if fitting:
        raise AudioError(f"--input {wanted}: {len(fitting)} inputs have that in their name; say more of it:\n{there}")
    raise AudioError(f"--input {wanted}: no sound input has that in its name; what listens hears silence. There are:\n{there}")
