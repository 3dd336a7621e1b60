"""What notes sound like on a decoder of kind ``note``: each goes through its hops, then back and forth in its loop. Rendering thread.

A note is decoded once for its timbre and pitch, and again whenever its timbre moves; at each clock the moment that it has come to is heard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .controls import Row
from .note_sound import NoteSound
from .standing import FadersAt, Values

DECODE_COST = 2  # whole notes decoded count for as many more voices that move


class Walking:
    """The spectra of some voices.

    Parameters
    ----------
    sound : NoteSound
        What they play.
    n : int
        The most there can be.
    faders_at : callable
        As for `standing.Standing`; so are the attributes.
    """

    def __init__(self, sound: NoteSound, n: int, faders_at: FadersAt) -> None:
        self._sound, self._faders_at = sound, faders_at
        self.faults = 0
        self._places = np.zeros(n, np.intp)  # which of the decoder's pitches each has
        self.sung, self._begun, self._gains = np.zeros(n), np.zeros(n), np.zeros(n)
        self._draws = np.zeros((n, sound.n_latents))
        self._timbres = np.zeros((n, sound.n_latents), np.float32)
        self._bands = np.empty((n, sound.decoder.n_hops, sound.decoder.n_bands), np.float32)
        self.magnitudes, self.powers = (np.empty((n, sound.stft.n_bins), np.float32) for _ in range(2))

    def arrives(self, n_voices: int) -> float:
        """Return when the first ones stand still: never."""
        return np.inf if n_voices else 0.0

    def begin(self, at: int, pitch: float, number: float, now: int) -> None:
        """Have a new note at a place: its pitch, and which note of all it is."""
        sound = self._sound
        self._places[at] = sound.decoder.nearest(np.array([pitch]))[0]
        self.sung[at] = sound.decoder.pitches[self._places[at]]
        self._begun[at], self._timbres[at], self._draws[at] = now, np.nan, sound.draw(number)

    def follow(self, at: int, other: object, theirs: int, now: int) -> None:
        """Go on with a note that another patch of the part holds: from where it has come to, or from the loop."""
        self._begun[at] = other._begun[theirs] if isinstance(other, Walking) else now - self._sound.loop_samples()

    def put(self, at: int, to: int) -> None:
        """Put one into the place of another."""
        for rows in (self._places, self.sung, self._begun, self._gains, self._draws, self._timbres, self._bands, self.magnitudes, self.powers):
            rows[to] = rows[at]

    def move(self, moment: float, values: Values, row: Row, semitones: Row, touched: NDArray[np.bool_]) -> int:
        """Go on with those that are ``touched``, bool (voices,), and return as how many they count; arguments as for `standing.Standing`."""
        at = np.flatnonzero(touched)
        if len(at) == 0:
            return 0
        sound = self._sound
        timbres = sound.timbres(row, self._faders_at(values, row)[at], self._draws[at])
        moved = at[(timbres != self._timbres[at]).any(1)]
        if len(moved):
            self._timbres[at] = timbres
            (self._bands[moved], self._gains[moved]), faults = sound.decode(self._timbres[moved], self._places[moved])
            self.faults += faults
        spectra = sound.shape(sound.moments(self._bands, at, moment - self._begun[at]), semitones[at], self.sung[at])
        spectra *= self._gains[at].astype(np.float32)[:, None]
        self.magnitudes[at] = spectra
        self.powers[at] = spectra * spectra
        return len(at) + DECODE_COST * len(moved)
