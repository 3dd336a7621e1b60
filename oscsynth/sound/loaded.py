"""What a loaded patch has whatever kind its decoder is of: faders over its neurons, and spectra moved onto the engine's bins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..metadata import Metadata
from ..patch import LatentControl, Patch
from ..units import midi_to_hz
from .controls import Row, bent, part_slews
from .moving import shape
from .phase import Stft
from .spectrum import audible, loudness_gains
from .sway import sway_table

Magnitudes = NDArray[np.float32]
Positions = NDArray[np.float64]


class Loaded:
    """A patch with what its decoder says of itself, at one rate.

    Attributes
    ----------
    patch : Patch
        As control sent it.
    slews_seconds : float64 (N_SLOTS,)
        Of `controls.part_slews`.
    ceiling : float
        The largest gain that `loud` gives; set once the decoder has been heard.
    """

    def __init__(self, patch: Patch, metadata: Metadata, stft: Stft) -> None:
        self.patch, self.stft = patch, stft
        self.n_latents = len(metadata.latents)
        self.bin_hz = metadata.sample_rate_hz / metadata.window_samples
        self.ceiling = np.inf
        if patch.phase == "tonal":
            sway_table()  # made here, on the thread that loads
        controls = {control.neuron - 1: control for control in patch.latents.values()}
        self._controls = [controls.get(neuron, LatentControl(neuron + 1)) for neuron in range(self.n_latents)]
        self._curves = [(neuron, control.curve) for neuron, control in enumerate(self._controls) if control.curve != "linear"]
        self._low = np.array([control.range[0] for control in self._controls])
        self._span = np.array([control.range[1] for control in self._controls]) - self._low
        self.slews_seconds = part_slews(np.array([np.nan if control.slew_ms == "auto" else control.slew_ms / 1000.0 for control in self._controls]))
        self._n_silent = int(np.argmax(audible(stft)))

    def positions(self, faders: Row) -> Positions:
        """Return the positions in the corpus's range, float64 (..., n_latents), of fader positions 0..1 (at least n_latents)."""
        x = faders[..., : self.n_latents].copy()
        for neuron, curve in self._curves:
            x[..., neuron] = bent(x[..., neuron], curve)
        positions: Positions = self._low + self._span * x
        return positions

    def amounts(self, by_name: Mapping[str, float]) -> Row:
        """Return what a patch says of some named latents by neuron, float64 (n_latents,)."""
        amounts = np.zeros(self.n_latents)
        for name, amount in by_name.items():
            amounts[self.patch.latents[name].neuron - 1] = amount
        return amounts

    def shape(self, decoded: Magnitudes, semitones: Row, pitches_midi: Row, out: Magnitudes | None = None) -> Magnitudes:
        """Return decoded spectra on the engine's bins, each moved by some semitones from the pitch that it has: float32 (voices, n_bins)."""
        pitches_hz = midi_to_hz(pitches_midi)
        moved = shape(decoded, self.stft, self.bin_hz, semitones, pitches_hz, self.patch.stretch, self.patch.formants, out)
        silent = self._n_silent
        moved[:, :silent] = moved[:, -1:] = 0.0  # as `audible` has it
        return moved

    def gains(self, magnitudes: Magnitudes) -> Row:
        """Return what brings spectra to -20 LUFS each, float64 (voices,), at most the ceiling."""
        return loudness_gains(magnitudes, self.stft, self.ceiling)

    def loud(self, magnitudes: Magnitudes) -> Magnitudes:
        """Bring spectra to -20 LUFS each, in place, and return them."""
        magnitudes *= self.gains(magnitudes).astype(np.float32)[:, None]
        return magnitudes
