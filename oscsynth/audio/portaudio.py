"""Sound cards through PortAudio: which one, and the backend whose callback renders.

In the callback: no logging, no files, only counting. ``portaudio_libraries`` has the two libraries that reach PortAudio.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..errors import AudioError
from . import FALLBACK_BLOCK_SAMPLES, AudioSettings, Device
from .portaudio_libraries import API_ORDER, load_library
from .quiet import quiet_stderr

MAX_CHANNELS = 16  # ALSA's "default" claims 128 and has two
NO_DEVICE = "No sound device found: plug one in or start your sound server, or choose one with --device (see `oscsynth devices`)."

Render = Callable[[int], NDArray[np.float32]]


def choose(devices: list[Device], wanted: str | None) -> Device:
    """Return the one device whose label has ``wanted`` in it, or the default one.

    Raises
    ------
    AudioError
        With all devices there are, when none or several fit.
    """
    if wanted is None:
        default = [device for device in devices if device.is_default] or devices[:1]
        if not default:
            raise AudioError(NO_DEVICE)
        return default[0]
    fitting = [device for device in devices if wanted.lower() in device.label.lower()]
    exact = [device for device in fitting if wanted.lower() in (device.name.lower(), device.label.lower())]
    fitting = _of_best_api(exact or fitting)
    if len(fitting) == 1:
        return fitting[0]
    there = "\n".join(f"  {device.label}" for device in fitting or devices) or "  (none)"
    if fitting:
        raise AudioError(f"--device {wanted}: {len(fitting)} devices have that in their name; say more of it:\n{there}")
    raise AudioError(f"--device {wanted}: no sound device has that in its name; there are:\n{there}")


def _of_best_api(devices: list[Device]) -> list[Device]:
    for api in API_ORDER:
        if of_api := [device for device in devices if device.api == api]:
            return of_api
    return devices


class PortAudioBackend:
    """A sound card, opened at once and silent until ``start``.

    Raises
    ------
    AudioError
        When there is no such device, or it does not open: with the reason that the device gave.
    """

    has_time = False

    def __init__(self, render: Render, settings: AudioSettings) -> None:
        self._render = render
        self.underruns = 0
        self.sentence = self.fault = ""
        with quiet_stderr() as talk:
            self._library = load_library()
            try:
                chosen = choose(self._library.devices(), settings.device)
                failure = self._open(chosen, settings)
            except BaseException:
                self._library.close()
                raise
        if failure:
            self._library.close()
            raise AudioError(_cannot_open(chosen, self, failure, talk.reason())) from failure

    def _open(self, chosen: Device, settings: AudioSettings) -> Exception | None:
        self.device, self.api = chosen.name, chosen.api
        self.sample_rate_hz = settings.sample_rate_hz or chosen.default_sample_rate_hz
        # JACK's server decides the size; elsewhere a fixed one keeps the latency the same on every machine.
        self.block_samples = settings.block_samples or (0 if "JACK" in self.api else FALLBACK_BLOCK_SAMPLES)
        n_channels = chosen.output_channels if chosen.output_channels <= MAX_CHANNELS else 2
        self.n_channels = max(n_channels, 2)  # what is rendered
        self._mono = n_channels == 1
        try:
            self._stream = self._library.open(chosen, self.sample_rate_hz, self.block_samples, n_channels, self._fill)
        except Exception as error:  # OSError, ValueError or PortAudioError, as the library likes
            return error
        self.latency_seconds = self._stream.latency_seconds
        return None

    def start(self) -> None:
        """Begin to call ``render``.

        Raises
        ------
        AudioError
            When the device refuses at the last moment.
        """
        try:
            with quiet_stderr():
                self._stream.start()
        except Exception as error:
            raise AudioError(f"The sound device {self.device} [{self.api}] does not start: {error}.") from error

    def _fill(self, n_samples: int, too_late: bool) -> NDArray[np.float32]:
        self.underruns += too_late
        self.block_samples = n_samples
        block = self._render(n_samples)
        return block.mean(axis=1, keepdims=True) if self._mono else block  # (samples, 2) to (samples, 1)

    def is_running(self) -> bool:
        """Return whether PortAudio still calls back; that a server is dead may only show in ``render`` no longer being called."""
        try:
            return self._stream.is_active()
        except Exception:  # what a stream that is gone raises depends on the library
            return False

    def close(self) -> None:
        """Stop the sound. Never returns when the stream's JACK server has died: leave the process instead."""
        self._stream.close()
        self._library.close()


def _cannot_open(chosen: Device, backend: PortAudioBackend, error: Exception, reason: str) -> str:
    asked = f"{backend.sample_rate_hz} Hz" + (f" in blocks of {backend.block_samples}" if backend.block_samples else "")
    why = next((part for part in error.args if isinstance(part, str)), str(error))
    return f"The sound device {chosen.label} does not open at {asked}: {why}{f' ({reason})' if reason else ''}."
