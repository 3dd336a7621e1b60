"""The instant response: a change is heard at once, although the window is 93 ms long (design section 2). Rendering thread.

The sound is linear in the magnitudes, so a change at sample s is a crossfade from the sound that the old magnitudes have to the sound that the new
ones have, with all four overlapping windows on both sides. The fade is a quadratic B-spline: chained at the clock's distance such fades add up to
straight lines without ripple, and no corner of theirs clicks in the bass.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .phase import NoiseCarrier

Magnitudes = NDArray[np.float32]
Sound = NDArray[np.float32]


def spline(x: NDArray[np.float64]) -> Sound:
    """Return the share of a change that is heard, float32, for times in units of the spread: 0 before 0, 1 from 2 on."""
    x = np.clip(x, 0.0, 2.0)
    return np.where(x < 1.0, 0.5 * x * x, 1.0 - 0.5 * (2.0 - x) ** 2).astype(np.float32)


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


class _Layer:
    """What is heard from a change on: magnitudes, their place between the speakers, and the sound they have in the hop at hand."""

    __slots__ = ("hop", "magnitude", "mix", "sound", "spread", "start")

    def __init__(self, start: int, spread: int, magnitude: Magnitudes | None, mix: Mix) -> None:
        self.start = start
        self.spread = spread
        self.magnitude = magnitude  # None: silence
        self.mix = mix
        self.hop = -1
        self.sound: Sound | None = None  # (hop_samples, 2), None: silence


class OverlapAdd:
    """Steady noise-phase sound of magnitudes that may change at any sample.

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
        self._layers: list[_Layer] = [_Layer(0, 1, None, Mix.of(0.0, 0.0))]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is heard and nothing is on its way."""
        return len(self._layers) == 1 and self._layers[0].magnitude is None

    def change(self, start: int, spread: int, magnitude: Magnitudes | None, mix: Mix) -> None:
        """Have other magnitudes (n_bins,), or silence (None), from sample ``start`` on: half of it heard ``spread`` samples later."""
        last = self._layers[-1]
        if last.start == start and len(self._layers) > 1:
            self._layers.pop()
        self._layers.append(_Layer(start, spread, magnitude, mix))

    def add_to(self, out: Sound, start: int) -> None:
        """Add the samples from ``start`` on, all in one hop, to ``out``: float32 (samples, 2)."""
        hop, first = divmod(start, self._hop_samples)
        stop = start + len(out)
        here = slice(first, first + len(out))
        sounds = [self._sound(layer, hop) for layer in self._layers]
        if sounds[0] is not None:
            out += sounds[0][here]
        for (before, now), layer in zip(itertools.pairwise(sounds), self._layers[1:], strict=True):
            if before is now:
                continue
            share = spline(np.arange(start - layer.start, stop - layer.start) / layer.spread)[:, None]
            if now is not None:
                out += share * now[here]
            if before is not None:
                out -= share * before[here]
        self._forget(stop)

    def _forget(self, now: int) -> None:
        """Drop the layers that a later one has wholly replaced."""
        for i in range(len(self._layers) - 1, 0, -1):
            if self._layers[i].start + 2 * self._layers[i].spread <= now:
                del self._layers[:i]
                break

    def _sound(self, layer: _Layer, hop: int) -> Sound | None:
        if layer.magnitude is None:
            return None
        if layer.hop != hop:
            layer.hop, layer.sound = hop, self._synthesise(layer.magnitude, layer.mix, hop)
        return layer.sound

    def _synthesise(self, magnitude: Magnitudes, mix: Mix, hop: int) -> Sound:
        sound = np.empty((self._hop_samples, 2), np.float32)
        mid = self._carrier.synthesise(magnitude, hop + self._offsets[0])
        np.multiply(mid, np.float32(mix.left_mid), out=sound[:, 0])
        np.multiply(mid, np.float32(mix.right_mid), out=sound[:, 1])
        if mix.left_side or mix.right_side:
            side = self._carrier.synthesise(magnitude, hop + self._offsets[1])
            sound[:, 0] += np.float32(mix.left_side) * side
            sound[:, 1] += np.float32(mix.right_side) * side
        return sound
