"""What is heard, played by a decoder: encoded window by window, moved by the faders, decoded again (Colonel & Keene 2020). Rendering thread.

The faders are those of a drone. Each latent stands where its fader does, and the input moves it about there, as far as its scale says: with the
fader in the middle and a scale of 1 it stands where the encoder put it; with a scale of 0 the patch is a drone that keeps the input's pitch and
loudness.
"""

from __future__ import annotations

import math

import numpy as np

from ..parameters import PART_SLOTS
from ..units import db_to_amplitude
from .controls import Controls, Row
from .ear import Heard
from .gate import Gate
from .own_phase import late_samples
from .phase import Spectrum
from .source import Inlet, Source, TrackSource
from .spectrum import MAX_GAIN_DB, audible, k_weights, noise_gain
from .tonal import Apart
from .voices import Magnitudes, Pitches, Sound, mixed

COST = 9  # in voices of noise: an encoder and a decoder twice as often as there is time to look ahead
MIDDLE = 0.5  # where a fader leaves a latent as it is

_FOLLOW, _TRANSPOSE, _REGISTER = (PART_SLOTS[name].start for name in ("follow", "transpose", "register"))
_CHROMA, _LATENTS, _SCALES = (PART_SLOTS[name] for name in ("chroma", "latent", "scale"))


class Resynthesis:
    """A gate, and the spectrum that a source has when it is played by a decoder.

    Parameters
    ----------
    controls : Controls
        The deck's faders.
    source : Source
        What it listens to.

    Attributes
    ----------
    level : float
        How far the gate was open at the last `spectrum`.
    """

    is_behind = False  # all that sounds is decoded together

    def __init__(self, sound: Sound, controls: Controls, source: Source) -> None:
        self.faults = self.n_moving = 0
        self.gate = Gate(controls, sound.stft.sample_rate_hz)
        self.source, self.level = source, 0.0
        self._sound, self._controls = sound, controls
        self.step_samples = 2 * sound.stft.clock_samples  # how often it listens: at every other clock
        self._is_in_haste = False
        self._cell = -1  # of the clock, in which it listened last
        self._heard: Heard | None = None  # what was decoded, and what is heard now
        self._now: Heard | None = None
        self._own: Row = np.zeros(0)  # where the encoder put the latents
        self._each: Magnitudes = np.zeros((0, 0), np.float32)  # the note classes of the last spectrum, apart

    @property
    def steered_until(self) -> float:
        """When nothing but time moves it any more."""
        return self.arrives

    @property
    def arrives(self) -> float:
        """When it next stands still: never while it listens."""
        return math.inf if self.gate.is_open else self.gate.arrives

    def take_over(self, other: Resynthesis) -> None:
        """Go on with the track of another where it is the same."""
        if isinstance(self.source, TrackSource) and isinstance(other.source, TrackSource) and self.source.track is other.source.track:
            self.source = other.source

    def listen(self, now: int, in_haste: bool = False) -> None:
        """Hear what the source has at a sample; as often as the clock says, however often it is called.

        ``in_haste``: keep for now what was decoded last, and give what is heard its colour.
        """
        if now // self.step_samples == self._cell:
            return
        self._cell = now // self.step_samples
        ear, encoder = self._sound.ear, self._sound.encoder
        assert ear is not None and encoder is not None
        window = self.source.window(now)
        self._now = heard = ear.hear(window) if window is not None else None
        self._is_in_haste = in_haste and heard is not None and self._heard is not None and len(self._each) > 0
        if self._is_in_haste:
            return
        self._heard = heard
        if heard is not None:
            own = encoder.encode(heard.shape, heard.note_class, heard.octave).astype(np.float64)
            self.faults += not np.isfinite(own).all()
            self._own = np.nan_to_num(own, nan=MIDDLE, posinf=MIDDLE, neginf=MIDDLE)

    def spectrum(self, moment: float, row: Row, step: int) -> Magnitudes | None:
        """Return the magnitudes at a moment, float32 (n_bins,), None for silence."""
        self.level = self.gate.level(moment, row)
        self.n_moving = 0
        heard = self._heard
        if heard is None or self.level <= 0.0:
            return None
        self.n_moving = COST
        if not self._is_in_haste:
            self._each = self._decoded(heard, row)
        magnitude: Magnitudes = mixed(self._each[None])[0]
        return magnitude * np.float32(self.level)

    def in_noise(self, spectrum: Magnitudes) -> Magnitudes:
        """Return a spectrum so that it is as loud with the phases of noise as it was with the input's."""
        return spectrum * np.float32(noise_gain(spectrum, self._sound.stft))

    def spectra(self) -> Spectrum | None:
        """Return the last `spectrum`, the gate wide open, with the phases of the input and its balance of left and right.

        Returns
        -------
        complex64 (channels, n_bins)
            None for silence.
        """
        heard, now = self._heard, self._now
        if heard is None or now is None or self.level <= 0.0:
            return None
        spectra: Spectrum = now.spectra * (mixed(self._each[None])[0] / np.maximum(heard.magnitude, np.float32(1e-12)))
        return spectra

    def apart(self) -> Apart:
        """Return the note classes of the last `spectrum`, each by itself."""
        gains = np.full(len(self._each), self.level) * noise_gain(mixed(self._each[None])[0], self._sound.stft)
        # Whoever plays is not in tune to the cent: partials stay where they are.
        return Apart(self._each, gains, np.full(len(self._each), math.nan), tuple(range(len(self._each))))

    def _decoded(self, heard: Heard, row: Row) -> Magnitudes:
        """Return what is to sound, as loud as what was heard: float32 (note classes, n_bins)."""
        sound, own = self._sound, self._pitches(heard, 0.0)
        asked = self._asked(heard, row)
        points = np.stack([self._own, *[self.latents(row)] * len(asked.weights)])
        decoded, faults = sound.decode_asked(points, *(np.concatenate(both) for both in ((own.chroma, asked.chroma), (own.register, asked.register))))
        self.faults += faults
        semitones, pitches = (np.concatenate(both) for both in ((own.semitones, asked.semitones), (own.pitches_midi, asked.pitches_midi)))
        own_shape, *each = sound.shape(decoded, semitones, pitches)
        weights = k_weights(sound.stft)
        loudness = self._gain(heard, own_shape) ** 2 * float(np.square(own_shape * weights).sum())
        powers = np.square(np.array(each) * weights).sum(1)
        gains = np.sqrt(asked.weights * loudness / np.maximum(powers, 1e-30))
        return np.asarray(np.array(each) * gains[:, None], np.float32)

    def latents(self, row: Row) -> Row:
        """Return where the latents are to stand, float64 (n_latents,): never further outside of what the corpus used than they were heard."""
        own, faders = self._own, self._sound.positions(row[_LATENTS])
        asked = faders + row[_SCALES][: len(own)] * (own - MIDDLE)
        asked = np.where((faders == MIDDLE) & (row[_SCALES][: len(own)] == 1.0), own, asked)  # to the bit
        return np.asarray(np.clip(asked, np.minimum(own, 0.0), np.maximum(own, 1.0)))

    def _gain(self, heard: Heard, own: Magnitudes) -> float:
        """Return the factor that makes the decoder's picture of what was heard as strong as that was."""
        strength = float(np.square(heard.magnitude * audible(self._sound.stft)).sum())
        gain = math.sqrt(strength / max(float(np.square(own).sum()), 1e-30))
        return min(gain, float(heard.magnitude.max()) * db_to_amplitude(MAX_GAIN_DB))

    def _pitches(self, heard: Heard, transpose: float) -> Pitches:
        """Return the note that was heard: in its octave, where the decoder has it or has one alone."""
        chroma = np.zeros(_CHROMA.stop - _CHROMA.start)
        chroma[heard.note_class] = 1.0
        octave = float(heard.octave) if self._sound.knows_octaves else math.nan
        return self._sound.pitches(chroma, octave, octave, transpose)

    def _asked(self, heard: Heard, row: Row) -> Pitches:
        """Return what is to sound: the note that was heard, or those that are played, in their octave if one was set."""
        if row[_FOLLOW]:
            return self._pitches(heard, row[_TRANSPOSE])
        register, glided = self._controls.target[_REGISTER], row[_REGISTER]
        if math.isnan(register):
            patch = self._sound.patch.register
            register = glided = patch if patch is not None else float(heard.octave) if self._sound.knows_octaves else math.nan
        return self._sound.pitches(row[_CHROMA], register, glided, row[_TRANSPOSE])


def source_of(sound: Sound, inlet: Inlet, row: Row, now: int) -> Source:
    """Return what a patch listens to: its track, or the audio input."""
    if sound.track is None:
        return inlet
    return TrackSource(sound.track, sound.stft.window_samples, late_samples(sound.stft, sound.patch.phase == "input"), row, now)
