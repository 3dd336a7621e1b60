"""A loaded patch on a decoder of kind ``note``: from instruments, faders and pitches to the spectra of notes (design sections 2 and 3).

Loading on a worker thread, everything else on the rendering thread.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..parameters import PART_SLOTS
from ..patch import Patch
from ..units import db_to_amplitude
from .controls import Indices, Row
from .loaded import Loaded, Magnitudes
from .note_decoder import NoteDecoder
from .phase import Stft

_TIMBRE = PART_SLOTS["timbre"]
_TRANSFER, _FROM, _TO, _BRIGHTNESS, _SPREAD = (
    PART_SLOTS[name].start for name in ("transfer", "transfer/from", "transfer/to", "brightness", "spread")
)
_KEPT_NOTES = 64
_USUAL_SECONDS = 1.0  # that a note is held
_MOST_GAIN_DB = 36.0  # over what a note in the middle needs: in the corners of the timbre's space some notes are that much quieter
_MOST_HELD_DB = 18.0  # that a hop of the loop is brought up or down to the loudness of the first


class Notes(NamedTuple):
    """Some notes decoded whole: ``bands``, float32 (voices, n_hops, n_bands), are powers, ``gains``, float64 (voices,), bring each to -20 LUFS."""

    bands: Magnitudes
    gains: Row


class NoteSound(Loaded):
    """A patch with its decoder of kind ``note``, ready to be played at one rate.

    Attributes
    ----------
    hop_samples : float
        Of the decoder, in engine samples.
    """

    is_pitched = True

    def __init__(self, patch: Patch, decoder: NoteDecoder, stft: Stft) -> None:
        super().__init__(patch, decoder.metadata, stft)
        self.decoder, note, metadata = decoder, decoder.map, decoder.metadata
        self.hop_samples = metadata.hop_samples * stft.sample_rate_hz / metadata.sample_rate_hz
        self._loop = note.loop_first_hop, note.loop_last_hop
        self._weights = self._shares()
        self._shift = np.array([latent.high - latent.low for latent in metadata.latents])
        self._brightness = note.brightness
        self._known: OrderedDict[bytes, tuple[Magnitudes, float]] = OrderedDict()
        self.ceiling = self._usual_gain() * db_to_amplitude(_MOST_GAIN_DB)

    def _usual_gain(self) -> float:
        """Return the gain that a note in the middle needs: the level from which the ceiling is counted."""
        instruments = self.decoder.instruments
        notes = self._decode(instruments, np.full(len(instruments), len(self.decoder.pitches) // 2))[0]
        return float(np.median(notes.gains))

    def _shares(self) -> Magnitudes:
        """Return the share of each hop in a note that is held so long, float32 (n_hops,): as loud as it is, so it is scaled."""
        first, last = self._loop
        shares = np.zeros(self.decoder.n_hops, np.float32)
        shares[:first] = 1.0
        shares[first : last + 1] = max(0.0, _USUAL_SECONDS * self.stft.sample_rate_hz / self.hop_samples - first) / (last + 1 - first)
        shares /= shares.sum()
        return shares

    # ---- what is decoded

    def timbres(self, row: Row, faders: Row, draws: Row) -> Magnitudes:
        """Return the timbre of each of some voices, in the decoder's own units: float32 (voices, n_latents).

        Parameters
        ----------
        row : float64 (N_SLOTS,)
            The part's: weights of the instruments, how far from one to another, brightness, and how far notes stray.
        faders : float64 (voices, n_latents)
            What is added in each dimension; 0.5 adds nothing.
        draws : float64 (voices, n_latents)
            In which direction each note strays, in deviations.
        """
        shifts = (self.positions(faders) - 0.5) * self._shift
        strays = row[_SPREAD] * self.decoder.map.timbre_deviation * draws
        timbres: Magnitudes = (self._mixed(row) + shifts + strays).astype(np.float32)
        return timbres

    def _mixed(self, row: Row) -> Row:
        instruments = self.decoder.instruments
        weights = row[_TIMBRE][: len(instruments)]
        total = float(weights.sum())
        timbre: Row = (weights / total if total > 0.0 else np.full(len(weights), 1.0 / len(weights))) @ instruments.astype(np.float64)
        start, end = int(row[_FROM]), int(row[_TO])
        if 0 <= start < len(instruments) and 0 <= end < len(instruments):
            timbre += row[_TRANSFER] * (instruments[end] - instruments[start])
        way = 2.0 * row[_BRIGHTNESS] - 1.0
        timbre[self._brightness.latent] += way * self._brightness.brightest if way > 0.0 else -way * self._brightness.darkest
        return timbre

    def decode(self, timbres: Magnitudes, places: Indices) -> tuple[Notes, int]:
        """Return some notes, and how many came out not finite and are silent; each is decoded once for as long as it is remembered.

        Parameters
        ----------
        timbres : float32 (voices, n_latents)
            Of `timbres`.
        places : intp (voices,)
            Which of the decoder's pitches each has.
        """
        keys = [timbre.tobytes() + place.tobytes() for timbre, place in zip(timbres, places, strict=True)]
        new = list({key: row for row, key in enumerate(keys) if key not in self._known}.values())
        faults = 0
        if new:
            notes, faults = self._decode(timbres[new], places[new])
            self._known.update((keys[row], (bands, gain)) for row, bands, gain in zip(new, notes.bands, notes.gains, strict=True))
        found = [self._known[key] for key in keys]
        while len(self._known) > _KEPT_NOTES:
            self._known.popitem(last=False)
        return Notes(np.stack([bands for bands, _ in found]), np.array([gain for _, gain in found])), faults

    def _decode(self, timbres: Magnitudes, places: Indices) -> tuple[Notes, int]:
        bands = self.decoder.decode(timbres, places)
        bad = ~np.isfinite(bands.reshape(len(bands), -1).sum(1))
        bands[bad] = 0.0
        self._hold(bands)
        mean = self.decoder.magnitudes(np.einsum("vhb,h->vb", bands, self._weights))
        return Notes(bands, self.gains(self.shape(mean, np.zeros(len(mean)), np.zeros(len(mean))))), int(bad.sum())

    def _hold(self, bands: Magnitudes) -> None:
        """Bring every hop of the loop to the power of its first, in place: a note that is held does not swell and fade as it goes back and forth."""
        first, last = self._loop
        powers = bands[:, first : last + 1].sum(2)
        most = 10.0 ** (_MOST_HELD_DB / 10.0)
        ratios = np.clip(powers[:, :1] / np.maximum(powers, 1e-30), 1.0 / most, most)
        bands[:, first : last + 1] *= ratios[:, :, None]

    # ---- what is heard of it

    def loop_samples(self) -> float:
        """Return how long after its beginning a note comes to its loop."""
        return self._loop[0] * self.hop_samples

    def moments(self, bands: Magnitudes, voices: Indices, since_samples: Row) -> Magnitudes:
        """Return what some notes sound like some time after they began: float32 (len(voices), decoder's bins).

        Parameters
        ----------
        bands : float32 (notes, n_hops, n_bands)
        voices : intp (voices,)
            Which of these notes.
        since_samples : float64 (voices,)
            In engine samples.
        """
        hops = self._hops(since_samples)
        left = np.minimum(hops.astype(np.intp), self.decoder.n_hops - 2)
        share = (hops - left).astype(np.float32)[:, None]
        now = bands[voices, left]
        now += share * (bands[voices, left + 1] - now)
        return self.decoder.magnitudes(now)

    def _hops(self, since_samples: Row) -> Row:
        """Return where in its hops a note is: once through to the end of the loop, then back and forth in it."""
        first, last = self._loop
        hops = np.maximum(since_samples, 0.0) / self.hop_samples
        beyond = np.maximum(hops - last, 0.0) % (2.0 * (last - first))
        back = np.where(beyond <= last - first, last - beyond, 2.0 * first - last + beyond)
        return np.where(hops <= last, hops, back)

    def draw(self, number: float) -> NDArray[np.float64]:
        """Return in which direction a note strays, float64 (n_latents,): the same for the same note of the same patch."""
        return np.random.default_rng([self.patch.seed, int(number)]).standard_normal(self.n_latents)
