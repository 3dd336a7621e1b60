"""PortAudio through PyAudio, or through sounddevice where PyAudio cannot be imported.

The two differ in three calls; each is a small class with the same three methods. Everything that calls a sample per channel a "frame" is
PortAudio's own name.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import AudioError
from . import Device
from .quiet import quiet_stderr

# On Windows every card appears once for each API: the one with the least latency first.
API_ORDER: tuple[str, ...] = ("ASIO", "Windows WASAPI") if sys.platform == "win32" else ()
NO_LIBRARY = "PortAudio cannot be used ({}): install libportaudio2, and `pip install sounddevice` or PyAudio."

Hear = Callable[[NDArray[np.float32]], None]  # takes what was heard, (samples, channels)
Fill = Callable[[int, bool], NDArray[np.float32]]  # samples wanted, whether the ones before came too late; what to play


class Stream(Protocol):
    """What is used of a stream."""

    latency_seconds: float

    def start(self) -> None:
        """Begin to call back."""

    def is_active(self) -> bool:
        """Return whether PortAudio calls back."""

    def close(self) -> None:
        """Stop, and let the device go."""


class Library(Protocol):
    """What the two libraries have in common."""

    def devices(self) -> list[Device]:
        """Return every output, in PortAudio's order."""

    def inputs(self) -> list[Device]:
        """Return every input, in PortAudio's order."""

    def open_input(self, device: Device, sample_rate_hz: int, block_samples: int, n_channels: int, hear: Hear) -> Stream:
        """Open a stream that hears, and is not running yet."""

    def open(self, device: Device, sample_rate_hz: int, block_samples: int, n_channels: int, fill: Fill) -> Stream:
        """Open a stream that is not running yet; 0 leaves the block size to the device."""

    def close(self) -> None:
        """End PortAudio."""


class _KeptThread:
    """What keeps the interpreter's record of a thread that is not its own, as long as the thread lives.

    PyAudio has it made anew at each call of the callback, and thrown away after it: a page that the system hands out and takes back each time.
    """

    def __init__(self) -> None:
        self._thread_id = 0

    def __call__(self) -> None:
        """Keep the record of the thread that calls."""
        if self._thread_id != (thread_id := threading.get_ident()):
            self._thread_id = thread_id
            # Ensured once more than PyAudio releases it.
            ctypes.pythonapi.PyGILState_Ensure()


class PyAudioLibrary:
    """PortAudio through PyAudio."""

    def __init__(self) -> None:
        import pyaudio

        self._module = pyaudio
        self._portaudio = pyaudio.PyAudio()

    def devices(self) -> list[Device]:
        """Return every output, in PortAudio's order."""
        return self._listed("Output", self._portaudio.get_default_output_device_info)

    def inputs(self) -> list[Device]:
        """Return every input, in PortAudio's order."""
        return self._listed("Input", self._portaudio.get_default_input_device_info)

    def _listed(self, way: str, find_default: Callable[[], Any]) -> list[Device]:
        portaudio = self._portaudio
        apis = [portaudio.get_host_api_info_by_index(i) for i in range(portaudio.get_host_api_count())]
        rows = [portaudio.get_device_info_by_index(i) for i in range(portaudio.get_device_count())]
        try:
            default: int = find_default()["index"]
        except OSError:  # there is none
            default = -1
        default = _default_index([(api["name"], api[f"default{way}Device"]) for api in apis], default)
        return [
            Device(
                index=row["index"],
                name=row["name"],
                api=apis[row["hostApi"]]["name"],
                output_channels=row["maxOutputChannels"],
                default_sample_rate_hz=round(row["defaultSampleRate"]),
                latency_seconds=row[f"defaultLow{way}Latency"],
                is_default=row["index"] == default,
                input_channels=row["maxInputChannels"],
            )
            for row in rows
            if row[f"max{way}Channels"] > 0
        ]

    def open_input(self, device: Device, sample_rate_hz: int, block_samples: int, n_channels: int, hear: Hear) -> Stream:
        """Open a stream that hears, and is not running yet."""
        go_on, keep_thread = self._module.paContinue, _KeptThread()

        def callback(heard: bytes, frame_count: int, _times: object, status: int) -> tuple[None, int]:
            keep_thread()
            hear(np.frombuffer(heard, np.float32).reshape(-1, n_channels))
            return None, go_on

        stream = self._portaudio.open(
            rate=sample_rate_hz,
            channels=n_channels,
            format=self._module.paFloat32,
            input=True,
            input_device_index=device.index,
            frames_per_buffer=block_samples,
            start=False,
            stream_callback=callback,
        )
        return _PyAudioStream(stream, stream.get_input_latency())

    def open(self, device: Device, sample_rate_hz: int, block_samples: int, n_channels: int, fill: Fill) -> Stream:
        """Open a stream that is not running yet."""
        too_late, go_on, keep_thread = self._module.paOutputUnderflow, self._module.paContinue, _KeptThread()

        def callback(_input: object, frame_count: int, _times: object, status: int) -> tuple[bytes, int]:
            keep_thread()
            return fill(frame_count, bool(status & too_late)).tobytes(), go_on

        stream = self._portaudio.open(
            rate=sample_rate_hz,
            channels=n_channels,
            format=self._module.paFloat32,
            output=True,
            output_device_index=device.index,
            frames_per_buffer=block_samples,
            start=False,
            stream_callback=callback,
        )
        return _PyAudioStream(stream, stream.get_output_latency())

    def close(self) -> None:
        """End PortAudio."""
        self._portaudio.terminate()


class _PyAudioStream:
    def __init__(self, stream: Any, latency_seconds: float) -> None:
        self._stream = stream
        self.latency_seconds = latency_seconds
        self.start, self.is_active, self.close = stream.start_stream, stream.is_active, stream.close


class SoundDeviceLibrary:
    """PortAudio through sounddevice."""

    _open = 0  # how many there are: the output's, and the input's beside it

    def __init__(self) -> None:
        import sounddevice

        self._module = sounddevice
        # The import begins PortAudio, and only a new beginning sees a device that came later: hence this, and the end in close.
        if sounddevice._initialized <= SoundDeviceLibrary._open:
            sounddevice._initialize()
        SoundDeviceLibrary._open += 1

    def devices(self) -> list[Device]:
        """Return every output, in PortAudio's order."""
        return self._listed("output")

    def inputs(self) -> list[Device]:
        """Return every input, in PortAudio's order."""
        return self._listed("input")

    def _listed(self, way: str) -> list[Device]:
        apis, key = self._module.query_hostapis(), f"default_{way}_device"
        default = _default_index([(api["name"], api[key]) for api in apis], self._module.default.device[way])
        if default < 0:
            default = next((api[key] for api in apis if api[key] >= 0), -1)
        return [
            Device(
                index=row["index"],
                name=row["name"],
                api=apis[row["hostapi"]]["name"],
                output_channels=row["max_output_channels"],
                default_sample_rate_hz=round(row["default_samplerate"]),
                latency_seconds=row[f"default_low_{way}_latency"],
                is_default=row["index"] == default,
                input_channels=row["max_input_channels"],
            )
            for row in self._module.query_devices()
            if row[f"max_{way}_channels"] > 0
        ]

    def open_input(self, device: Device, sample_rate_hz: int, block_samples: int, n_channels: int, hear: Hear) -> Stream:
        """Open a stream that hears, and is not running yet."""

        def callback(heard: Any, frame_count: int, _times: object, status: Any) -> None:
            hear(np.frombuffer(heard, np.float32).reshape(-1, n_channels))

        stream = self._module.RawInputStream(
            samplerate=sample_rate_hz,
            blocksize=block_samples,
            device=device.index,
            channels=n_channels,
            dtype="float32",
            latency="low",
            callback=callback,
        )
        return _SoundDeviceStream(stream)

    def open(self, device: Device, sample_rate_hz: int, block_samples: int, n_channels: int, fill: Fill) -> Stream:
        """Open a stream that is not running yet."""

        def callback(out: Any, frame_count: int, _times: object, status: Any) -> None:
            out[:] = fill(frame_count, bool(status.output_underflow)).data.cast("B")

        stream = self._module.RawOutputStream(
            samplerate=sample_rate_hz,
            blocksize=block_samples,
            device=device.index,
            channels=n_channels,
            dtype="float32",
            latency="low",
            callback=callback,
        )
        return _SoundDeviceStream(stream)

    def close(self) -> None:
        """End PortAudio, for the last one who uses it."""
        SoundDeviceLibrary._open -= 1
        self._module._terminate()


class _SoundDeviceStream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.latency_seconds: float = stream.latency
        self.start, self.close = stream.start, stream.close

    def is_active(self) -> bool:
        return bool(self._stream.active)


LIBRARIES: tuple[Callable[[], Library], ...] = (PyAudioLibrary, SoundDeviceLibrary)


def load_library() -> Library:
    """Return the first library that can be used, with PortAudio begun; it prints to file descriptor 2.

    Raises
    ------
    AudioError
        When there is none.
    """
    for load in LIBRARIES:
        try:
            return load()
        except (ImportError, OSError) as error:  # not installed, or installed without PortAudio itself
            why = error
    raise AudioError(NO_LIBRARY.format(why))


@contextlib.contextmanager
def open_library() -> Iterator[Library]:
    """Give PortAudio for the time of a ``with`` block, silently; raises as `load_library`."""
    with quiet_stderr():
        library = load_library()
        try:
            yield library
        finally:
            library.close()


def _default_index(api_defaults: list[tuple[str, int]], default: int) -> int:
    """Return the default device of the first API in `API_ORDER` that has one, otherwise PortAudio's own."""
    preferred = [index for api in API_ORDER for name, index in api_defaults if name == api and index >= 0]
    return preferred[0] if preferred else default
