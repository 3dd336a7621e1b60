"""Tone from magnitudes alone: every lobe of a spectrum becomes one partial with a phase of its own (design section 2). Rendering thread.

Single-pass spectrogram inversion (Beauregard, Harish & Wyse 2015) gives all bins of a lobe the phase of its peak, which moves on at the peak's
frequency. Three things are added here. A lobe near a multiple of a known pitch is moved onto it, since a decoder's partials can be 30 cents off. A
lobe wider than a Hann window's, as decoders have that learned vibrato, is played as a tone whose frequency sways twice a window (`sway`): that fills
the lobe as Griffin-Lim would, and its amplitude stays steady. And phases are functions of time, so that a change is heard at once: the new
sound is that which would always have been, in all four overlapping windows, and starts where the phases of the old one stand.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .lobes import Lobes, joined, lobes_of, parted
from .phase import OVERLAP, Spectrum, Stft

Magnitudes = NDArray[np.float32]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

TOGETHER = 8  # voices whose lobes are found at once: their arrays then still fit into the processor's nearest memory


def shares(breath: float) -> tuple[float, float]:
    """Return the amplitudes of noise and tone for a breath of 0, all tone, to 1, all noise: their powers add up to 1."""
    if breath <= 0.0 or breath >= 1.0:
        return (0.0, 1.0) if breath <= 0.0 else (1.0, 0.0)
    return math.sin(0.5 * math.pi * breath), math.cos(0.5 * math.pi * breath)


class Apart(NamedTuple):
    """Voices before they are mixed.

    ``magnitudes`` are float32 (voices, n_bins), ``gains`` and ``pitches_hz`` float64 (voices,); ``voices`` tells which is which: one that was there
    at the last change goes on, others begin. ``lobes`` are those of each where they are known and need not be found.
    """

    magnitudes: Magnitudes
    gains: Floats
    pitches_hz: Floats
    voices: tuple[int, ...]
    lobes: tuple[Lobes, ...] | None = None

    def kept(self) -> Apart:
        """Return the same, whatever becomes of the arrays it was read from."""
        return self._replace(magnitudes=self.magnitudes.copy(), gains=self.gains.copy(), pitches_hz=self.pitches_hz.copy())


@dataclass(frozen=True, slots=True)
class Tone:
    """Partials that sound for ever: what is heard from a change on.

    Attributes
    ----------
    lobes : Lobes
        Of some voices.
    amplitudes : float32 (partials,)
        The gain of its voice, for each.
    anchor : int
        The sample at which ...
    phases : float64 (partials,)
        ... the partials have these phases, in turns.
    swings : float32 (partials,)
        1 or -1: whether its frequency rises or falls in even windows.
    """

    lobes: Lobes
    amplitudes: Magnitudes
    anchor: float
    phases: Floats
    swings: Magnitudes

    def phases_at(self, sample: float, window_samples: int) -> Floats:
        """Return the phase of each partial at a sample, in turns: float64 (partials,)."""
        return self.phases + self.lobes.frequencies * ((sample - self.anchor) / window_samples)

    def spectrum(self, hop: int, n_carriers: int) -> Spectrum:
        """Return what `phase.sound_of` turns into the samples of a hop: complex64 (n_carriers, n_bins), mid and side.

        The side is a quarter turn before or behind the middle: both ears hear every partial equally loud, and mono has no dip.
        """
        lobes = self.lobes
        window_samples = 2 * (lobes.steady.shape[1] - 1)
        turns = self.phases_at((hop + 0.5) * (window_samples // OVERLAP), window_samples)
        phasors = (self.amplitudes * np.exp(2j * np.pi * (turns % 1.0))).astype(np.complex64)
        swings = self.swings if hop % 2 == 0 else -self.swings
        real = lobes.steady - swings[lobes.owners] * lobes.swaying
        carriers = (phasors, phasors * (1j * _sides(lobes.counts)).astype(np.complex64))[:n_carriers]
        spectrum = np.stack([(real * carrier[lobes.owners]).sum(0) for carrier in carriers])
        spectrum *= _middle_of_hop(spectrum.shape[1])
        spectrum[:, [0, -1]] = 2.0 * spectrum[:, [0, -1]].real
        return spectrum


class Partials:
    """The phases of the partials of some voices, from change to change.

    Parameters
    ----------
    is_pitched : bool
        Whether the voices have the pitches that they are said to have; what is near a multiple then stands exactly there.
    """

    def __init__(self, stft: Stft, is_pitched: bool = True) -> None:
        self._stft = stft
        self._is_pitched = is_pitched
        self._tone: Tone | None = None
        self._rows: dict[int, int] = {}
        self._known: dict[int, tuple[Magnitudes, float, Lobes]] = {}  # of each voice, for as long as it stands still

    def change(self, anchor: float, apart: Apart, gain: float = 1.0) -> Tone | None:
        """Return what sounds from now on, None for silence; partials that go on have at the sample ``anchor`` the phase that they had."""
        magnitudes, gains, pitches_hz, voices, known = apart
        if not voices:
            self._tone = None
            return None
        pitches = pitches_hz / self._stft.bin_hz if self._is_pitched else np.full(len(voices), np.nan)
        lobes = joined(known) if known is not None else self._lobes(magnitudes, pitches, voices)
        phases, swings = self._begun(lobes, magnitudes)
        old = self._tone
        rows = np.repeat([self._rows.get(voice, -1) for voice in voices], lobes.counts)
        if old is not None and (goes_on := rows >= 0).any():
            bins = np.round(lobes.frequencies[goes_on]).astype(np.intp)
            owners = old.lobes.owners[rows[goes_on], bins]
            phases[goes_on] = old.phases_at(anchor, self._stft.window_samples)[owners] % 1.0
            swings[goes_on] = old.swings[owners]
        amplitudes = np.repeat((gain * gains).astype(np.float32), lobes.counts)
        self._tone = Tone(lobes, amplitudes, anchor, phases, swings)
        self._rows = {voice: row for row, voice in enumerate(voices)}
        return self._tone

    def _lobes(self, magnitudes: Magnitudes, pitches: Floats, voices: tuple[int, ...]) -> Lobes:
        """Return the lobes of all voices; only those that have moved are found anew."""
        moved = [row for row, voice in enumerate(voices) if not self._stands(voice, magnitudes[row], pitches[row])]
        for start in range(0, len(moved), TOGETHER):
            some = moved[start : start + TOGETHER]
            for row, lobes in zip(some, parted(lobes_of(magnitudes[some], pitches[some], self._stft)), strict=True):
                self._known[voices[row]] = magnitudes[row].copy(), pitches[row], lobes
        self._known = {voice: self._known[voice] for voice in voices}
        return joined([lobes for _, _, lobes in self._known.values()])

    def _stands(self, voice: int, magnitude: Magnitudes, pitch: float) -> bool:
        known = self._known.get(voice)
        # A voice without a pitch never equals itself; it is found again.
        return known is not None and known[1] == pitch and np.array_equal(known[0], magnitude)

    def _begun(self, lobes: Lobes, magnitudes: Magnitudes) -> tuple[Floats, Magnitudes]:
        """Return phases in turns and swings with which partials begin: the flattest wave that has these powers (Schroeder 1970)."""
        voices = np.repeat(np.arange(len(lobes.counts)), lobes.counts)
        power = magnitudes[voices, np.round(lobes.frequencies).astype(np.intp)].astype(np.float64) ** 2
        firsts = np.cumsum(lobes.counts) - lobes.counts
        before = np.cumsum(power) - power
        inside = before - before[firsts][voices]
        total = np.maximum(np.add.reduceat(power, firsts), 1e-30)[voices]
        steps = np.cumsum(inside / total)
        phases = -(steps - steps[firsts][voices])
        number = np.arange(len(power)) - firsts[voices]
        return phases % 1.0, np.where(number // 2 % 2, -1.0, 1.0).astype(np.float32)


def _sides(counts: Indices) -> Magnitudes:
    """Return 1 or -1 for each partial in turn, float32 (partials,)."""
    number = np.concatenate([np.arange(count) for count in counts])
    return np.where(number % 2, -1.0, 1.0).astype(np.float32)


@functools.cache
def _middle_of_hop(n_bins: int) -> Spectrum:
    """Return what moves the middle of a hop to where it is: complex64 (n_bins,)."""
    middle: Spectrum = np.exp(-0.25j * np.pi * (np.arange(n_bins) % 8)).astype(np.complex64)
    return middle
