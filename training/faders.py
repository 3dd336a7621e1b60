"""What each fader of a decoder does, in a musician's words: measured along its way, from many places and on many notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oscsynth.units import midi_to_hz

from .decoder_file import DecoderFile
from .figures import in_bands

N_STEPS = 9  # along the way of a fader
IDLE_DB = 1.0  # a fader that moves the sound by less is not heard
LEAST_SHARE = 0.5  # a word for less than half of the strongest effect would only confuse


@dataclass(frozen=True, slots=True)
class Quality:
    """Something that is heard: how it is measured, and the words for more and for less of it."""

    name: str
    more: str
    less: str
    step: float  # the least change that is worth a word
    measure: Callable[[np.ndarray, np.ndarray, float], np.ndarray]  # (points, n_bins), (points,) Hz, Hz a bin -> (points,)
    told: Callable[[float, float], str]  # from one value to another, with the unit


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fader does to one quality."""

    quality: Quality
    curve: np.ndarray  # (N_STEPS,) float64: mean over the places
    agreement: float  # share of the places where it goes the same way

    @property
    def change(self) -> float:
        """From the bottom to the top, in steps that are worth a word."""
        return float(self.curve[-1] - self.curve[0]) / self.quality.step

    @property
    def bulge(self) -> float:
        """How far the middle stands out above (or, negative, below) both ends, in such steps."""
        inner, ends = self.curve[1:-1], self.curve[[0, -1]]
        above, below = inner.max() - ends.max(), ends.min() - inner.min()
        return float(max(above, 0.0) - max(below, 0.0)) / self.quality.step

    def sentence(self) -> str:
        """Say it."""
        if abs(self.bulge) > abs(self.change):
            turn = int(self.curve.argmax() if self.bulge > 0 else self.curve.argmin())
            word = self.quality.more if self.bulge > 0 else self.quality.less
            return f"{word} towards {turn / (N_STEPS - 1):.1f}, {self.quality.told(self.curve[0], self.curve[turn])}"
        word = self.quality.more if self.change > 0 else self.quality.less
        often = "" if self.agreement > 0.9 else "mostly " if self.agreement > 0.7 else "on the whole "
        return f"{often}{word}, {self.quality.told(self.curve[0], self.curve[-1])}"


@dataclass(frozen=True, slots=True)
class Fader:
    """What one fader does."""

    number: int  # from 1
    name: str
    distance_db: float  # between its ends: mean difference of level over the bands, at equal loudness
    effects: tuple[Effect, ...]  # strongest first

    def sentence(self) -> str:
        """Say what happens on the way up."""
        if self.distance_db < IDLE_DB:
            return "hardly heard"
        size = max((max(abs(effect.change), abs(effect.bulge)) for effect in self.effects), default=0.0)
        heard = [effect for effect in self.effects if max(abs(effect.change), abs(effect.bulge)) >= max(1.0, LEAST_SHARE * size)]
        return "; ".join(effect.sentence() for effect in heard[:3]) or "another colour, neither brighter nor darker"


def brightness(magnitude: np.ndarray, pitch_hz: np.ndarray, bin_hz: float) -> np.ndarray:
    """Return the centre of gravity of what is less than 50 dB below the peak, as the logarithm to base 2 of Hz: (points,) float64."""
    frequencies_hz = np.arange(magnitude.shape[1]) * bin_hz
    heard = np.where(magnitude > 10**-2.5 * magnitude.max(axis=1, keepdims=True), magnitude, 0.0)
    return np.asarray(np.log2(np.maximum(heard @ frequencies_hz / np.maximum(heard.sum(axis=1), 1e-9), 1.0)))


def noisiness(magnitude: np.ndarray, pitch_hz: np.ndarray, bin_hz: float) -> np.ndarray:
    """Return the power between the partials against that on them, dB: (points,) float64."""
    frequencies_hz = np.arange(magnitude.shape[1]) * bin_hz
    power = np.square(magnitude, dtype=np.float64)
    place = frequencies_hz[None] / pitch_hz[:, None]  # in partials
    reach = np.minimum(3.0 * bin_hz, 0.25 * pitch_hz)[:, None]  # a Hann window's lobe is four bins wide
    on = (np.abs(place - np.round(place)) * pitch_hz[:, None] <= reach) & (place > 0.5)
    tone, noise = (power * on).sum(axis=1), (power * ~on).sum(axis=1)
    return np.asarray(10 * np.log10((noise + 1e-12) / (tone + 1e-12)))


def roundness(magnitude: np.ndarray, pitch_hz: np.ndarray, bin_hz: float) -> np.ndarray:
    """Return the power of the first partial against all that is above it, dB: (points,) float64."""
    frequencies_hz = np.arange(magnitude.shape[1]) * bin_hz
    power, first = np.square(magnitude, dtype=np.float64), frequencies_hz[None] < 1.5 * pitch_hz[:, None]
    return np.asarray(10 * np.log10(((power * first).sum(axis=1) + 1e-12) / ((power * ~first).sum(axis=1) + 1e-12)))


def hollowness(magnitude: np.ndarray, pitch_hz: np.ndarray, bin_hz: float) -> np.ndarray:
    """Return the level of partials 3, 5 and 7 against that of 2, 4 and 6, dB: (points,) float64."""
    rows, n_bins = np.arange(len(magnitude)), magnitude.shape[1]

    def level(partials: tuple[int, ...]) -> np.ndarray:
        centres = np.round(np.outer(pitch_hz, partials) / bin_hz).astype(int)  # (points, partials)
        near = np.clip(centres[..., None] + np.arange(-2, 3), 0, n_bins - 1)
        return np.asarray(np.square(magnitude[rows[:, None, None], near].max(axis=2)).sum(axis=1))

    return np.asarray(10 * np.log10((level((3, 5, 7)) + 1e-9) / (level((2, 4, 6)) + 1e-9)))


def loudness(magnitude: np.ndarray, pitch_hz: np.ndarray, bin_hz: float) -> np.ndarray:
    """Return the power, dB: (points,) float64; the instrument evens it out, so it is what gain has to do."""
    return np.asarray(10 * np.log10(np.square(magnitude, dtype=np.float64).sum(axis=1) + 1e-12))


def _hertz(start: float, end: float) -> str:
    return f"{_rounded(2**start)} → {_rounded(2**end)} Hz"


def _rounded(value: float) -> str:
    """Return two digits that count, as a whole number.

    >>> _rounded(1367.2)
    '1,400'
    """
    return f"{round(value, 1 - int(np.floor(np.log10(max(value, 1.0))))):,.0f}"


def _decibels(start: float, end: float) -> str:
    return f"by {abs(end - start):.0f} dB"


QUALITIES = (
    Quality("brightness", "brighter", "darker", 0.25, brightness, _hertz),
    Quality("noise", "noisier", "purer", 3.0, noisiness, _decibels),
    Quality("fundamental", "rounder", "richer in overtones", 3.0, roundness, _decibels),
    Quality("odd partials", "hollower", "fuller", 3.0, hollowness, _decibels),
    Quality("power", "denser", "thinner", 3.0, loudness, _decibels),
)
"""What is listened for. A new quality is one row."""


def measure(opened: DecoderFile, rng: np.random.Generator, places: int = 96) -> list[Fader]:
    """Move each fader from 0 to 1 at many places of the others and on many notes."""
    return [_moved(opened, number, rng, places) for number in range(opened.n_latents)]


def _moved(opened: DecoderFile, number: int, rng: np.random.Generator, places: int) -> Fader:
    positions = np.repeat(rng.random((places, 1, opened.n_latents), np.float32), N_STEPS, axis=1)
    positions[:, :, number] = np.linspace(0, 1, N_STEPS, dtype=np.float32)
    notes = np.repeat(rng.choice(opened.notes(), places), N_STEPS)
    magnitude = opened.decode(positions.reshape(-1, opened.n_latents), notes)
    pitch_hz = midi_to_hz(notes.astype(float))
    effects = [_effect(quality, quality.measure(magnitude, pitch_hz, opened.bin_hz).reshape(places, N_STEPS)) for quality in QUALITIES]
    effects.sort(key=lambda effect: -max(abs(effect.change), abs(effect.bulge)))
    ends = magnitude.reshape(places, N_STEPS, -1)[:, [0, -1]]
    name = opened.metadata.latents[number].name
    return Fader(number + 1, name or f"fader {number + 1}", _distance_db(ends[:, 0], ends[:, 1], opened.bin_hz), tuple(effects))


def _effect(quality: Quality, values: np.ndarray) -> Effect:
    curve = values.mean(axis=0)
    same_way = np.sign(values[:, -1] - values[:, 0]) == np.sign(curve[-1] - curve[0])
    return Effect(quality, curve, float(same_way.mean()))


def _distance_db(one: np.ndarray, other: np.ndarray, bin_hz: float) -> float:
    """Return the mean difference of level over bands of a third of an octave, each spectrum 60 dB deep and at the same power."""
    levels = []
    for magnitude in (one, other):
        scaled = magnitude / np.maximum(np.linalg.norm(magnitude, axis=1, keepdims=True), 1e-9)
        levels.append(np.maximum(in_bands(scaled, bin_hz, 26)[1], -60.0))
    return float(np.abs(levels[0] - levels[1]).mean())
