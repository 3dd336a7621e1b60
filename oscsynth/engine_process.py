"""The engine process: opens the audio, renders in its callback, loads patches on a thread of their own.

Threads: the backend's (`renderer`; opens no file, socket or log), the loader's (`loader`; may be slow), and the main one, which watches both
(`engine_watch`). Imports ``audio``, ``sound`` and ``link``; knows no OSC and no YAML.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio import AudioSettings, Backend, kind, open_backend
from .audio.quiet import hush_stderr
from .engine_input import open_input
from .engine_watch import Watch
from .errors import AudioError, told
from .link import EXIT_HOPELESS, Loaded, SharedMemory
from .loader import Loader
from .real_time import ENGINE_PRIORITY, hurry, keep_memory
from .renderer import Renderer
from .tap import open_tap

FADE_SECONDS = 0.06  # the master's fade takes 50 ms

log = logging.getLogger(__name__)


def _import_sound() -> None:
    """Import what is heavy, on a thread of its own: the device opens meanwhile."""
    import onnxruntime

    from .sound import engine, voices

    log.debug("%s %s %s", onnxruntime.__version__, engine.__name__, voices.__name__)


def _open(audio: str, settings: AudioSettings, patient: bool, render: Callable[[int], Any]) -> tuple[Backend, bool]:
    """Return the backend, and whether it only stands in for a device that is still looked for."""
    try:
        backend = open_backend(audio, render, settings)
        return backend, audio == "auto" and backend.api == "none"
    except AudioError:
        if not patient or kind(audio) not in ("auto", "portaudio"):
            raise
        return open_backend("null", render, settings), True


def _device_opens(settings: AudioSettings) -> bool:
    with contextlib.suppress(AudioError):
        open_backend("portaudio", lambda n_samples: np.zeros((n_samples, 2), np.float32), settings).close()
        return True
    return False


def _fade_out(renderer: Renderer, backend: Backend) -> None:
    """Wait until the fade is rendered and heard, then close; a device that hangs is left behind."""
    renderer.state.leaving = True
    end = renderer.engine.position_samples + round(FADE_SECONDS * backend.sample_rate_hz) + 2 * backend.block_samples
    until = time.monotonic() + 0.5
    while renderer.engine.position_samples < end and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(min(backend.latency_seconds, 0.2))
    closing = threading.Thread(target=backend.close, daemon=True)
    closing.start()
    closing.join(1.0)


def main(
    shared_memory_path: str,
    loads: Connection,
    loaded: Connection,
    events: Connection,
    audio: str,
    settings: AudioSettings,
    patient: bool = False,
) -> None:
    """Run until told to stop; never returns.

    Parameters
    ----------
    shared_memory_path : str
        Of the `SharedMemory` that parent and control share.
    loads, loaded : Connection
        `Load` comes in, `Loaded` goes out.
    events : Connection
        Dicts for the parent go out; ``"stop"``, or its end, comes in.
    audio : str
        As `open_backend` takes it.
    settings : AudioSettings
        How to open it.
    patient : bool
        Keep time silently while the device cannot be opened, instead of giving up.
    """
    stopped = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; the parent decides
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    sys.setswitchinterval(1e-4)  # a busy loader then delays a block by 0.9 ms, not by several
    hush_stderr()
    hurry(ENGINE_PRIORITY)  # every thread: who holds the interpreter's lock must not wait for others while the sound waits for it
    if refused := keep_memory():
        log.debug(refused)
    loaded.send(Loaded(-1, engine_pid=os.getpid()))
    code = EXIT_HOPELESS
    try:
        code = _serve(SharedMemory(shared_memory_path), loads, loaded, events, audio, settings, patient, stopped)
    except AudioError as error:
        with contextlib.suppress(OSError):
            events.send({"event": "fatal", "sentence": str(error)})
    except Exception as error:  # the parent says that it stopped, and starts a new one
        log.debug("the engine stops", exc_info=True)
        code = 1
        with contextlib.suppress(OSError):
            events.send({"event": "fault", "sentence": f"A fault in the engine: {told(error)}."})
    sys.stderr.flush()
    # Not sys.exit: closing a stream whose server died never returns, and the loader may be in the middle of a file.
    os._exit(code)


def _serve(
    memory: SharedMemory,
    loads: Connection,
    loaded: Connection,
    events: Connection,
    audio: str,
    settings: AudioSettings,
    patient: bool,
    stopped: threading.Event,
) -> int:
    importing = threading.Thread(target=_import_sound, daemon=True)
    importing.start()
    renderer: Renderer | None = None

    def render(n_samples: int) -> NDArray[np.float32]:
        assert renderer is not None  # nothing is rendered before start
        return renderer(n_samples)

    backend, waiting = _open(audio, settings, patient, render)
    importing.join()
    loader = Loader(loads, loaded, backend.sample_rate_hz)
    tap = open_tap(memory.path)
    renderer = Renderer(memory, backend.sample_rate_hz, backend.n_channels, tap, backend.has_time)
    renderer.backend = backend
    loader.serve(renderer)
    for _ in range(4):  # the first blocks are the slowest: not on the device's time
        renderer.guard(backend.block_samples or 512)
    renderer.forget_start()
    if tap is not None:
        tap.begin(backend.sample_rate_hz, backend.n_channels)
    gc.collect()
    gc.freeze()
    gc.disable()
    backend.start()
    events.send(
        {
            "event": "audio",
            "device": backend.device,
            "api": backend.api,
            "sample_rate_hz": backend.sample_rate_hz,
            "block_samples": backend.block_samples,
            "latency_seconds": backend.latency_seconds,
            "sentence": "" if patient and waiting else backend.sentence,
        }
    )
    renderer.input, sentence = open_input(settings, backend)
    if sentence:
        events.send({"event": "input", "sentence": sentence})
    watch = Watch(renderer, backend, events, (lambda: _device_opens(settings)) if waiting else None, settings.input is not None)
    code = _until_stopped(watch, stopped)
    if code == 0:
        _fade_out(renderer, backend)
    return code


def _until_stopped(watch: Watch, stopped: threading.Event) -> int:
    def leave(*_: object) -> None:
        watch.leave = True

    signal.signal(signal.SIGTERM, leave)
    watch.leave = stopped.is_set()  # it came while the device opened
    return watch.run()
