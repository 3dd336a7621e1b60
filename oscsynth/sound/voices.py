"""A loaded patch, and one deck: that patch sounding (design section 2). Loading on a worker thread, everything else on the rendering thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..metadata import N_CLASSES
from ..parameters import MAX_LATENTS, PART, PART_SLOTS
from ..patch import LatentControl, LatentCurve, Patch
from ..units import db_to_amplitude, midi_to_hz
from .controls import Controls, Envelope, Fade, Row, part_slews
from .decoder import Decoder, one_hot
from .overlap_add import Mix, OverlapAdd
from .phase import NoiseCarrier, Stft
from .spectrum import MAX_GAIN_DB, audible, loudness_gains, shape

Magnitudes = NDArray[np.float32]
Positions = NDArray[np.float64]

PANIC_SECONDS = 0.005
START_SECONDS = 0.05  # a drone that starts with its patch fades in at least this long
_BEND = 4.0  # of the exponential and logarithmic fader curves
_LEAST_WEIGHT = 1e-4  # a note class 40 dB down is not decoded

CURVES: dict[LatentCurve, Callable[[Positions], Positions]] = {
    "linear": lambda x: x,
    "exponential": lambda x: np.expm1(_BEND * x) / math.expm1(_BEND),
    "logarithmic": lambda x: np.log1p(x * math.expm1(_BEND)) / _BEND,
    "s": lambda x: x * x * (3.0 - 2.0 * x),
}


@dataclass(frozen=True, slots=True)
class Pitches:
    """Which note classes sound: what the decoder is asked for, how strong each is, and how far it is then moved. All (classes, ...)."""

    chroma: Magnitudes
    register: Magnitudes
    weights: NDArray[np.float64]
    semitones: NDArray[np.float64]
    pitches_hz: NDArray[np.float64]


class Sound:
    """A patch with its decoder, ready to be played at one rate.

    Attributes
    ----------
    patch : Patch
        As control sent it.
    """

    def __init__(self, patch: Patch, decoder: Decoder, stft: Stft) -> None:
        self.patch = patch
        self.stft = stft
        self.decoder = decoder
        self.n_latents = decoder.n_latents
        metadata = decoder.metadata
        self.bin_hz = metadata.sample_rate_hz / metadata.window_samples
        controls = {control.neuron - 1: control for control in patch.latents.values()}
        self._controls = [controls.get(neuron, LatentControl(neuron + 1)) for neuron in range(self.n_latents)]
        self._curved = [(neuron, CURVES[c.curve]) for neuron, c in enumerate(self._controls) if c.curve != "linear"]
        self._low = np.array([control.range[0] for control in self._controls])
        self._span = np.array([control.range[1] for control in self._controls]) - self._low
        self.slews_seconds = part_slews(np.array([np.nan if control.slew_ms == "auto" else control.slew_ms / 1000.0 for control in self._controls]))
        # The decoder's bins are the engine's: nothing has to be moved for the rate.
        self._fits = self.bin_hz == stft.bin_hz and decoder.n_bins == stft.n_bins
        self._ceiling = self._usual_gain() * db_to_amplitude(MAX_GAIN_DB)

    def _usual_gain(self) -> float:
        """Return the gain that the middle of the latent box needs: the level from which the ceiling is counted."""
        pitches = self.pitches(np.full(N_CLASSES, 1 / N_CLASSES), np.nan, np.nan, 0.0)
        magnitudes, _ = self._decode(np.full((1, self.n_latents), 0.5), pitches)
        return float(np.median(loudness_gains(magnitudes, self.stft)))

    def positions(self, faders: Row) -> Positions:
        """Return the positions in the corpus's range, float64 (n_latents,), of fader positions 0..1 (at least n_latents)."""
        x = faders[: self.n_latents].copy()
        for neuron, curve in self._curved:
            x[neuron] = curve(x[neuron])
        positions: Positions = self._low + self._span * x
        return positions

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
        metadata = self.decoder.metadata
        classes = np.flatnonzero(chroma > _LEAST_WEIGHT)
        weights = chroma[classes] / max(float(chroma[classes].sum()), 1e-9)
        home = np.array(metadata.home_octaves)[classes]
        asked = home if math.isnan(register) else np.full(len(classes), round(register))
        if metadata.registers:
            taught = np.array(metadata.registers)
            low = np.maximum(taught[0], np.ceil((metadata.midi_low - classes) / 12.0) - 1)
            high = np.minimum(taught[-1], np.floor((metadata.midi_high - classes) / 12.0) - 1)
            sung = np.clip(asked, low, np.maximum(low, high)).astype(int)
            registers = np.abs(taught[None] - sung[:, None]).argmin(1)
            sung = taught[registers]
        else:
            sung, registers = home, np.zeros(len(classes), np.intp)
        there = asked if math.isnan(register_now) else np.full(len(classes), register_now)
        pitches_hz = np.array([midi_to_hz(12.0 * (octave + 1) + c) for octave, c in zip(sung, classes, strict=True)])
        return Pitches(
            one_hot(classes, N_CLASSES),
            one_hot(registers, max(1, len(metadata.registers))),
            weights,
            12.0 * (there - sung) + transpose,
            pitches_hz,
        )

    def render(self, positions: Positions, pitches: Pitches) -> tuple[Magnitudes | None, int]:
        """Decode, move, scale to equal loudness and add as powers.

        Parameters
        ----------
        positions : float64 (voices, n_latents) or (1, n_latents)
            One point of the latent space for each of the pitches, or one for all.

        Returns
        -------
        magnitude : float32 (n_bins,) or None
            At -20 LUFS; None is silence.
        faults : int
            Pitches that came out not finite and are silent.
        """
        if len(pitches.weights) == 0:
            return None, 0
        magnitudes, faults = self._decode(positions, pitches)
        gains = loudness_gains(magnitudes, self.stft, self._ceiling) * np.sqrt(pitches.weights)
        magnitudes *= gains.astype(np.float32)[:, None]
        if len(magnitudes) == 1:
            return magnitudes[0], faults
        power: Magnitudes = np.einsum("vb,vb->b", magnitudes, magnitudes)
        return np.sqrt(power), faults

    def _decode(self, positions: Positions, pitches: Pitches) -> tuple[Magnitudes, int]:
        """Return what is asked for on the engine's bins, float32 (voices, n_bins), and how many of them were not finite."""
        points = positions.astype(np.float32)
        if len(points) != len(pitches.weights):
            points = np.repeat(points, len(pitches.weights), axis=0)
        decoded = self.decoder.decode(points, pitches.chroma, pitches.register)
        bad = ~np.isfinite(decoded.sum(1))
        if bad.any():
            decoded[bad] = 0.0
        if self._fits and not pitches.semitones.any():
            return decoded * audible(self.stft), int(bad.sum())
        moved = np.empty((len(decoded), self.stft.n_bins), np.float32)
        for row, magnitude in enumerate(decoded):
            semitones, pitch_hz = float(pitches.semitones[row]), float(pitches.pitches_hz[row])
            moved[row] = shape(magnitude, self.stft, self.bin_hz, semitones, pitch_hz, self.patch.stretch, self.patch.formants)
        return moved * audible(self.stft), int(bad.sum())


def load_sound(patch: Patch, sample_rate_hz: int) -> Sound:
    """Load a patch's decoder and make it ready to be played.

    Raises
    ------
    DecoderError
        When the decoder file cannot be used, or is not what the patch was written for.
    """
    return Sound(patch, Decoder.load(patch.decoder_path or patch.decoder), Stft.at_rate(sample_rate_hz))


class Deck:
    """One patch sounding: its faders on their way, its gate, its crossfade, and the sound that comes of them.

    Parameters
    ----------
    number : int
        Under which control knows the patch.
    row : float64 (N_SLOTS,)
        The part's row of the state.
    now : int
        The engine sample at which it begins; it is silent until `start` or `take_over`.
    """

    def __init__(self, number: int, sound: Sound, carrier: NoiseCarrier, row: Row, now: int) -> None:
        self.number = number
        self.sound = sound
        self.output = int(row[_OUTPUT])
        self.faults = 0
        self._rate = sound.stft.sample_rate_hz
        self.controls = Controls(row, sound.slews_seconds, self._rate)
        self.envelope = Envelope(self._rate)
        self.fade = Fade(0.0)
        mid = carrier.offset(sound.patch.seed)
        self._sound = OverlapAdd(carrier, mid, mid + carrier.n_hops // 2)
        self._gate = False
        self._patch_gain = db_to_amplitude(sound.patch.gain_db)
        self._pitch_key = self._key = b""
        self._pitches: Pitches
        self._spectrum: Magnitudes | None = None
        self._mix = Mix.of(0.0, 0.0)
        self._mix_key = (0.0, 0.0)
        self._heard_at = -1.0  # the moment that the last change was evaluated for

    def start(self, now: int) -> None:
        """Begin from silence: fade in, and open the gate if the state says so."""
        self.fade.to(1.0, now, START_SECONDS * self._rate)
        self._follow_gate(now)

    def take_over(self, now: int, fade_samples: float) -> None:
        """Begin as the next patch of a part that is sounding: crossfade, with the gate as open as it stood."""
        self.fade.to(1.0, now, fade_samples)
        self._gate = bool(self.controls.target[_GATE])
        if self._gate:
            self.envelope.sustain()

    def end(self, now: int, fade_samples: float) -> None:
        """Fade out for good."""
        self.fade.to(0.0, now, fade_samples)

    def update(self, row: Row, now: int) -> bool:
        """Take over the part's row of the state; return whether something acts at once, at this very sample."""
        panicked = row[_PANIC] != self.controls.target[_PANIC]
        first_arrives = self.controls.set(row, now, row[_TRAVEL], row[_GLIDE] / 1000.0)
        if first_arrives is None:
            return False
        self._heard_at = -1.0
        self._follow_gate(now, PANIC_SECONDS if panicked else np.inf)
        return first_arrives == 0.0

    def _follow_gate(self, now: int, at_most_seconds: float = np.inf) -> None:
        row = self.controls.target
        if at_most_seconds < np.inf:
            self._gate = False
            self.envelope.close(now, row, at_most_seconds)
        if bool(row[_GATE]) == self._gate:
            return
        self._gate = not self._gate
        if self._gate:
            self.envelope.open(now, row)
        else:
            self.envelope.close(now, row)

    @property
    def is_over(self) -> bool:
        """Whether it has faded out and nothing of it is left to hear."""
        return self._sound.is_silent and self.fade.level(self.fade.arrives) == 0.0

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it is heard now."""
        return self._sound.is_silent

    def is_settled(self) -> bool:
        """Whether it would sound the same for ever if nothing were changed."""
        return self._heard_at >= max(self.controls.arrives, self.envelope.arrives, self.fade.arrives)

    def change(self, now: int, until: int, spread: int, master_gain: float) -> None:
        """Be heard, from sample ``now`` on, as everything stands in the middle between now and the next change."""
        # In the middle, since a straight movement then comes out straight and in time.
        self._heard_at = middle = 0.5 * (now + until)
        row = self.controls.values(middle)
        gain = db_to_amplitude(row[_GAIN]) if row[_GAIN] > PART["gain"].minimum else 0.0
        gain *= self._patch_gain * self.envelope.level(middle, row) * self.fade.level(middle) * master_gain
        if gain <= 0.0:
            if not self._sound.is_silent:
                self._sound.change(now, spread, None, self._mix)
            return
        spectrum = self._current_spectrum(row)
        if (row[_PAN], row[_WIDTH]) != self._mix_key:
            self._mix_key = row[_PAN], row[_WIDTH]
            self._mix = Mix.of(*self._mix_key)
        self._sound.change(now, spread, None if spectrum is None else spectrum * np.float32(gain), self._mix)

    def _current_spectrum(self, row: Row) -> Magnitudes | None:
        register, glided = self.controls.target[_REGISTER], row[_REGISTER]
        if math.isnan(register) and self.sound.patch.register is not None:
            register = glided = self.sound.patch.register
        faders = row[_LATENTS][: self.sound.n_latents]
        # As bytes, since NaN does not equal itself.
        pitch_key, key = row[_CHROMA].tobytes() + np.array([register, glided, row[_TRANSPOSE]]).tobytes(), faders.tobytes()
        if pitch_key != self._pitch_key:
            self._pitches = self.sound.pitches(row[_CHROMA], register, glided, row[_TRANSPOSE])
        if (pitch_key, key) != (self._pitch_key, self._key):
            self._pitch_key, self._key = pitch_key, key
            self._spectrum, faults = self.sound.render(self.sound.positions(faders)[None], self._pitches)
            self.faults += faults
        return self._spectrum

    def add_to(self, out: NDArray[np.float32], start: int) -> None:
        """Add its samples from ``start`` on, all in one hop, to ``out``: float32 (samples, 2)."""
        if not self._sound.is_silent:
            self._sound.add_to(out, start)


_GATE, _PANIC, _TRAVEL, _GLIDE, _GAIN, _PAN, _WIDTH, _TRANSPOSE, _REGISTER, _OUTPUT = (
    PART_SLOTS[name].start for name in ("gate", "panic", "travel", "glide", "gain", "pan", "width", "transpose", "register", "output")
)
_CHROMA, _LATENTS = PART_SLOTS["chroma"], PART_SLOTS["latent"]
assert _LATENTS.stop - _LATENTS.start == MAX_LATENTS
