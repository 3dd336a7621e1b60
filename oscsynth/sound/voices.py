"""A loaded patch: from faders and pitches to magnitudes (design section 2). Loading on a worker thread, everything else on the rendering thread."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metadata import N_CLASSES
from ..patch import Patch
from ..units import db_to_amplitude
from .controls import Indices, Row
from .decoder import Decoder, one_hot
from .ear import Ear
from .encoder import Encoder
from .loaded import Loaded
from .phase import Stft
from .source import Track
from .spectrum import MAX_GAIN_DB, loudness_gains

Magnitudes = NDArray[np.float32]
Positions = NDArray[np.float64]

_LEAST_WEIGHT = 1e-4  # a note class 40 dB down is not decoded


class Key(NamedTuple):
    """What is decoded for a note: its class 0..11, which of the decoder's registers, and the MIDI note number that sounds then."""

    chroma: int
    register: int
    pitch_midi: float


@dataclass(frozen=True, slots=True)
class Pitches:
    """Which note classes sound: what the decoder is asked for, how strong each is, and how far it is then moved. All (classes, ...)."""

    chroma: Magnitudes
    register: Magnitudes
    weights: Row
    semitones: Row
    pitches_midi: Row
    _repeated: dict[int, tuple[Magnitudes, Magnitudes, Magnitudes, Row, Row]] = field(default_factory=dict, compare=False)

    def repeated(self, moments: int) -> tuple[Magnitudes, Magnitudes, Magnitudes, Row, Row]:
        """Return chroma and register (moments * classes, ...), amplitudes (classes,), semitones and pitches (moments * classes,)."""
        found = self._repeated.get(moments)
        if found is None:
            asked = np.tile(self.chroma, (moments, 1)), np.tile(self.register, (moments, 1))
            found = *asked, np.sqrt(self.weights).astype(np.float32), np.tile(self.semitones, moments), np.tile(self.pitches_midi, moments)
            self._repeated[moments] = found
        return found


class Sound(Loaded):
    """A patch with its decoder of kind ``frame``, ready to be played at one rate.

    Attributes
    ----------
    encoder, ear, track
        Of a patch in resynthesis: what hears, and the track that it hears, where it is not the input.
    """

    def __init__(self, patch: Patch, decoder: Decoder, stft: Stft, encoder: Encoder | None = None, track: Track | None = None) -> None:
        super().__init__(patch, decoder.metadata, stft)
        self.decoder = decoder
        self.encoder, self.track = encoder, track
        self.ear = Ear(stft, decoder.metadata.sample_rate_hz, decoder.metadata.window_samples) if encoder else None
        self.is_pitched = decoder.metadata.chroma
        self._ones = np.ones(decoder.n_bins, np.float32)
        self.ceiling = self._usual_gain() * db_to_amplitude(MAX_GAIN_DB)

    def _usual_gain(self) -> float:
        """Return the gain that the middle of the latent box needs: the level from which the ceiling is counted."""
        pitches = self.pitches(np.full(N_CLASSES, 1 / N_CLASSES), np.nan, np.nan, 0.0)
        decoded, _ = self.decode_asked(np.full((N_CLASSES, self.n_latents), 0.5), pitches.chroma, pitches.register)
        magnitudes = self.shape(decoded, pitches.semitones, pitches.pitches_midi)
        return float(np.median(loudness_gains(magnitudes, self.stft)))

    @property
    def knows_octaves(self) -> bool:
        """Whether an octave can be asked for: it was taught, or there is but one."""
        metadata = self.decoder.metadata
        return bool(metadata.registers) or metadata.midi_high - metadata.midi_low < N_CLASSES

    def key(self, pitch: float) -> Key:
        """Return what is decoded for a MIDI note number: its class, in its octave or the nearest that the decoder has."""
        semitone = math.floor(pitch + 0.5)
        sung, register = self._sung(np.array([semitone % N_CLASSES]), np.array([semitone // N_CLASSES - 1]))
        return Key(semitone % N_CLASSES, int(register[0]), 12.0 * (sung[0] + 1) + semitone % N_CLASSES)

    def pitches(self, chroma: Row, register: float, register_now: float, transpose: float) -> Pitches:
        """Return what is decoded and how far each is moved.

        Parameters
        ----------
        chroma : float64 (12,)
            Weights.
        register : float
            The octave asked for; NaN: as the decoder has it.
        register_now : float
            Where a slide towards it stands; the same when nothing slides.
        transpose : float
            Semitones.
        """
        classes = np.flatnonzero(chroma > _LEAST_WEIGHT)
        weights = chroma[classes] / max(float(chroma[classes].sum()), 1e-9)
        home = np.array(self.decoder.metadata.home_octaves)[classes]
        asked = home if math.isnan(register) else np.full(len(classes), round(register))
        sung, registers = self._sung(classes, asked)
        there = asked if math.isnan(register_now) else np.full(len(classes), register_now)
        semitones = np.asarray(12.0 * (there - sung) + transpose, np.float64)
        pitches_midi = np.asarray(12.0 * (sung + 1) + classes, np.float64)
        return Pitches(*self._asked(classes, registers), weights, semitones, pitches_midi)

    def _sung(self, classes: Indices, octaves: Indices) -> tuple[Indices, Indices]:
        """Return the octaves in which the decoder has some classes, nearest to those asked for, and which of its registers they are."""
        metadata = self.decoder.metadata
        if not metadata.registers:
            return np.array(metadata.home_octaves)[classes], np.zeros(len(classes), np.intp)
        taught = np.array(metadata.registers)
        low = np.maximum(taught[0], np.ceil((metadata.midi_low - classes) / 12.0) - 1)
        high = np.minimum(taught[-1], np.floor((metadata.midi_high - classes) / 12.0) - 1)
        sung = np.clip(octaves, low, np.maximum(low, high)).astype(int)
        registers = np.abs(taught[None] - sung[:, None]).argmin(1)
        return taught[registers], registers

    def _asked(self, classes: Indices, registers: Indices) -> tuple[Magnitudes, Magnitudes]:
        return one_hot(classes, N_CLASSES), one_hot(registers, max(1, len(self.decoder.metadata.registers)))

    def render(self, positions: Positions, pitches: Pitches) -> tuple[Magnitudes, int]:
        """Return what `render_apart` gives, added as powers: magnitudes, float32 (moments, n_bins), each at -20 LUFS, and faults."""
        each, faults = self.render_apart(positions, pitches)
        return mixed(each), faults

    def render_apart(self, positions: Positions, pitches: Pitches) -> tuple[Magnitudes, int]:
        """Decode, move and scale to equal loudness, for one moment or for some at once.

        A decoder's weights are read once for all that is decoded together, which takes longer than the arithmetic: eight rows cost little more
        than one.

        Parameters
        ----------
        positions : float64 (moments, voices, n_latents) or (moments, 1, n_latents)
            A point of the latent space for each of the pitches, or one for all of them.

        Returns
        -------
        magnitudes : float32 (moments, voices, n_bins)
            The powers of all voices of a moment together are at -20 LUFS.
        faults : int
            Spectra that came out not finite and are silent.
        """
        moments, voices = len(positions), len(pitches.weights)
        if voices == 0:
            return np.zeros((moments, 0, self.stft.n_bins), np.float32), 0
        points = np.broadcast_to(positions, (moments, voices, self.n_latents)).reshape(-1, self.n_latents)
        chroma, register, amplitudes, semitones, pitches_midi = pitches.repeated(moments)
        decoded, faults = self.decode_asked(points, chroma, register)
        magnitudes = self.loud(self.shape(decoded, semitones, pitches_midi))
        each = magnitudes.reshape(moments, voices, -1)
        return each if voices == 1 else each * amplitudes[:, None], faults

    def decode(self, positions: Positions, classes: Indices, registers: Indices) -> tuple[Magnitudes, int]:
        """Decode some voices at once.

        Parameters
        ----------
        positions : float64 (voices, n_latents)
            Of `positions`.
        classes, registers : intp (voices,)
            Of `key`.

        Returns
        -------
        decoded : float32 (voices, decoder's bins)
            As the decoder gives it.
        faults : int
            Spectra that came out not finite and are silent.
        """
        return self.decode_asked(positions, *self._asked(classes, registers))

    def decode_asked(self, points: Positions, chroma: Magnitudes, register: Magnitudes) -> tuple[Magnitudes, int]:
        """Decode points (rows, n_latents) with what `Pitches` says is asked for; what comes out not finite is silent, and counted."""
        decoded = self.decoder.decode(points.astype(np.float32), chroma, register)
        bad = ~np.isfinite(decoded @ self._ones)
        if bad.any():
            decoded[bad] = 0.0
        return decoded, int(bad.sum())


def mixed(each: Magnitudes) -> Magnitudes:
    """Return magnitudes of some voices added as powers: (moments, voices, n_bins) to (moments, n_bins)."""
    total: Magnitudes = each[:, 0] if each.shape[1] == 1 else np.sqrt(np.einsum("mvb,mvb->mb", each, each))
    return total
