"""PortAudio, both ways to reach it, through a real JACK server."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from oscsynth.audio import AudioSettings, devices, open_backend, portaudio_libraries
from oscsynth.errors import AudioError

from ..engine_harness import wait_until
from .jack_server import PERIOD_SAMPLES, SAMPLE_RATE_HZ, Capture


class Count:
    """Renders 1, 2, 3 ... so that a sample left out shows; the right channel is the left one's negative."""

    def __init__(self) -> None:
        self.position = 0

    def __call__(self, n_samples: int) -> np.ndarray:
        self.position += n_samples
        left = np.arange(self.position - n_samples + 1, self.position + 1, dtype=np.float32) / 2**20
        return np.ascontiguousarray(np.stack([left, -left], axis=1))


@pytest.fixture(params=portaudio_libraries.LIBRARIES, ids=["pyaudio", "sounddevice"])
def library(request, monkeypatch):
    monkeypatch.setattr(portaudio_libraries, "LIBRARIES", (request.param,))


def test_devices_of_jack(jack_name, library):
    (device,) = devices()
    assert (device.name, device.api, device.output_channels) == ("system", "JACK Audio Connection Kit", 2)
    assert device.default_sample_rate_hz == SAMPLE_RATE_HZ and device.is_default


def test_every_sample_arrives(jack_name, library, capfd):
    for _ in range(10):  # while somebody else has the processor nothing can arrive; that is counted, and tried again
        capture, backend = Capture(jack_name), open_backend("portaudio", Count(), AudioSettings())
        try:
            backend.start()
            capture.connect()
            time.sleep(0.5)
            assert backend.is_running() and backend.block_samples == PERIOD_SAMPLES
            assert 0 < backend.latency_seconds < 0.1
        finally:
            backend.close()
            capture.close()
        if backend.underruns == capture.xruns == 0:
            break
    assert backend.underruns == capture.xruns == 0
    heard = capture.sound[capture.sound[:, 0] != 0]
    assert len(heard) > 0.3 * SAMPLE_RATE_HZ
    assert (np.round(np.diff(heard[:, 0]) * 2**20) == 1).all()
    assert (heard[:, 0] == -heard[:, 1]).all()
    assert capfd.readouterr().err == ""


def test_the_thread_that_calls_is_known_from_call_to_call(jack_name, library):
    calls, count, own = [], Count(), threading.local()

    def render(n_samples):
        own.calls = getattr(own, "calls", 0) + 1  # thrown away with the interpreter's record of the thread
        calls.append(own.calls)
        return count(n_samples)

    backend = open_backend("portaudio", render, AudioSettings())
    try:
        backend.start()
        wait_until(lambda: len(calls) > 50, 5)
    finally:
        backend.close()
    assert calls == list(range(1, len(calls) + 1))


def test_rate_that_the_device_does_not_have_is_a_sentence(jack_name, library):
    with pytest.raises(AudioError, match=r"system \[JACK Audio Connection Kit\] does not open at 12345 Hz: "):
        open_backend("portaudio", Count(), AudioSettings(sample_rate_hz=12345))


def test_neither_library(monkeypatch):
    def missing():
        raise ImportError("No module named 'pyaudio'")

    monkeypatch.setattr(portaudio_libraries, "LIBRARIES", (missing,))
    with pytest.raises(AudioError, match=r"PortAudio cannot be used \(No module named 'pyaudio'\): install"):
        devices()
