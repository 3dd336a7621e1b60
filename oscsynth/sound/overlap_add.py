"""The instant response: a change is heard at once, although the window is 93 ms long (design section 2). Rendering thread.

The sound is linear in the magnitudes, so a change at sample s is a crossfade from the sound that the old magnitudes have to the sound that the new
ones have, with all four overlapping windows on both sides. The fade is a quadratic B-spline: chained at the clock's distance such fades add up to
straight lines without ripple, and no corner of theirs clicks in the bass.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .phase import HOPS_AHEAD, NoiseCarrier, Spectrum, in_pairs, noise_spectrum, sound_of
from .tonal import Tone

Magnitudes = NDArray[np.float32]
Sound = NDArray[np.float32]


@functools.cache
def spline(spread: int, more: int) -> Sound:
    """Return the share of a change that is heard 0, 1, 2 ... samples after it, float32 (2 * spread + more,): 1 from 2 * spread on."""
    x = np.arange(2 * spread + more) / spread
    return np.where(x < 1.0, 0.5 * x * x, 1.0 - 0.5 * np.maximum(2.0 - x, 0.0) ** 2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Mix:
    """How mid and side become left and right; ``left_side`` and ``right_side`` are 0 together for mono."""

    left_mid: float
    right_mid: float
    left_side: float
    right_side: float

    @classmethod
    def of(cls, pan: float, width: float) -> Mix:
        """Return the mix for a place -1..1 and a width 0..2: total power is the same for all, and mono has no dip."""
        angle = (pan + 1.0) * np.pi / 4.0
        scale = (2.0 / (1.0 + width * width)) ** 0.5
        left, right = float(np.cos(angle)) * scale, float(np.sin(angle)) * scale
        return cls(left, right, left * width, -right * width)

    @property
    def n_carriers(self) -> int:
        """2, or 1 for mono."""
        return 2 if self.left_side or self.right_side else 1

    def add(self, carriers: Sound, out: Sound) -> None:
        """Add mid (and side), float32 (n_carriers, samples), to left and right, float32 (samples, 2)."""
        # No matrix product: what that rounds depends on how many samples there are.
        both = np.array([[self.left_mid], [self.right_mid]], np.float32) * carriers[0]  # (2, samples)
        if len(carriers) > 1:
            both += np.array([[self.left_side], [self.right_side]], np.float32) * carriers[1]
        out += both.T


class _Layer:
    """What is heard from a change on: noise and tone, their place between the speakers, and the sound they have in each hop."""

    __slots__ = ("mix", "pairs", "sounds", "spread", "start", "tone")

    def __init__(self, start: int, spread: int, magnitude: Magnitudes | None, mix: Mix, tone: Tone | None) -> None:
        self.start = start
        self.spread = spread
        self.pairs = None if magnitude is None else in_pairs(magnitude)  # None: no noise
        self.tone = tone
        self.mix = mix
        self.sounds: dict[int, Sound] = {}  # by hop, those that were made ahead too: (carriers, hop_samples)

    @property
    def is_silent(self) -> bool:
        return self.pairs is None and self.tone is None

    def keep(self, sounds: dict[int, Sound]) -> None:
        """Have the sound of some hops at hand, and forget that of the first ones."""
        self.sounds |= sounds
        for hop in list(self.sounds)[: -1 - HOPS_AHEAD]:
            del self.sounds[hop]


class OverlapAdd:
    """Steady sound of magnitudes that may change at any sample: noise, tone, or both in one inverse FFT.

    Parameters
    ----------
    carrier : NoiseCarrier
        The stored noise; shared by all.
    mid_offset, side_offset : int
        Hops at which the two carriers start in its loop.
    """

    def __init__(self, carrier: NoiseCarrier, mid_offset: int, side_offset: int) -> None:
        self._carrier = carrier
        self._hop_samples = carrier.stft.hop_samples
        self._offsets = mid_offset, side_offset
        self._layers: list[_Layer] = [_Layer(0, 1, None, Mix.of(0.0, 0.0), None)]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is heard and nothing is on its way."""
        return len(self._layers) == 1 and self._layers[0].is_silent

    @property
    def is_steady(self) -> bool:
        """Whether no change is still coming in."""
        return len(self._layers) == 1

    def change(self, start: int, spread: int, magnitude: Magnitudes | None, mix: Mix, tone: Tone | None = None) -> None:
        """Have other noise (n_bins,), another tone, both or silence (None), from sample ``start`` on: half of it heard ``spread`` samples later."""
        last = self._layers[-1]
        if magnitude is None and tone is None and last.is_silent:
            return  # it is on its way already: said again and again, silence would never be there
        if last.start == start and len(self._layers) > 1:
            self._layers.pop()
            last = self._layers[-1]
        if len(self._layers) > 1:
            # Never all there before the change that it takes the place of: half of what is left of that is the least.
            spread = max(spread, -((start - last.start - 2 * last.spread) // 2))
        self._layers.append(_Layer(start, spread, magnitude, mix, tone))

    def add_to(self, out: Sound, start: int) -> None:
        """Add the samples from ``start`` on, all in one hop or, while it `is_steady`, whole hops, to ``out``: float32 (samples, 2)."""
        hop, first = divmod(start, self._hop_samples)
        if len(out) > self._hop_samples:
            self._add_hops(out, hop)
            return
        here = slice(first, first + len(out))
        by_mix: dict[Mix, Sound] = {}
        replaced: Sound | None = None  # share of the layer at hand that a later one has taken; None: nothing
        for layer in reversed(self._layers):
            heard = self._heard(layer, start, len(out))
            sound = self._sound(layer, hop)
            if sound is not None:
                share = heard if replaced is None else heard - replaced
                weighted = sound[:, here] * share
                by_mix[layer.mix] = by_mix[layer.mix] + weighted if layer.mix in by_mix else weighted
            replaced = heard
        for mix, carriers in by_mix.items():
            mix.add(carriers, out)
        self._forget(start + len(out))

    def _heard(self, layer: _Layer, start: int, n_samples: int) -> Sound:
        """Return how much of a change is heard at each of some samples, float32 (n_samples,); all of the oldest."""
        table = spline(layer.spread, self._hop_samples)
        since = start - layer.start
        if layer is self._layers[0] or since >= 2 * layer.spread:
            since = 2 * layer.spread
        return table[since : since + n_samples]

    def _forget(self, now: int) -> None:
        """Drop the layers that a later one has wholly replaced."""
        for i in range(len(self._layers) - 1, 0, -1):
            if self._layers[i].start + 2 * self._layers[i].spread <= now:
                del self._layers[:i]
                break

    def _add_hops(self, out: Sound, hop: int) -> None:
        """Add some hops of steady sound, made in one go."""
        layer = self._layers[0]
        if layer.is_silent:
            return
        n_hops, n_carriers = len(out) // self._hop_samples, layer.mix.n_carriers
        spectra = np.zeros((n_hops, n_carriers, self._carrier.stft.n_bins), np.complex64)
        if layer.pairs is not None:
            for carrier, offset in enumerate(self._offsets[:n_carriers]):
                spectra[:, carrier] = noise_spectrum(layer.pairs, self._carrier.kernels(*range(hop + offset, hop + offset + n_hops)))
        if layer.tone is not None:
            for ahead, spectrum in enumerate(spectra):
                spectrum += layer.tone.spectrum(hop + ahead, n_carriers)
        sounds = sound_of(spectra)
        layer.keep(dict(enumerate(sounds, hop)))
        layer.mix.add(sounds.swapaxes(0, 1).reshape(n_carriers, -1), out)

    def _sound(self, layer: _Layer, hop: int) -> Sound | None:
        if layer.is_silent:
            return None
        if hop not in layer.sounds:
            layer.keep({hop: sound_of(self._spectrum(layer, hop))})
        return layer.sounds[hop]

    def _spectrum(self, layer: _Layer, hop: int) -> Spectrum:
        n_carriers = layer.mix.n_carriers
        if layer.pairs is None:
            assert layer.tone is not None
            return layer.tone.spectrum(hop, n_carriers)
        spectrum = noise_spectrum(layer.pairs, self._carrier.kernels(*[hop + offset for offset in self._offsets[:n_carriers]]))
        if layer.tone is not None:
            spectrum += layer.tone.spectrum(hop, n_carriers)
        return spectrum
