"""Where the sound goes: what a backend is, the table of those there are, and how one is chosen.

A backend calls ``render(n_samples)`` wherever it needs the next samples (PortAudio inside its own callback) and gets float32
(samples, channels), C-contiguous. Opening one says its sample rate; nothing is rendered before ``start``. This module imports no NumPy,
so that the parent process can name backends without holding one. A new backend is one file and one row of ``BACKENDS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Render = Callable[[int], NDArray[np.float32]]

FALLBACK_RATE_HZ = 44100  # where no device has one of its own
FALLBACK_BLOCK_SAMPLES = 256


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """How to open a backend; ``None`` leaves it to the device.

    ``device`` is a part of a name, ``render_ahead`` the number of blocks rendered before they are needed, ``append`` continues a WAV file
    that an engine before this one has begun. ``input`` is a part of an input's name, ``default``, or a sound file that stands for one; ``None``:
    nothing is listened to.
    """

    sample_rate_hz: int | None = None
    block_samples: int | None = None
    device: str | None = None
    render_ahead: int = 0
    append: bool = False
    input: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """One output or input that PortAudio sees."""

    index: int
    name: str
    api: str
    output_channels: int
    default_sample_rate_hz: int
    latency_seconds: float
    is_default: bool
    input_channels: int = 0

    @property
    def label(self) -> str:
        """What ``--device`` looks for a part of: the name and the API."""
        return f"{self.name} [{self.api}]"


class Backend(Protocol):
    """A running output.

    ``has_time`` says that nothing is lost where a block comes late. ``underruns`` only counts up; ``sentence`` is what the user should know once,
    ``fault`` says why samples no longer arrive anywhere; both are empty when all is well. ``block_samples`` is 0 until a device that chooses it
    itself has asked for the first one.
    """

    @property
    def device(self) -> str: ...  # noqa: D102
    @property
    def api(self) -> str: ...  # noqa: D102
    @property
    def sample_rate_hz(self) -> int: ...  # noqa: D102
    @property
    def block_samples(self) -> int: ...  # noqa: D102
    @property
    def n_channels(self) -> int: ...  # noqa: D102
    @property
    def has_time(self) -> bool: ...  # noqa: D102
    @property
    def latency_seconds(self) -> float: ...  # noqa: D102
    @property
    def underruns(self) -> int: ...  # noqa: D102
    @property
    def sentence(self) -> str: ...  # noqa: D102
    @property
    def fault(self) -> str: ...  # noqa: D102

    def start(self) -> None:
        """Begin to call ``render``."""

    def is_running(self) -> bool:
        """Return whether the device still takes samples, as far as it knows itself."""

    def close(self) -> None:
        """Stop calling ``render`` and let the device or file go."""


def _open_portaudio(audio: str, render: Render, settings: AudioSettings) -> Backend:
    from .portaudio import PortAudioBackend

    return PortAudioBackend(render, settings)


def _open_null(audio: str, render: Render, settings: AudioSettings) -> Backend:
    from .null import NullBackend

    return NullBackend(render, settings)


def _open_wave(audio: str, render: Render, settings: AudioSettings) -> Backend:
    from .wavefile import WaveBackend

    return WaveBackend(audio, render, settings)


def _open_auto(audio: str, render: Render, settings: AudioSettings) -> Backend:
    try:
        return _open_portaudio(audio, render, settings)
    except AudioError as error:
        if settings.device is not None:
            raise
        from .null import NullBackend

        backend = NullBackend(render, settings)
        backend.sentence = f"{error} Running silently; OSC works."
        return backend


BACKENDS: dict[str, Callable[[str, Render, AudioSettings], Backend]] = {
    "auto": _open_auto,
    "portaudio": _open_portaudio,
    "null": _open_null,
    ".wav": _open_wave,
}


def open_backend(audio: str, render: Render, settings: AudioSettings) -> Backend:
    """Open what ``--audio`` names: ``auto``, ``portaudio``, ``null`` or a file that ends in ``.wav``.

    Parameters
    ----------
    audio : str
        One of the names, or a path.
    render : callable
        Takes a number of samples, returns float32 (samples, channels); called after ``start`` only, from the backend's thread.
    settings : AudioSettings
        Rate, block size, device.

    Raises
    ------
    AudioError
        When the name is none of those, the device is not found or does not open, the file cannot be written.
    """
    loader = BACKENDS.get(kind(audio))
    if loader is None:
        raise AudioError(f"--audio {audio}: use auto, portaudio, null, or a file whose name ends in .wav")
    if not settings.render_ahead:
        return loader(audio, render, settings)
    from .ahead import RenderAhead

    ahead = RenderAhead(render, settings.render_ahead, settings.block_samples or FALLBACK_BLOCK_SAMPLES)
    ahead.attach(loader(audio, ahead.take, settings))
    return ahead


def kind(audio: str) -> str:
    """Return the row of ``BACKENDS`` that a value of ``--audio`` means (there may be no such row)."""
    return ".wav" if audio.lower().endswith(".wav") else audio


def free_name(path: Path) -> Path:
    """Return the path, or the first of FILE-2.wav, FILE-3.wav ... that does not exist yet: no take is ever overwritten."""
    names = (path.with_stem(f"{path.stem}-{number}") for number in range(2, 10_000))
    return path if not path.exists() else next(name for name in names if not name.exists())


def devices() -> list[Device]:
    """Return the outputs that PortAudio sees, in its order; empty where there are none.

    Raises
    ------
    AudioError
        When neither PyAudio nor sounddevice can be used.
    """
    from .portaudio_libraries import open_library

    with open_library() as library:
        return library.devices()


def input_devices() -> list[Device]:
    """Return the inputs that PortAudio sees, in its order; empty where there are none.

    Raises
    ------
    AudioError
        When neither PyAudio nor sounddevice can be used.
    """
    from .portaudio_libraries import open_library

    with open_library() as library:
        return library.inputs()
