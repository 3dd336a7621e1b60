"""The notes of one deck: every voice with its own envelope, pitch and faders, all decoded together (design section 2). Rendering thread.

They share the noise of their part, so that their spectra are added as powers and one inverse FFT makes the sound of all, however many there are.
What each sounds like is a matter of the decoder's kind: `standing`, or `walking`.
"""

from __future__ import annotations

import math
import weakref

import numpy as np
from numpy.typing import NDArray

from ..parameters import MAX_PART_VOICES, MAX_VOICES, N_VOICE_LATENTS, PART_SLOTS, VOICE_SLOTS
from ..units import bend, db_to_amplitude, midi_to_hz
from .budget import Budget
from .controls import STREAM_SECONDS, Controls, Row, Slides
from .envelopes import Envelopes
from .note_sound import NoteSound
from .standing import Standing
from .tonal import Apart
from .voices import Magnitudes, Sound
from .walking import Walking

Voices = NDArray[np.float64]  # (MAX_VOICES, N_VOICE_SLOTS), as the state has them

BEND_SECONDS = 0.02  # the least in which a bend gets there: no step is heard in a wheel's
FAINT = 0.01  # of full level: a voice that is hardly heard
FEW_VOICES = 8  # so many together are as loud as a drone

_TRANSPOSE, _GLIDE = PART_SLOTS["transpose"].start, PART_SLOTS["glide"].start
_LATENTS = PART_SLOTS["latent"]
_STARTED, _ENDED, _PART, _PITCH, _VELOCITY, _RELEASE, _BEND, _PRESSURE = (
    VOICE_SLOTS[name].start for name in ("started", "ended", "part", "pitch", "velocity", "release", "bend", "pressure")
)
_OWN = VOICE_SLOTS["latent"]
# What of a voice can be on its way: how far it still has to glide, its bend, its pressure, its own latents.
_GLIDING, _BENT, _PRESSED, _FADERS = 0, 1, 2, 3
_WIDTH = _FADERS + N_VOICE_LATENTS


class Bank:
    """The voices of a part under one patch; the first ``n_voices`` of all arrays are in use.

    Parameters
    ----------
    sound : Sound
        What they play.
    part : int
        Whose voices, 1 to 8.
    controls : Controls
        The deck's faders.
    budget : Budget, optional
        Of the blocks.

    Attributes
    ----------
    gains : float64 (voices,)
        What each was multiplied by in the last `spectrum`: envelope, stroke and pressure.
    pitches_hz : float64 (voices,)
        Where each stood then, bend and all.
    n_moving : int
        How many were decoded or stretched anew at the last clock.
    """

    def __init__(self, sound: Sound | NoteSound, part: int, controls: Controls, budget: Budget | None = None) -> None:
        n = MAX_PART_VOICES
        self._sound, self._part, self._controls, self._rate = sound, part, controls, sound.stft.sample_rate_hz
        self.n_voices = self.n_moving = 0
        self._known = np.zeros(MAX_VOICES)  # the newest note of each of the state's voices that was seen
        self._place: dict[int, int] = {}  # of those that sound, where in the arrays they are
        self._voices = np.zeros(n, np.intp)
        self._pitches, self._velocities, self._strokes, self.gains, self.pitches_hz = (np.zeros(n) for _ in range(5))
        self._slides = Slides(np.zeros(n * _WIDTH))
        self._envelopes = Envelopes(n, self._rate)
        self._touched = np.zeros(n, bool)
        self._spectra: Walking | Standing
        my = weakref.proxy(self)  # no circle: what is over goes at once, and is not left to the collector
        if isinstance(sound, NoteSound):
            self._spectra = Walking(sound, n, lambda values, row: my._faders_at(values, row), budget)
        else:
            self._spectra = Standing(
                sound, n, lambda values, row: my._faders_at(values, row), lambda moment, step: my._ahead(moment, step), budget is not None
            )
        self._last_pitch = math.nan
        self._level = min(sound.patch.voices, FEW_VOICES) ** -0.5
        self._struck, self._pressed = sound.amounts(sound.patch.velocity.latents), sound.amounts(sound.patch.pressure.latents)

    @property
    def arrives(self) -> float:
        """When all of them next stand still."""
        return max(self.steered_until, self._spectra.arrives(self.n_voices))

    @property
    def steered_until(self) -> float:
        """When nothing but time moves them any more: notes of a note decoder walk on."""
        return max(self._slides.arrives, self._envelopes.arrives(self.n_voices))

    @property
    def faults(self) -> int:
        """Spectra that came out not finite and are silent."""
        return self._spectra.faults

    @property
    def is_behind(self) -> bool:
        """Whether some notes are still to be decoded."""
        return self._spectra.is_behind

    @property
    def may_do_less(self) -> bool:
        """Whether its notes can be made anew one at a time, where there is no time for more."""
        return self.n_voices > 1 and isinstance(self._spectra, Standing)

    @property
    def is_anyone_left(self) -> bool:
        """Whether notes that have moved still have to wait for their turn."""
        return isinstance(self._spectra, Standing) and self._spectra.is_anyone_left

    def do_less(self, only_one: bool) -> None:
        """Have one note at most be made anew in the next `spectrum`, or as many as usual."""
        if isinstance(self._spectra, Standing):
            self._spectra.only_one = only_one

    # ---- what control says

    def start(self, voices: Voices, row: Row, now: int) -> None:
        """Begin with the notes that are held; those that are not are over."""
        self._known[:] = np.where(voices[:, _ENDED] >= voices[:, _STARTED], voices[:, _STARTED], 0.0)
        self.update(voices, row, now)

    def take_over(self, other: Bank, voices: Voices, row: Row, now: int) -> None:
        """Go on with the notes that another patch of the part holds."""
        self._known[:], self._last_pitch = other._known, other._last_pitch
        for voice, at in other._place.items():
            if other._envelopes.ends[at] == np.inf and voices[voice, _PART] == self._part and voices[voice, _STARTED] == self._known[voice]:
                mine = self._begin(voice, voices[voice], now)
                self._envelopes.sustain(mine, now)
                self._spectra.follow(mine, other._spectra, at, now)
        self.update(voices, row, now)

    def update(self, voices: Voices, row: Row, now: int, all_touched: bool = False) -> bool:
        """Take over what the state says of the part's voices, float64 (MAX_VOICES, N_VOICE_SLOTS); return whether something acts at once.

        ``all_touched``: something acts at once on all of them.
        """
        self._touched[: self.n_voices] |= all_touched
        acts = self._lose(voices)
        is_new = (voices[:, _PART] == self._part) & (voices[:, _STARTED] > self._known)
        last_pitch = self._last_pitch  # all that begin together glide from there
        for voice in np.flatnonzero(is_new).tolist():
            if voice in self._place or self.n_voices < MAX_PART_VOICES:
                self._open(voice, voices[voice], row, now, last_pitch)
                acts = True
        self._known[is_new] = voices[is_new, _STARTED]
        if not self.n_voices:
            return acts
        numbers = voices[self._voices[: self.n_voices]]
        over = (numbers[:, _ENDED] >= numbers[:, _STARTED]) & (self._envelopes.ends[: self.n_voices] == np.inf)
        for at in np.flatnonzero(over).tolist():
            share = 1.0 - self._sound.patch.velocity.release * numbers[at, _RELEASE]
            self._envelopes.close(at, now, row, share)
        return self._express(numbers, now) or acts or bool(over.any())

    def _open(self, voice: int, numbers: Row, row: Row, now: int, last_pitch: float) -> None:
        at = self._begin(voice, numbers, now)
        self._envelopes.open(at, now, row)
        glide = row[_GLIDE] * self._rate / 1000.0
        if glide > 0.0 and not math.isnan(last_pitch):
            gliding = np.array([at * _WIDTH + _GLIDING])
            self._slides.place(gliding, np.array([last_pitch - numbers[_PITCH]]))
            self._slides.send(gliding, np.zeros(1), np.array([glide]), now)
        self._last_pitch = float(numbers[_PITCH])

    def _begin(self, voice: int, numbers: Row, now: int) -> int:
        """Give a note its place and its pitch; return the place."""
        at = self._place.setdefault(voice, self.n_voices)
        self.n_voices = max(self.n_voices, at + 1)
        self._voices[at], self._touched[at] = voice, True
        self._pitches[at], self._velocities[at] = numbers[_PITCH], numbers[_VELOCITY]
        self._spectra.begin(at, numbers[_PITCH], numbers[_STARTED], now)
        velocity = self._sound.patch.velocity
        struck = db_to_amplitude(-velocity.loudness_db * (1.0 - bend(numbers[_VELOCITY], velocity.curve)))
        self._strokes[at] = struck if numbers[_VELOCITY] > 0.0 else 0.0
        self._slides.place(slice(at * _WIDTH, (at + 1) * _WIDTH), _wanted(numbers[None])[0])
        return at

    def _express(self, numbers: Voices, now: int) -> bool:
        wanted = _wanted(numbers).ravel()
        # As bits, so that NaN ("as the part") equals itself.
        at = np.flatnonzero(wanted.view(np.int64) != self._slides.target[: len(wanted)].view(np.int64))
        if len(at) == 0:
            return False
        distance = self._slides.since_set(at, now)
        least = np.where(at % _WIDTH == _BENT, BEND_SECONDS * self._rate, 0.0)
        lengths = np.maximum(np.where(distance < STREAM_SECONDS * self._rate, distance, 0.0), least)
        self._slides.send(at, wanted[at], lengths, now)
        self._touched[at // _WIDTH] = True
        return bool((lengths == 0.0).any())

    def _lose(self, voices: Voices) -> bool:
        """Let go of what another part has been given."""
        lost = [voice for voice in self._place if voices[voice, _PART] != self._part]
        for voice in lost:
            self._remove(self._place[voice])
        return bool(lost)

    def _remove(self, at: int) -> None:
        """Take a voice out; the last one takes its place."""
        del self._place[int(self._voices[at])]
        self.n_voices -= 1
        last = self.n_voices
        if at == last:
            return
        for numbers in (self._voices, self._pitches, self._velocities, self._strokes, self._touched):
            numbers[at] = numbers[last]
        self._spectra.put(last, at)
        self._envelopes.move(last, at)
        self._slides.move(slice(last * _WIDTH, (last + 1) * _WIDTH), slice(at * _WIDTH, (at + 1) * _WIDTH))
        self._place[int(self._voices[at])] = at

    # ---- what ends them

    def leave(self, now: int, samples: float, row: Row) -> None:
        """Let another patch go on with what is held; what is released already ends as it would."""
        held = self._envelopes.ends[: self.n_voices] == np.inf
        self._envelopes.cut(np.flatnonzero(held), now, samples, row)

    def cut(self, now: int, samples: float, row: Row) -> None:
        """Have everything be silent after so many samples."""
        self._envelopes.cut(np.arange(self.n_voices), now, samples, row)

    def goes_on(self, end: float) -> bool:
        """Whether any note sounds after a sample."""
        return bool((self._envelopes.ends[: self.n_voices] > end).any())

    def spare(self, now: int, samples: float) -> list[tuple[tuple[bool, float], int]]:
        """Return how much each voice would be missed that goes on for longer than so many samples, and its place; the least number goes first.

        What ends or is hardly heard comes before the rest, the quietest first; the rest by age.
        """
        n = self.n_voices
        ending = self._envelopes.ends[:n] < np.inf
        faint = self._envelopes.is_steady(now, n) & (self.gains[:n] < FAINT * self._level)
        first = ending | faint
        order = np.where(first, self.gains[:n], self._known[self._voices[:n]])
        goes_on = self._envelopes.ends[:n] > now + samples
        return [((not first[at], float(order[at])), at) for at in np.flatnonzero(goes_on).tolist()]

    def drop(self, at: int, now: int, samples: float, row: Row) -> None:
        """Have one voice be silent after so many samples."""
        self._envelopes.cut(np.array([at]), now, samples, row)

    # ---- what it sounds like

    def spectrum(self, moment: float, row: Row, step: int) -> Magnitudes | None:
        """Return the magnitudes of all together at a moment, float32 (n_bins,), None for silence.

        Between two clocks only those voices are made anew that something was said about.
        """
        for at in np.flatnonzero(self._envelopes.ends[: self.n_voices] <= moment)[::-1].tolist():  # from the last, which takes a place
            self._remove(at)
        n = self.n_voices
        if n == 0:
            self.n_moving = 0
            return None
        values = self._slides.values(moment)[: n * _WIDTH].reshape(n, _WIDTH)
        self._move(moment, values, row, step)
        pressure_db = self._sound.patch.pressure.loudness_db * values[:, _PRESSED]
        self.gains[:n] = self._level * self._strokes[:n] * self._envelopes.levels(moment, row, slice(n)) * 10.0 ** (pressure_db / 20.0)
        total: Magnitudes = np.sqrt((self.gains[:n] ** 2).astype(np.float32) @ self._spectra.powers[:n])
        return total

    def apart(self) -> Apart:
        """Return the voices of the last `spectrum`, each by itself, but for those that are silent: a tone begins when it is heard."""
        n, spectra = self.n_voices, self._spectra
        at = np.flatnonzero(spectra.powers[:n].any(1))
        if len(at) == n:
            # As they lie, and not picked out one by one.
            return Apart(spectra.magnitudes[:n], self.gains[:n], self.pitches_hz[:n], tuple(self._voices[:n].tolist()), spectra.lobes(range(n)))
        voices = tuple(self._voices[at].tolist())
        return Apart(spectra.magnitudes[at], self.gains[at], self.pitches_hz[at], voices, spectra.lobes(at.tolist()))

    def _move(self, moment: float, values: Voices, row: Row, step: int) -> None:
        n = self.n_voices
        sung = self._spectra.sung[:n]
        semitones = self._pitches[:n] - sung + values[:, _GLIDING] + values[:, _BENT] + row[_TRANSPOSE]
        self.pitches_hz[:n] = midi_to_hz(sung + semitones)
        touched = np.ones(n, bool) if step else self._touched[:n].copy()
        self._touched[:n] = False
        n_moving = self._spectra.move(moment, values, row, semitones, touched, step)
        if step:
            self.n_moving = n_moving

    def _ahead(self, moment: float, step: int) -> tuple[Voices, Row] | None:
        """Return what slides and the part's row as they will be then, None for when all has arrived a step before."""
        if moment >= max(self._controls.arrives, self._slides.arrives) + step:
            return None
        return self._slides.values(moment)[: self.n_voices * _WIDTH].reshape(-1, _WIDTH), self._controls.values(moment)

    def _faders_at(self, values: Voices, row: Row) -> Row:
        """Return where the faders of each voice stand, float64 (voices, n_latents): the part's, its own, and what stroke and pressure add."""
        n_latents = self._sound.n_latents
        faders = np.tile(row[_LATENTS][:n_latents], (len(values), 1))
        own = values[:, _FADERS : _FADERS + n_latents]
        faders[:, : own.shape[1]] = np.where(np.isnan(own), faders[:, : own.shape[1]], own)
        faders += self._velocities[: len(values), None] * self._struck + values[:, _PRESSED, None] * self._pressed
        return np.clip(faders, 0.0, 1.0, out=faders)


def _wanted(numbers: Voices) -> Voices:
    """Return where what slides is sent, float64 (voices, _WIDTH)."""
    return np.column_stack([np.zeros(len(numbers)), numbers[:, _BEND], numbers[:, _PRESSURE], numbers[:, _OWN]])
