"""Which notes a decoder plays, how surely, and how well in tune: measured over its whole latent box, as a player may go anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oscsynth.units import midi_to_hz

from . import chroma
from .chroma import CLASS_NAMES
from .decoder_file import DecoderFile

WEAK_SHARE, WEAK_CENTS = 0.98, 25.0
N_PARTIALS = 8  # among which the strongest says how well a note is in tune
SEARCH_CENTS = 60.0


@dataclass(frozen=True, slots=True)
class Note:
    """How one note is played at random places of the latent box."""

    pitch_midi: int
    share: float  # of places where its class is the strongest
    instead: int | None  # the class most heard where it is not; None: it is everywhere
    cents: float  # median distance of its strongest partial from its place, without the sign; NaN where none was found

    @property
    def is_weak(self) -> bool:
        """Whether a player will notice."""
        return self.share < WEAK_SHARE or self.cents > WEAK_CENTS


def note_name(pitch_midi: int) -> str:
    """Return the name of a note; C4 is 60.

    >>> note_name(55)
    'G3'
    """
    return f"{CLASS_NAMES[pitch_midi % 12]}{pitch_midi // 12 - 1}"


def measure(opened: DecoderFile, rng: np.random.Generator, samples: int = 200) -> list[Note]:
    """Play each note at random places of the latent box.

    Without octaves a class sounds in its home octave mostly, and its tuning is that of the nearest octave.
    """
    return [_measured(opened, int(pitch), rng, samples) for pitch in opened.notes()]


def _measured(opened: DecoderFile, pitch_midi: int, rng: np.random.Generator, samples: int) -> Note:
    magnitude = opened.decode(rng.random((samples, opened.n_latents), np.float32), np.full(samples, pitch_midi))
    heard = chroma.classes(magnitude, opened.stft)
    missed = heard[heard != pitch_midi % 12]
    instead = int(np.bincount(missed, minlength=12).argmax()) if len(missed) else None
    off = np.abs(cents(magnitude[heard == pitch_midi % 12], pitch_midi, opened.bin_hz))
    return Note(pitch_midi, 1 - len(missed) / samples, instead, float(np.median(off)) if len(off) else np.nan)


def cents(magnitude: np.ndarray, pitch_midi: int, bin_hz: float) -> np.ndarray:
    """Return how far the strongest of the first partials lies from its place: (hops,) float64 cents, of (hops, n_bins) magnitudes.

    Each partial's place is refined by a parabola through the logarithms of its three highest bins.
    """
    fundamental = midi_to_hz(float(pitch_midi)) / bin_hz  # in bins
    partials = fundamental * np.arange(1, N_PARTIALS + 1)
    partials = partials[partials < magnitude.shape[1] - 3]
    levels, places = np.zeros((len(partials), len(magnitude))), np.zeros((len(partials), len(magnitude)))
    for k, centre in enumerate(partials):
        reach = max(1.0, centre * (2 ** (SEARCH_CENTS / 1200) - 1))
        first, last = max(1, int(np.ceil(centre - reach))), min(magnitude.shape[1] - 2, int(np.floor(centre + reach)))
        peak = first + magnitude[:, first : last + 1].argmax(axis=1)
        left, middle, right = (np.log(np.maximum(magnitude[np.arange(len(magnitude)), peak + d], 1e-9)) for d in (-1, 0, 1))
        curve = left - 2 * middle + right
        shift = np.where(curve < -1e-6, 0.5 * (left - right) / np.minimum(curve, -1e-6), 0.0)
        levels[k], places[k] = middle, 1200 * np.log2((peak + np.clip(shift, -0.5, 0.5)) / centre)
    return np.asarray(places[levels.argmax(axis=0), np.arange(len(magnitude))])


def by_class(notes: Sequence[Note]) -> np.ndarray:
    """Return the mean share of each class over its octaves: (12,) float64; NaN where it is not played."""
    shares = [[note.share for note in notes if note.pitch_midi % 12 == each] for each in range(12)]
    return np.array([np.mean(share) if share else np.nan for share in shares])


def weak_sentence(notes: Sequence[Note]) -> str:
    """Say in plain words which notes are weak."""
    weak = sorted((note for note in notes if note.is_weak), key=lambda note: note.share)
    if not weak:
        least = min(note.share for note in notes)
        where = "everywhere between the faders' ends" if least == 1 else f"in at least {least:.1%} of places between the faders' ends"
        return f"No note is weak: each is heard as asked {where}."
    said = [_said(note) for note in weak[:12]]
    more = f" And {len(weak) - 12} more." if len(weak) > 12 else ""
    return f"Take care with {'; '.join(said)}.{more}"


def _said(note: Note) -> str:
    name, faults = note_name(note.pitch_midi), []
    if note.share < WEAK_SHARE and note.instead is not None:
        faults.append(f"in {1 - note.share:.0%} of the latent space another class is stronger, mostly {CLASS_NAMES[note.instead]}")
    if note.cents > WEAK_CENTS:
        faults.append(f"its strongest partial is {note.cents:.0f} cents off")
    return f"{name} ({', and '.join(faults)})"
