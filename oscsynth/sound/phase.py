"""The stored noise: phases known ahead, folded into the kernels that one inverse FFT needs (design section 2).

Colonel & Keene 2020 (section V) give the decoder's magnitudes the phase of noise. Here the phases are those of the STFT of one *circular* noise,
so that they belong to a real signal and the loop has no seam. Rendering thread; the table is made once, as it is come to.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOISE_SECONDS = 20.0
OVERLAP = 4  # hops a window spans: 75 %
WINDOW_SQUARES = 1.5  # sum of the squared Hann windows that overlap at 75 %, a constant
_NOISE_SEED = 440
HOPS_AHEAD = 7  # so much of what stands still is made ahead at most
_KEPT_PHASORS = 16 * OVERLAP  # each is needed for four hops, and eight parts may be at two places each

Spectrum = NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Stft:
    """The one place that knows the window, hop and rate of the engine."""

    sample_rate_hz: int
    window_samples: int

    @classmethod
    def at_rate(cls, sample_rate_hz: int) -> Stft:
        """Return the engine's STFT: 4096 samples, 8192 above 64 kHz, 16384 above 128 kHz."""
        return cls(sample_rate_hz, 4096 if sample_rate_hz <= 64000 else 8192 if sample_rate_hz <= 128000 else 16384)

    @property
    def hop_samples(self) -> int:
        """A quarter of the window."""
        return self.window_samples // OVERLAP

    @property
    def clock_samples(self) -> int:
        """How often moving controls are decoded: 128 samples at 44.1 kHz."""
        return self.window_samples // 32

    @property
    def n_bins(self) -> int:
        """Half the window and one."""
        return self.window_samples // 2 + 1

    @property
    def bin_hz(self) -> float:
        """Distance between two bins."""
        return self.sample_rate_hz / self.window_samples

    def frequencies_hz(self) -> NDArray[np.float64]:
        """Return the frequency of each bin, float64 (n_bins,)."""
        return np.arange(self.n_bins, dtype=np.float64) * self.bin_hz


class NoiseCarrier:
    """Phases of a circular white noise, and the three kernels a hop that turn magnitudes into sound with one inverse FFT.

    In hop n four windows overlap, each the inverse FFT of magnitudes times its own phasors, rotated by the quarter windows it lies back. A Hann
    window in frequency is three taps, so the windowed sum is ``M Q0`` plus ``M Q+`` one bin up plus ``M Q-`` one bin down, where the Q are sums
    over the four phasors: the same result as four inverse FFTs and windows, to rounding. What is known of the noise alone is made but once.

    Parameters
    ----------
    stft : Stft
        The engine's.
    seconds : float
        Least length of the loop.
    """

    def __init__(self, stft: Stft, seconds: float = NOISE_SECONDS) -> None:
        self.stft = stft
        self.n_hops = int(np.ceil(seconds * stft.sample_rate_hz / stft.hop_samples))
        hop, window = stft.hop_samples, stft.window_samples
        noise = np.random.default_rng(_NOISE_SEED).standard_normal(self.n_hops * hop, np.float32)
        self._circular = np.concatenate([noise, noise[: window - hop]])
        self._hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
        # With the first hops once more after the last ones, so that some in a row are one view of it, wherever they begin.
        self._kernels = np.empty((self.n_hops + HOPS_AHEAD, 3, stft.n_bins), np.complex64)
        self._kernels.fill(0.0)  # touched now: no page of it is fetched while it sounds
        self._is_made, self._ahead = np.zeros(self.n_hops, bool), 0
        self._phasors: OrderedDict[int, Spectrum] = OrderedDict()
        # With the weight that Hann's outer taps have, so that it need not be multiplied in once more.
        self._turns = _quarter_turns(stft.n_bins) * np.float32(-0.25 / WINDOW_SQUARES)
        self._scratch = np.empty((OVERLAP, stft.n_bins), np.complex64)

    def phasors(self, hop: int) -> Spectrum:
        """Return the phases of one hop of the loop, complex64 (n_bins,), as numbers of modulus 1."""
        known = self._phasors.get(hop)
        if known is not None:
            self._phasors.move_to_end(hop)
            return known
        first = hop * self.stft.hop_samples
        spectrum = np.fft.rfft(self._circular[first : first + self.stft.window_samples] * self._hann)
        self._phasors[hop] = phasors = (spectrum / np.maximum(np.abs(spectrum), 1e-12)).astype(np.complex64, copy=False)
        if len(self._phasors) > _KEPT_PHASORS:
            self._phasors.popitem(last=False)
        return phasors

    def make_ahead(self) -> None:
        """Make the kernels of one hop of the loop before they are asked for, if any are left: where a sound begins, two are missing at once."""
        if self._ahead < self.n_hops:
            self.kernels(self._ahead)
            self._ahead += 1

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to `make_ahead`."""
        return self._ahead == self.n_hops

    def offset(self, seed: int) -> int:
        """Return the hop at which a patch with this seed starts in the loop."""
        return int(np.random.default_rng(seed).integers(self.n_hops))

    def kernels(self, *hops: int) -> Spectrum:
        """Return Q0, Q+ and Q- as they are for `noise_spectrum`, complex64 (hops, 3, n_bins), not to be changed.

        Of one hop of the loop, of any two, or of some that follow each other, `HOPS_AHEAD` at most. They are made when they are first asked for: all
        of them would take two tenths of a second, before anything sounds.
        """
        first, *others = [self._made(hop) for hop in hops]
        # Any two rows, and some in a row, are a view of the table: nothing is copied.
        step = others[0] - first if len(others) == 1 else 1
        return self._kernels[first::step][: len(hops)]

    def _made(self, hop: int) -> int:
        hop %= self.n_hops
        if not self._is_made[hop]:
            self._is_made[hop] = True
            self._make(hop, self._kernels[hop])
            if hop < HOPS_AHEAD:
                self._kernels[self.n_hops + hop] = self._kernels[hop]
        return hop

    def _make(self, hop: int, out: Spectrum) -> None:
        """Write the kernels of one hop, complex64 (3, n_bins)."""
        last, one, two, three = self._scratch
        for back, turned in enumerate(self._scratch):
            np.multiply(self.phasors((hop - back) % self.n_hops), self._turns[back], out=turned)
        # Each of the three is a sum of the four, turned by quarters: what they have in common is added up once.
        even, odd = last + two, one + three
        np.multiply(even + odd, np.float32(-2.0), out=out[0])  # Hann's middle tap
        last -= two
        one -= three
        one *= np.complex64(1j)
        # Each at the bin it is heard in.
        np.add(last[:-1], one[:-1], out=out[1, 1:])
        np.subtract(last[1:], one[1:], out=out[2, :-1])
        # What the taps carry over an end of the spectrum meets its own mirror image there.
        out[:, 0] *= 2
        out[:, -1] *= 2


def synthesise(magnitude: NDArray[np.float32], kernels: Spectrum) -> NDArray[np.float32]:
    """Return the sound that steady magnitudes have in one hop.

    Parameters
    ----------
    magnitude : float32 (n_bins,)
        Zero at 0 Hz and at the Nyquist frequency (see `spectrum.audible`).
    kernels : complex64 (carriers, 3, n_bins)
        Those of the hop, for one or more carriers.

    Returns
    -------
    float32 (carriers, hop_samples)
    """
    return sound_of(noise_spectrum(in_pairs(magnitude), kernels))


def in_pairs(magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each magnitude twice, float32 (2 * n_bins,): what `noise_spectrum` multiplies real and imaginary parts by.

    NumPy knows no product of real and complex numbers; that of complex ones takes three times as long for the same.
    """
    pairs = np.empty(2 * len(magnitude), np.float32)
    pairs[::2] = pairs[1::2] = magnitude
    return pairs


def noise_spectrum(pairs: NDArray[np.float32], kernels: Spectrum) -> Spectrum:
    """Return what `sound_of` makes the sound of `synthesise` of: complex64 (carriers, n_bins); of magnitudes `in_pairs`."""
    q = kernels.view(np.float32)  # (carriers, 3, 2 * n_bins)
    spectrum = pairs * q[:, 0]
    spectrum[:, 2:] += pairs[:-2] * q[:, 1, 2:]
    spectrum[:, :-2] += pairs[2:] * q[:, 2, :-2]
    return spectrum.view(np.complex64)


def sound_of(spectrum: Spectrum) -> NDArray[np.float32]:
    """Return the samples of a hop, float32 (..., hop_samples), of the sum of its four windows, complex64 (..., n_bins)."""
    window_samples = 2 * (spectrum.shape[-1] - 1)
    # NumPy transforms complex64 in single precision, whatever its annotations say.
    sound = np.fft.irfft(spectrum, window_samples)[..., : window_samples // OVERLAP]
    return sound.astype(np.float32, copy=False)


def _quarter_turns(n_bins: int) -> Spectrum:
    """Return i to the power of (bin times hops back), complex64 (OVERLAP, n_bins): what lying some hops back does to a phase."""
    powers = np.array([1, 1j, -1, -1j], np.complex64)
    return powers[np.outer(np.arange(OVERLAP), np.arange(n_bins)) % 4]
