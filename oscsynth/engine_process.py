"""The engine process: opens the audio, renders in its callback, loads patches on a worker thread.

Threads: the backend's (renders; opens no file, socket or log), the worker (loads; may be slow), and the main one, which watches both,
writes down what went wrong and obeys the parent. Imports ``audio``, ``sound`` and ``link``; knows no OSC and no YAML.
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
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio import AudioSettings, Backend, kind, open_backend
from .audio.guard import Guard
from .audio.quiet import hush_stderr
from .errors import AudioError, OscsynthError
from .link import EXIT_AGAIN, EXIT_HOPELESS, Load, Loaded, SharedMemory
from .real_time import AUDIO_PRIORITY, ENGINE_PRIORITY, hurry, is_hurried, keep_memory
from .tap import Tap, open_tap
from .timed_state import TimedState

LOOK_EVERY_SECONDS = 0.05
RETRY_EVERY_SECONDS = 1.0  # how often a device that is gone is looked for
COLLECT_EVERY_SECONDS = 10.0
DEAD_AFTER_SECONDS = 1.0  # a device that asks for nothing so long is gone
FADE_SECONDS = 0.06  # the master's fade takes 50 ms
LOAD_SMOOTHING_SECONDS = 0.5

log = logging.getLogger(__name__)


class Renderer:
    """At each block: takes the newest state and what lies ahead, has it rendered, says in the telemetry how it went.

    ``state.leaving`` fades everything out, whatever control says.
    """

    def __init__(self, memory: SharedMemory, sample_rate_hz: int, n_channels: int, tap: Tap | None = None) -> None:
        from .sound.engine import Engine  # here, so that it is imported while the device opens

        self.engine = Engine(sample_rate_hz, n_channels)
        self.state = TimedState(memory, sample_rate_hz, self.engine.stft.clock_samples)
        self.loaded = 0
        self.is_hurried = False
        self.backend: Backend | None = None
        self.guard = Guard(self._render, n_channels)
        self._tap = tap
        self._memory = memory
        self._rate_hz = float(sample_rate_hz)
        self._load = self._load_peak = self._peak = self._peak_before = 0.0
        self._peak_until, self._late, self._pid = sample_rate_hz, 0, float(os.getpid())

    def __call__(self, n_samples: int) -> NDArray[np.float32]:
        """Return the next block as the device gets it, and as whoever listens or records does."""
        block = self.guard(n_samples)
        if self._tap is not None:
            self._tap.write(np.ascontiguousarray(block, np.float32).data)
        return block

    def _render(self, n_samples: int) -> NDArray[np.float32]:
        begun_seconds = time.monotonic()
        pieces = [self.engine.render(state, n) for state, n in self.state.pieces(self.engine.position_samples, n_samples, begun_seconds)]
        block = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        self._measure(block, n_samples, begun_seconds)
        return block

    def _measure(self, block: NDArray[np.float32], n_samples: int, begun_seconds: float) -> None:
        length_seconds = n_samples / self._rate_hz
        load = (time.monotonic() - begun_seconds) / length_seconds
        self._load += (load - self._load) * min(1.0, length_seconds / LOAD_SMOOTHING_SECONDS)
        self._load_peak = max(self._load_peak, load)
        self._late += load > 1.0
        self._peak = max(self._peak, float(block.max()), -float(block.min()))
        backend, engine = self.backend, self.engine
        fields = (
            self._pid,
            self._rate_hz,
            float(n_samples),
            backend.latency_seconds if backend else 0.0,
            float(engine.position_samples),
            begun_seconds,
            self._load,
            self._load_peak,
            float(backend.underruns) if backend else 0.0,
            float(engine.faults),
            max(self._peak, self._peak_before),
            float(engine.sounding_parts),
            float(self._late),
            float(self.guard.errors),
            float(self.loaded),
            self.state.reached_seconds,
            float(self.is_hurried),
            float(engine.sounding_voices),
        )
        self._memory.write_telemetry(fields)
        if engine.position_samples >= self._peak_until:  # the peak of the last second, give or take one
            self._peak_until += int(self._rate_hz)
            self._peak_before, self._peak = self._peak, 0.0

    def forget_start(self) -> None:
        """Begin the worst load anew, and the clock: the first blocks fetch memory that later ones have, and come in no time."""
        self.state.clock.reset()
        self._load = self._load_peak = 0.0
        self._late = 0


class Worker:
    """Loads what control sends, one after the other, and answers; may begin before there is an engine."""

    def __init__(self, loads: Connection, loaded: Connection, sample_rate_hz: int) -> None:
        self._loads, self._loaded, self._rate_hz = loads, loaded, sample_rate_hz
        self._has_engine = threading.Event()
        self._renderer: Renderer | None = None
        self._numbers: set[int] = set()
        threading.Thread(target=self._run, name="loader", daemon=True).start()

    def serve(self, renderer: Renderer) -> None:
        """Install what is loaded there from now on."""
        self._renderer = renderer
        self._has_engine.set()

    def _run(self) -> None:
        import pydantic  # the first decoder's metadata need it; control is not ready with the first load yet

        from .sound.voices import SoundLoader

        loader = SoundLoader(self._rate_hz)
        log.debug("pydantic %s", pydantic.VERSION)
        with contextlib.suppress(EOFError, OSError):  # the parent is gone; the main thread sees that too
            while True:
                load: Load = self._loads.recv()
                error = ""
                try:
                    sound = loader.load(load.patch) if load.patch else None
                except OscsynthError as reason:
                    error = str(reason)
                except Exception as reason:  # whatever a decoder file can make a library raise: no patch is worth the sound
                    log.debug("patch %s does not load", load.number, exc_info=True)
                    error = f"{load.patch.decoder_path if load.patch else ''}: it does not load: {_told(reason)}"
                self._install(load.number, sound if not error else None)
                if load.patch:
                    self._loaded.send(Loaded(load.number, error, os.getpid()))

    def _install(self, number: int, sound: Any) -> None:
        self._has_engine.wait()
        assert self._renderer is not None
        if sound is None:
            self._renderer.engine.forget(number)
            self._numbers.discard(number)
        else:
            self._renderer.engine.install(number, sound)
            self._numbers.add(number)
        self._renderer.loaded = len(self._numbers)


def _told(error: Exception) -> str:
    """Return what a report of a fault needs: which error, and where."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return f"{type(error).__name__}: {error}{where}"


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


class Watch:
    """The main thread's round: what the parent says, whether the device lives, what went wrong in the callback."""

    def __init__(self, renderer: Renderer, backend: Backend, events: Connection, retry: Callable[[], bool] | None) -> None:
        self._renderer, self._backend, self._events, self._retry = renderer, backend, events, retry
        self._dead_looks = 0
        self._fault = ""
        self._thread_id = 0
        self._told_already: set[str] = set()
        self.leave = False
        now = time.monotonic()
        self._retry_seconds, self._collect_seconds = now + RETRY_EVERY_SECONDS, now + COLLECT_EVERY_SECONDS

    def run(self) -> int:
        """Return how to exit: 0 when told to leave, `EXIT_AGAIN` when a new engine is needed at once."""
        while not self.leave:
            try:
                if self._events.poll(LOOK_EVERY_SECONDS):
                    self.leave = self._events.recv() == "stop"
            except (EOFError, OSError):  # the parent was killed
                return 0
            self._hurry()
            self._look_for_faults()
            if self._is_dead():
                self._tell("lost", f"The sound device {self._backend.device} is gone: keeping time, and trying to take it back every second.")
                return EXIT_AGAIN
            if self._may_retry() and self._retry is not None and self._retry():
                self._tell("back", "A sound device is there: taking it.")
                return EXIT_AGAIN
            if time.monotonic() > self._collect_seconds:
                self._collect_seconds += COLLECT_EVERY_SECONDS
                gc.collect()
        return 0

    def _hurry(self) -> None:
        """Give the thread that renders its place; only the device's own thread knows which one it is."""
        thread_id = self._renderer.guard.thread_id
        if thread_id not in (self._thread_id, threading.get_native_id()):  # this one rendered the first blocks
            self._thread_id = thread_id
            if refused := hurry(AUDIO_PRIORITY, thread_id):
                self._tell("priority", refused)
            self._renderer.is_hurried = is_hurried(thread_id)

    def _is_dead(self) -> bool:
        # Looked at several times in a row: a process that was stopped for a while is no lost device.
        silent_seconds = time.monotonic() - self._renderer.guard.last_call_seconds
        dead = silent_seconds > DEAD_AFTER_SECONDS or not self._backend.is_running()
        self._dead_looks = self._dead_looks + 1 if dead else 0
        return self._dead_looks > 3

    def _may_retry(self) -> bool:
        if time.monotonic() < self._retry_seconds:
            return False
        self._retry_seconds = time.monotonic() + RETRY_EVERY_SECONDS
        return True

    def _look_for_faults(self) -> None:
        if (error := self._renderer.guard.take_error()) and (told := _told(error)) not in self._told_already:
            log.debug("the engine could not render", exc_info=error)
            self._told_already.add(told)  # each fault once: it may come with every block
            self._tell("fault", f"A fault in the engine made the sound stop for a moment: {told}.")
        if self._backend.fault != self._fault:
            self._fault = self._backend.fault
            self._tell("fault", f"{self._fault}. The sound goes on without it.")

    def _tell(self, event: str, sentence: str) -> None:
        with contextlib.suppress(OSError):
            self._events.send({"event": event, "sentence": sentence})


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
            events.send({"event": "fault", "sentence": f"A fault in the engine: {_told(error)}."})
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
    worker = Worker(loads, loaded, backend.sample_rate_hz)
    tap = open_tap(memory.path)
    renderer = Renderer(memory, backend.sample_rate_hz, backend.n_channels, tap)
    renderer.backend = backend
    worker.serve(renderer)
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
    watch = Watch(renderer, backend, events, (lambda: _device_opens(settings)) if waiting else None)
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
