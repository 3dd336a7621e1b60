"""What notes sound like on a decoder of kind ``frame``: spectra that stand still until faders or pitch move. Rendering thread.

A voice is decoded again only when its faders have moved, and stretched again only when its pitch has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ..parameters import MAX_LATENTS
from .controls import Indices, Row
from .turns import MOST_NEW_AT_ONCE, Turns, most_at_once
from .voices import Magnitudes, Sound

ROWS_AHEAD = 8  # spectra decoded together where a movement is known ahead

Values = NDArray[np.float64]  # (voices, what slides of each), as `bank` has them
FadersAt = Callable[[Values, Row], Row]


class Standing:
    """The spectra of some voices.

    Parameters
    ----------
    sound : Sound
        What they play.
    n : int
        The most there can be.
    faders_at : callable
        Given what slides of each and the part's row, returns where the faders of each stand, float64 (voices, n_latents).
    ahead : callable
        Given a moment and a step, returns both as they will be then, None for when nothing has moved for a step.
    has_budget : bool
        As for `turns.most_at_once`.

    Attributes
    ----------
    sung : float64 (n,)
        The pitch at which each is decoded, a MIDI note number.
    magnitudes, powers : float32 (n, n_bins)
        The spectrum of each at the loudness of a drone.
    faults : int
        Spectra that came out not finite and are silent.
    only_one : bool
        Whether there is time to make one anew at the next `move`, and no more.
    is_behind : bool
        As for `walking.Walking`; never here: who begins has its turn at one of the next changes, whatever there is time for.
    """

    is_behind = False

    def __init__(
        self, sound: Sound, n: int, faders_at: FadersAt, ahead: Callable[[float, int], tuple[Values, Row] | None], has_budget: bool = False
    ) -> None:
        self._sound, self._faders_at, self._ahead_at = sound, faders_at, ahead
        self.faults, self.only_one = 0, False
        self._turns = Turns(n, most_at_once(n, has_budget, sound.patch.phase == "tonal"), MOST_NEW_AT_ONCE if has_budget else n)
        self._classes, self._registers = np.zeros(n, np.intp), np.zeros(n, np.intp)
        self.sung, self._semitones = np.zeros(n), np.zeros(n)
        self._faders = np.zeros((n, sound.n_latents))
        self._decoded = np.empty((n, sound.decoder.n_bins), np.float32)
        self._ahead: dict[bytes, Magnitudes] = {}  # what was decoded for the next clocks, where a movement is known
        self.magnitudes, self.powers = (np.empty((n, sound.stft.n_bins), np.float32) for _ in range(2))

    def arrives(self, n_voices: int) -> float:
        """Return when the first ones stand still if nothing is said about them."""
        return np.inf if self.is_anyone_left else 0.0

    @property
    def is_anyone_left(self) -> bool:
        """Whether some that have moved are still to be made anew."""
        return self._turns.is_anyone_left

    def begin(self, at: int, pitch: float, number: float, now: int) -> None:
        """Have a new note at a place: its pitch, and which note of all it is."""
        self._classes[at], self._registers[at], self.sung[at] = self._sound.key(pitch)
        self._faders[at] = self._semitones[at] = np.nan
        self.magnitudes[at] = self.powers[at] = 0.0  # until its turn comes
        self._turns.begin(at)

    def follow(self, at: int, other: object, theirs: int, now: int) -> None:
        """Go on with a note that another patch of the part holds: it stands still here."""

    def lobes(self, places: Iterable[int]) -> None:
        """Return no partials: they are found in the magnitudes."""

    def put(self, at: int, to: int) -> None:
        """Put one into the place of another."""
        for rows in (self._classes, self._registers, self.sung, self._semitones, self._faders, self._decoded, self.magnitudes, self.powers):
            rows[to] = rows[at]
        self._turns.put(at, to)

    def move(self, moment: float, values: Values, row: Row, semitones: Row, touched: NDArray[np.bool_], step: int) -> int:
        """Make anew what has moved of those that are ``touched``, bool (voices,); return how many those are.

        Parameters
        ----------
        values : float64 (voices, ...)
            What slides of each.
        row : float64 (N_SLOTS,)
            The part's.
        semitones : float64 (voices,)
            How far each is from where it is decoded.
        step : int
            Samples to the next moment; 0 where that is not known.
        """
        n = len(touched)
        faders = self._faders_at(values, row)
        is_stale = (faders != self._faders[:n]).any(1)
        shaped = np.zeros(n, bool)
        moved = np.flatnonzero((is_stale | (semitones != self._semitones[:n])) & touched)
        shaped[self._turns.some(moved, moment, bool(touched.all()), self.only_one)] = True
        decoded = is_stale & shaped
        if decoded.any():
            at = np.flatnonzero(decoded)
            self._faders[at] = faders[at]
            self._decoded[slice(n) if len(at) == n else at] = self._decode(at, faders[at], moment, step)
        self._shape(shaped, semitones)
        return int(shaped.sum())

    def _shape(self, shaped: NDArray[np.bool_], semitones: Row) -> None:
        n, sound = len(shaped), self._sound
        if shaped.all():
            # As they lie, and not picked out one by one: to copy them takes as long as to work on them.
            self._semitones[:n] = semitones
            loud = self.magnitudes[:n]
            sound.loud(sound.shape(self._decoded[:n], semitones, self.sung[:n], loud))
            np.multiply(loud, loud, out=self.powers[:n])
        elif shaped.any():
            at = np.flatnonzero(shaped)
            self._semitones[at] = semitones[at]
            self.magnitudes[at] = loud = sound.loud(sound.shape(self._decoded[at], semitones[at], self.sung[at]))
            self.powers[at] = loud * loud

    def _decode(self, at: Indices, faders: Row, moment: float, step: int) -> Magnitudes:
        """Return the decoded spectra of some voices; where few move on a way that is known, those of the next clocks are made with them."""
        if not step or self.only_one or ROWS_AHEAD // len(at) < 2:  # who has its turn once in a while will be elsewhere then
            return self._decoded_at(at, faders)
        asked = self._classes[at] * MAX_LATENTS + self._registers[at]
        keys = [bytes(key) for key in np.column_stack([asked, faders])]
        if not all(key in self._ahead for key in keys):
            rows = [faders, *self._faders_ahead(at, moment, step)]
            together = self._decoded_at(np.tile(at, len(rows)), np.concatenate(rows))
            every = [bytes(key) for key in np.column_stack([np.tile(asked, len(rows)), np.concatenate(rows)])]
            self._ahead = dict(zip(every, together, strict=True))
        return np.stack([self._ahead[key] for key in keys])

    def _decoded_at(self, at: Indices, faders: Row) -> Magnitudes:
        sound = self._sound
        decoded, faults = sound.decode(sound.positions(faders), self._classes[at], self._registers[at])
        self.faults += faults
        return decoded

    def _faders_ahead(self, at: Indices, moment: float, step: int) -> list[Row]:
        rows: list[Row] = []
        while len(rows) + 1 < ROWS_AHEAD // len(at):
            moment += step
            if (ahead := self._ahead_at(moment, step)) is None:
                break
            rows.append(self._faders_at(*ahead)[at])
        return rows
