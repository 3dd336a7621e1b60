"""Asking an instrument, and hearing in a sound file what it played."""

import socket
import time

import numpy as np
import soundfile
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from oscsynth.units import PITCH_CLASSES

HOP_SECONDS = 0.02


def ask(serve, below):
    """Ask on a socket of its own, so that no late answer is taken for another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.sendto(build_msg(f"/oscsynth/{below}", []).dgram, ("127.0.0.1", serve.port))
        return tuple(OscMessage(client.recv(65536)).params)


def wait_until_it_plays(serve, seconds=60.0):
    until = time.monotonic() + seconds
    while not serve.is_sounding() and time.monotonic() < until and serve.process.poll() is None:
        time.sleep(0.05)
    assert serve.is_sounding(), serve.text


def classes(path, window=6144):
    """Return the note class that is heard every 20 ms, ``-`` where there is silence."""
    audio, rate = soundfile.read(path, always_2d=True)
    mono = audio.mean(axis=1)
    pitches = np.arange(57, 90)
    harmonics = np.round(np.outer(440 * 2 ** ((pitches - 69) / 12), np.arange(1, 6)) * 4 * window / rate).astype(int)
    heard = []
    for start in range(0, len(mono) - window, int(HOP_SECONDS * rate)):
        magnitude = np.abs(np.fft.rfft(mono[start : start + window] * np.hanning(window), 4 * window))
        power = (magnitude[harmonics] / np.arange(1, 6)).sum(axis=1)
        heard.append(PITCH_CLASSES[pitches[power.argmax()] % 12] if magnitude.max() > 1 else "-")
    return heard


def n_in_time(heard, played, step_seconds):
    """Return how many of the notes are heard in the middle of their step, where all steps together lie best."""
    step = round(step_seconds / HOP_SECONDS)
    around = max(1, step // 6)

    def fits(start):
        return sum(
            np.mean([heard[start + round(n * step_seconds / HOP_SECONDS) + i] == note for i in range(-around, around + 1)]) > 0.6
            for n, note in enumerate(played)
        )

    last = len(heard) - round(len(played) * step_seconds / HOP_SECONDS) - around
    return max(map(fits, range(around, last)))
