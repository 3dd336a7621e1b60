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
_CACHED_HOPS = 16  # decks with the same seed share them

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
    over the four phasors: the same result as four inverse FFTs and windows, to rounding.

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
        self._phasors = np.empty((self.n_hops, stft.n_bins), np.complex64)
        self._phasors.fill(0.0)  # touched now: no page of it is fetched while it sounds
        self._is_analysed, self._ahead = np.zeros(self.n_hops, bool), 0
        # With the weight that Hann's outer taps have, so that it need not be multiplied in once more.
        self._turns = _quarter_turns(stft.n_bins) * np.float32(-0.25 / WINDOW_SQUARES)
        self._scratch = np.empty((OVERLAP, stft.n_bins), np.complex64)
        self._kernels: OrderedDict[tuple[int, ...], Spectrum] = OrderedDict()

    def phasors(self, hop: int) -> Spectrum:
        """Return the phases of one hop of the loop, complex64 (n_bins,), as numbers of modulus 1; analysed when it is first asked for.

        All of them would take two tenths of a second, before anything sounds.
        """
        phasors: Spectrum = self._phasors[hop]
        if not self._is_analysed[hop]:
            self._is_analysed[hop] = True
            first = hop * self.stft.hop_samples
            spectrum = np.fft.rfft(self._circular[first : first + self.stft.window_samples] * self._hann)
            np.divide(spectrum, np.maximum(np.abs(spectrum), 1e-12), out=phasors, casting="same_kind")
        return phasors

    def analyse_ahead(self) -> None:
        """Analyse one hop of the loop before it is asked for, if any is left: where a sound begins, eight are missing at once."""
        if self._ahead < self.n_hops:
            self.phasors(self._ahead)
            self._ahead += 1

    def offset(self, seed: int) -> int:
        """Return the hop at which a patch with this seed starts in the loop."""
        return int(np.random.default_rng(seed).integers(self.n_hops))

    def kernels(self, *hops: int) -> Spectrum:
        """Return Q0, Q+ and Q- of some hops of the loop, one for each carrier: complex64 (3, carriers, n_bins)."""
        hops = tuple(hop % self.n_hops for hop in hops)
        cached = self._kernels.get(hops)
        if cached is not None:
            return cached
        made = np.empty((3, len(hops), self.stft.n_bins), np.complex64)
        for carrier, hop in enumerate(hops):
            self._make(hop, made[:, carrier])
        self._kernels[hops] = made
        if len(self._kernels) > _CACHED_HOPS:
            self._kernels.popitem(last=False)
        return made

    def _make(self, hop: int, out: Spectrum) -> None:
        """Write the kernels of one hop, complex64 (3, n_bins)."""
        last, one, two, three = self._scratch  # in place: memory that is hot is worth more than a line saved
        for back, turned in enumerate(self._scratch):
            np.multiply(self.phasors((hop - back) % self.n_hops), self._turns[back], out=turned)
        # Each of the three is a sum of the four, turned by quarters: what they have in common is added up once.
        np.add(last, two, out=out[1])
        np.add(one, three, out=out[2])
        np.add(out[1], out[2], out=out[0])
        out[0] *= np.float32(-2.0)  # Hann's middle tap
        last -= two
        one -= three
        one *= np.complex64(1j)
        np.add(last, one, out=out[1])
        np.subtract(last, one, out=out[2])


def synthesise(magnitude: NDArray[np.float32], kernels: Spectrum) -> NDArray[np.float32]:
    """Return the sound that steady magnitudes have in one hop.

    Parameters
    ----------
    magnitude : float32 (n_bins,)
        Zero at 0 Hz and at the Nyquist frequency (see `spectrum.audible`).
    kernels : complex64 (3, carriers, n_bins)
        Those of the hop, for one or more carriers.

    Returns
    -------
    float32 (carriers, hop_samples)
    """
    return sound_of(noise_spectrum(magnitude, kernels))


def noise_spectrum(magnitude: NDArray[np.float32], kernels: Spectrum) -> Spectrum:
    """Return what `sound_of` makes the sound of `synthesise` of: complex64 (carriers, n_bins)."""
    spectrum: Spectrum = magnitude * kernels[0]
    spectrum[:, 1:] += magnitude[:-1] * kernels[1, :, :-1]
    spectrum[:, :-1] += magnitude[1:] * kernels[2, :, 1:]
    # What the taps carry over an end of the spectrum meets its own mirror image there.
    spectrum[:, 0] *= 2
    spectrum[:, -1] *= 2
    return spectrum


def sound_of(spectrum: Spectrum) -> NDArray[np.float32]:
    """Return the samples of one hop, float32 (carriers, hop_samples), of the sum of its four windows, complex64 (carriers, n_bins)."""
    window_samples = 2 * (spectrum.shape[1] - 1)
    # NumPy transforms complex64 in single precision, whatever its annotations say.
    sound = np.fft.irfft(spectrum, window_samples)[:, : window_samples // OVERLAP]
    return sound.astype(np.float32, copy=False)


def _quarter_turns(n_bins: int) -> Spectrum:
    """Return i to the power of (bin times hops back), complex64 (OVERLAP, n_bins): what lying some hops back does to a phase."""
    powers = np.array([1, 1j, -1, -1j], np.complex64)
    return powers[np.outer(np.arange(OVERLAP), np.arange(n_bins)) % 4]
