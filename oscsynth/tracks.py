"""Sound files that patches in resynthesis play: read, brought to the engine's rate, and kept in memory.

On a thread that may wait, never the one that renders. Imports ``sound`` for the shape alone that it gives them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import DecoderError, shown
from .patch import Patch
from .sound.source import Track

Samples = NDArray[np.float32]

LONGEST_SECONDS = 600.0  # in memory: 212 MB at 44.1 kHz
SHORTEST_SECONDS = 0.1  # about a window
_ZERO_CROSSINGS, _BETA = 24, 9.0  # of the windowed sinc: 90 dB and 90 % of the band
_MOST_PHASES = 1024  # rates whose ratio is not made of smaller numbers are not met


def track_of(patch: Patch, sample_rate_hz: int) -> Track | None:
    """Return the track that a patch plays, at a rate; None where it plays none.

    Raises
    ------
    DecoderError
        With the path and a sentence saying why, when it cannot be used.
    """
    if patch.mode != "resynthesis" or not patch.track_path:
        return None
    return read_track(Path(patch.track_path), sample_rate_hz)


def read_track(path: Path, sample_rate_hz: int) -> Track:
    """Return a sound file at a rate: one channel, or the first two.

    Raises
    ------
    DecoderError
        With the path and a sentence saying why, when it cannot be used.
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            seconds, rate = file.frames / file.samplerate, file.samplerate
            if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
                raise DecoderError(f"{shown(path)}: it lasts {seconds:.1f} s; a track lasts {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} s")
            samples = file.read(dtype="float32", always_2d=True)[:, :2]
    except (OSError, soundfile.LibsndfileError) as error:
        raise DecoderError(f"{shown(path)}: this track cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return Track(np.ascontiguousarray(resampled(samples, rate, sample_rate_hz)), sample_rate_hz)


def resampled(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Return a sound at another rate: a sinc under a Kaiser window, for each place between two samples that occurs (Smith, Digital Audio Resampling).

    Parameters
    ----------
    samples : float32 (samples, channels)

    Returns
    -------
    float32 (about samples * to_hz / from_hz, channels)
    """
    ratio = Fraction(to_hz, from_hz).limit_denominator(_MOST_PHASES)
    if ratio == 1 or not len(samples):
        return samples
    up, down = ratio.numerator, ratio.denominator
    cutoff = 0.95 * min(1.0, float(ratio))  # of the source's half rate
    half = math.ceil(_ZERO_CROSSINGS / cutoff)
    padded = np.pad(samples, ((half, half + down), (0, 0)))
    n_out = math.ceil(len(samples) * up / down)
    out = np.zeros((n_out, samples.shape[1]), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half, axis=0)  # (places, channels, taps)
    for phase in range(min(up, n_out)):
        whole, part = divmod(phase * down, up)
        n_here = len(range(phase, n_out, up))
        taps = _taps(part / up, half, cutoff)
        out[phase::up] = windows[whole + 1 : whole + 1 + n_here * down : down][:n_here] @ taps
    return out


def _taps(share: float, half: int, cutoff: float) -> Samples:
    """Return the sinc for a place between two samples, float32 (2 * half,): of those before it and those after."""
    at = np.arange(-half + 1, half + 1) - share
    window = np.i0(_BETA * np.sqrt(np.clip(1.0 - (at / half) ** 2, 0.0, None))) / np.i0(_BETA)
    taps = cutoff * np.sinc(cutoff * at) * window
    return np.asarray(taps / taps.sum(), np.float32)
