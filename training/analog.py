"""A virtual-analog synthesiser, so that there is a corpus wherever there is NumPy.

Each program is one timbre that its number decides: two oscillators, a resonant low-pass filter with an envelope, overdrive and echo.
Oscillators are summed from partials and the filter acts on each partial's level, so that nothing folds back at Nyquist, however high
the note or sharp the resonance; overdrive runs at twice the rate for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .render import SAMPLE_RATE_HZ, Note

LICENCE = "made by oscsynth's own synthesiser: free of any licence"
OVERSAMPLING = 2
CONTROL_SAMPLES = 64  # between two values of an envelope
HIGHEST_PARTIAL_HZ = 18000.0
SEED = 440
WAVES = ("saw", "pulse", "triangle")


@dataclass(frozen=True, slots=True)
class Timbre:
    """One program: what a player would set on the front panel."""

    wave: str  # of the first oscillator; the second is a saw
    pulse_width: float  # 0..1
    mix: float  # share of the second oscillator
    detune_cents: float  # of the second oscillator
    cutoff_octaves: float  # above the note, with the filter's envelope closed
    envelope_octaves: float  # how far the envelope opens the filter
    resonance: float  # 0..1
    attack_seconds: float
    decay_seconds: float
    sustain: float
    drive: float  # 0: clean
    echo_seconds: float
    echo_gain: float  # of each repeat to the one before


def timbre(program: int) -> Timbre:
    """Return the timbre of a program, always the same.

    >>> timbre(7) == timbre(7), timbre(7) == timbre(8)
    (True, False)
    """
    rng = np.random.default_rng([SEED, program])
    return Timbre(
        wave=WAVES[program % len(WAVES)],
        pulse_width=rng.uniform(0.1, 0.5),
        mix=rng.uniform(0.0, 0.5),
        detune_cents=rng.uniform(-8.0, 8.0),
        cutoff_octaves=rng.uniform(0.5, 4.0),
        envelope_octaves=rng.uniform(0.0, 3.0),
        resonance=rng.uniform(0.0, 0.85),
        attack_seconds=rng.uniform(0.002, 0.15),
        decay_seconds=rng.uniform(0.05, 0.6),
        sustain=rng.uniform(0.2, 1.0),
        drive=rng.choice([0.0, rng.uniform(0.5, 4.0)]),
        echo_seconds=rng.uniform(0.05, 0.35),
        echo_gain=rng.choice([0.0, rng.uniform(0.2, 0.5)]),
    )


def render(program: int, notes: Sequence[Note], bank: int = 0) -> Iterator[np.ndarray]:
    """Play notes of one program: the same for the same notes, on any machine.

    Parameters
    ----------
    program : int
        Number of the timbre, from 0.
    notes : sequence of Note
        Velocity opens the filter and the amplifier; modulation is vibrato.
    bank : int
        Further timbres: 128 of them a bank.

    Yields
    ------
    ndarray, (samples,) float32
        One note, mono, at 44.1 kHz.
    """
    chosen = timbre(program + 128 * bank)
    for note in notes:
        yield play(chosen, note)


def play(chosen: Timbre, note: Note) -> np.ndarray:
    """Play one note: (samples,) float32."""
    n_samples = round(note.seconds * SAMPLE_RATE_HZ)
    time = np.arange(n_samples * OVERSAMPLING) / (SAMPLE_RATE_HZ * OVERSAMPLING)
    second_hz = 440.0 * 2.0 ** ((note.pitch_midi - 69 + chosen.detune_cents / 100) / 12)
    first_hz = 440.0 * 2.0 ** ((note.pitch_midi - 69) / 12)
    envelope = _envelope(chosen, time[::CONTROL_SAMPLES])
    cutoff_hz = first_hz * 2.0 ** (chosen.cutoff_octaves + (chosen.envelope_octaves * envelope + note.velocity / 127 - 1.0))
    vibrato = note.modulation / 127 * 0.006 * np.sin(2 * np.pi * 5.5 * time)
    audio = (1 - chosen.mix) * _oscillator(chosen, chosen.wave, first_hz, cutoff_hz, time, vibrato)
    audio += chosen.mix * _oscillator(chosen, "saw", second_hz, cutoff_hz, time, vibrato)
    audio *= np.interp(time, time[::CONTROL_SAMPLES], envelope) * (0.3 + 0.7 * note.velocity / 127)
    if chosen.drive:
        audio = np.tanh(chosen.drive * audio) / chosen.drive
    return _echo(_halved(audio), chosen)


def _envelope(chosen: Timbre, time: np.ndarray) -> np.ndarray:
    """Return the envelope of filter and amplifier: (instants,), 0..1."""
    attack = np.clip(time / chosen.attack_seconds, 0, 1)
    decay = np.exp(-np.maximum(time - chosen.attack_seconds, 0) / chosen.decay_seconds)
    return np.asarray(attack * (chosen.sustain + (1 - chosen.sustain) * decay))


def _oscillator(chosen: Timbre, wave: str, hz: float, cutoff_hz: np.ndarray, time: np.ndarray, vibrato: np.ndarray) -> np.ndarray:
    """Return a filtered oscillator, the sum of its partials: (samples,) float64."""
    turn = np.exp(2j * np.pi * hz * (time + np.cumsum(vibrato) * (time[1] - time[0])))  # one turn for each period
    partial, audio = np.ones_like(turn), np.zeros(len(time))
    instants = time[::CONTROL_SAMPLES]
    for number in range(1, int(HIGHEST_PARTIAL_HZ / hz) + 1):
        partial *= turn
        level = _level(wave, number, chosen.pulse_width)
        if level:
            gain = level * _filter_gain(number * hz / cutoff_hz, chosen.resonance)
            if gain.max() > 1e-5:
                audio += np.interp(time, instants, gain) * partial.imag
    return audio


def _level(wave: str, number: int, pulse_width: float) -> float:
    """Return the level of a partial, from 1, of a wave."""
    if wave == "saw":
        return 0.5 / number
    if wave == "pulse":
        return float(0.7 * np.sin(np.pi * number * pulse_width) / number)
    return 0.8 * (-1.0) ** (number // 2) / number**2 if number % 2 else 0.0


def _filter_gain(ratio: np.ndarray, resonance: float) -> np.ndarray:
    """Return the gain of a four-pole ladder at frequencies given as a share of its cutoff."""
    pole = 1.0 / (1.0 + 1j * ratio) ** 4
    return np.asarray(np.abs(pole * (1 + resonance) / (1.0 + 4.0 * resonance * pole)))


def _halved(audio: np.ndarray) -> np.ndarray:
    """Return audio at half the rate, without what that rate cannot hold."""
    spectrum = np.fft.rfft(audio)[: len(audio) // (2 * OVERSAMPLING) + 1]
    return np.asarray(np.fft.irfft(spectrum, len(audio) // OVERSAMPLING) / OVERSAMPLING)


def _echo(audio: np.ndarray, chosen: Timbre) -> np.ndarray:
    """Add the repeats that fall within the note: (samples,) float32."""
    delay, gain, output = round(chosen.echo_seconds * SAMPLE_RATE_HZ), chosen.echo_gain, audio.copy()
    repeat = 1
    while gain**repeat > 1e-3 and repeat * delay < len(audio):
        output[repeat * delay :] += gain**repeat * audio[: len(audio) - repeat * delay]
        repeat += 1
    return np.asarray(0.5 * output, np.float32)
