"""What notes sound like on a decoder of kind ``note``: each goes through its hops, then back and forth in its loop. Rendering thread.

A note is decoded once for its timbre and pitch, and again whenever its timbre moves; at each clock the moment that it has come to is heard.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..units import midi_to_hz
from .budget import Budget
from .comb import Combs, combed
from .controls import Indices, Row
from .loaded import Magnitudes
from .lobes import Lobes
from .note_sound import NoteSound
from .standing import FadersAt, Values
from .turns import Turns, most_at_once

DECODE_COST = 4  # whole notes decoded count for as many more voices that move
FEW = 4  # so many are made anew at every clock, come what may


class Walking:
    """The spectra of some voices.

    Parameters
    ----------
    sound : NoteSound
        What they play.
    n : int
        The most there can be.
    faders_at : callable
        As for `standing.Standing`; so are the other attributes.
    budget : Budget, optional
        Of the blocks; where there is one, notes that do not fit are decoded later: those that were never decoded, and are silent, before those
        that have an old timbre.

    Attributes
    ----------
    is_behind : bool
        Whether any are silent still, or none at all was decoded.
    """

    def __init__(self, sound: NoteSound, n: int, faders_at: FadersAt, budget: Budget | None = None) -> None:
        self._sound, self._faders_at = sound, faders_at
        self.faults = 0
        self._budget, self.is_behind = budget, False
        self._decodes_alone = False  # what never fits beside the others: they go on at the next change, and nothing is decoded then
        self._places = np.zeros(n, np.intp)  # which of the decoder's pitches each has
        self._rests, self._is_odd = np.zeros(n, bool), np.zeros(n, bool)
        self._turns = Turns(n, most_at_once(n, budget is not None, sound.patch.phase == "tonal"))  # of those that have another pitch
        self._lobes: dict[int, Lobes] = {}  # by place
        self._combs = Combs(sound.stft, 0.5 * sound.decoder.metadata.sample_rate_hz)
        self.sung, self._semitones, self._begun, self._gains = (np.zeros(n) for _ in range(4))
        self._draws = np.zeros((n, sound.n_latents))
        self._timbres = np.zeros((n, sound.n_latents), np.float32)
        self._decoded_at = np.zeros(n)  # when each was last, -1 for never
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
        self._decoded_at[at] = -1.0
        self._bands[at] = self._gains[at] = 0.0
        self._is_odd[at] = bool(number % 2)
        self._semitones[at] = np.nan
        self._turns.begin(at)

    def follow(self, at: int, other: object, theirs: int, now: int) -> None:
        """Go on with a note that another patch of the part holds: from where it has come to, or from the loop."""
        self._begun[at] = other._begun[theirs] if isinstance(other, Walking) else now - self._sound.loop_samples()

    def put(self, at: int, to: int) -> None:
        """Put one into the place of another."""
        for numbers in (self._places, self.sung, self._semitones, self._begun, self._gains, self._rests, self._is_odd, self._decoded_at):
            numbers[to] = numbers[at]
        self._turns.put(at, to)
        if at in self._lobes:
            self._lobes[to] = self._lobes[at]
        for rows in (self._draws, self._timbres, self._bands, self.magnitudes, self.powers):
            rows[to] = rows[at]

    def move(self, moment: float, values: Values, row: Row, semitones: Row, touched: NDArray[np.bool_], step: int) -> int:
        """Go on with those that are ``touched``, bool (voices,), and return as how many they count; arguments as for `standing.Standing`."""
        n, sound = len(touched), self._sound
        if not touched.any():
            return 0
        timbres = sound.timbres(row, self._faders_at(values, row), self._draws[:n])
        stale = (timbres != self._timbres[:n]).any(1) & touched
        walks = ~stale & (semitones == self._semitones[:n]) & (moment - self._begun[:n] > sound.loop_samples())
        may_rest = touched.all() and n > FEW and 2 * step <= sound.hop_samples
        at = np.flatnonzero(touched & ~self._rest(walks) if may_rest else touched)
        some = self._affordable(np.flatnonzero(stale))
        if len(some):
            self._decoded_at[some] = moment
            if self._budget is None:
                self._decode(some, timbres[some])
            else:
                self._budget.timed(sound.decoder.path, lambda: self._decode(some, timbres[some]), len(some))
                at = at[np.isin(at, some) | np.isnan(self._semitones[at])] if self._decodes_alone else at  # NaN: never heard yet
        if len(at):
            tuned = self._turns.some(at[semitones[at] != self._semitones[at]], moment)
            self._semitones[tuned] = semitones[tuned]
            self._hear(at, moment)
        return int(touched.sum()) + DECODE_COST * len(some)

    def _rest(self, walks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which are left as they are this time: those that have come to their loop and only walk, every other time, not all at once."""
        n = len(walks)
        self._rests[:n] = np.where(walks, ~self._rests[:n], self._is_odd[:n])
        return self._rests[:n] & walks

    def _affordable(self, stale: Indices) -> Indices:
        """Return those of some notes that there is time to decode now: those first that have waited longest."""
        if self._budget is None or not len(stale):
            self.is_behind = self._decodes_alone = False
            return stale
        cost_seconds = self._budget.cost_seconds(self._sound.decoder.path)
        stale = stale[np.argsort(self._decoded_at[stale], kind="stable")]
        is_silent = self._decoded_at[stale] < 0.0
        most = self._budget.room(cost_seconds)
        never_fits = most > 0 and not self._budget.allows(cost_seconds)
        goes_on = never_fits and self._decodes_alone and not is_silent[0]
        self._decodes_alone = never_fits and not goes_on
        most = 0 if goes_on else most
        self.is_behind = len(stale) > most and bool(is_silent[most] or (most == 0 and not goes_on))
        return stale[:most]

    def _decode(self, at: Indices, timbres: Magnitudes) -> None:
        self._timbres[at] = timbres
        (self._bands[at], self._gains[at]), faults = self._sound.decode(timbres, self._places[at])
        self.faults += faults

    def _hear(self, at: Indices, moment: float) -> None:
        """Let some sound as what they have come to; a tone needs its partials, noise is as wide as the decoder has it."""
        sound, semitones = self._sound, self._semitones[at]
        spectra = sound.shape(sound.moments(self._bands, at, moment - self._begun[at]), semitones, self.sung[at])
        spectra *= self._gains[at].astype(np.float32)[:, None]
        self.powers[at] = powers = spectra * spectra
        if sound.patch.phase != "tonal":
            self.magnitudes[at] = spectra
            return
        pitches_hz = midi_to_hz(self.sung[at] + semitones)
        self.magnitudes[at], lobes = combed(powers, self._combs(pitches_hz.tolist()))
        for place, each in zip(at.tolist(), lobes, strict=True):
            self._lobes[place] = each

    def lobes(self, places: Iterable[int]) -> tuple[Lobes, ...] | None:
        """Return the partials of some, for a sound whose phase is tonal."""
        return tuple(self._lobes[place] for place in places) if self._lobes else None
