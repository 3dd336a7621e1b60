"""A deck: one patch sounding, as a drone, in notes or as what is heard through its decoder (design section 2). Rendering thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..parameters import N_SLOTS, PART, PART_SLOTS
from ..units import db_to_amplitude
from .bank import Bank, Voices
from .budget import Budget
from .controls import Controls, Fade, Row
from .drone import Drone
from .note_sound import NoteSound
from .overlap_add import Mix, OverlapAdd
from .own_phase import Gains, OwnPhase
from .phase import NoiseCarrier
from .resynthesis import Resynthesis, source_of
from .source import Inlet
from .tonal import Apart, Partials, Tone, shares
from .voices import Magnitudes, Sound
from .walking_drone import WalkingDrone

PANIC_SECONDS = 0.005
TONAL_COST = 4
WALKING_CLOCKS = 4  # how far apart the changes of notes are, at most, that time alone moves; else twice as far as those of others
START_SECONDS = 0.05  # a drone that starts with its patch fades in at least this long

_PANIC, _TRAVEL, _GLIDE, _GAIN, _PAN, _WIDTH, _BREATH, _OUTPUT = (
    PART_SLOTS[name].start for name in ("panic", "travel", "glide", "gain", "pan", "width", "breath", "output")
)
_RECAST = list(range(N_SLOTS))[PART_SLOTS["chroma"]]
_RECAST_WITH_REGISTER = [*_RECAST, PART_SLOTS["register"].start]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make a deck's change, and ``work``, as what a budget knows it.

    ``only_one``: of the notes that have moved; ``in_two``: the spectrum now, and what is heard of it with the next change, as everything stood at
    this one; ``in_haste``: as well as it can be done by what must not wait (`Resynthesis.listen`).
    """

    work: str = ""
    only_one: bool = False
    in_two: bool = False
    in_haste: bool = False


WHOLE = Way()


class Player(Protocol):
    """What sounds on a deck: a drone or a `Bank`.

    `spectrum` gives the magnitudes at a moment; the next will be asked for ``step`` samples later, 0 for a moment between two clocks. Where it
    ``is_behind``, not all that should be heard was ready in time.
    """

    n_moving: int

    @property
    def is_behind(self) -> bool: ...  # noqa: D102
    @property
    def faults(self) -> int: ...  # noqa: D102
    @property
    def arrives(self) -> float: ...  # noqa: D102
    @property
    def steered_until(self) -> float: ...  # noqa: D102
    def spectrum(self, moment: float, row: Row, step: int) -> Magnitudes | None: ...  # noqa: D102
    def apart(self) -> Apart: ...  # noqa: D102


class Deck:
    """One patch sounding: its faders on their way, its gate or its notes, its crossfade, and the sound that comes of them.

    Parameters
    ----------
    number : int
        Under which control knows the patch.
    part : int
        Whose it is, 1 to 8.
    row : float64 (N_SLOTS,)
        The part's row of the state. It is silent until `start` or `take_over`.
    budget : Budget, optional
        Of the blocks.

    Attributes
    ----------
    clock_samples : int
        How far apart its changes are; 0 until `keep_time`.
    may_wait : bool
        Whether it may be made anew later than its turn is.
    waits_since : float
        The sample since which it waits for that.
    first_half : tuple of str and float, optional
        What the half that is made of its change is a half of, and how many seconds it took.
    """

    def __init__(
        self, number: int, part: int, sound: Sound | NoteSound, carrier: NoiseCarrier, row: Row, inlet: Inlet, now: int, budget: Budget | None = None
    ) -> None:
        self.number, self._name, self._decoder = number, sound.patch.name, sound.decoder.path
        self.output = int(row[_OUTPUT])
        self._stft, self._rate = sound.stft, sound.stft.sample_rate_hz
        self._controls = Controls(row, sound.slews_seconds, self._rate)
        self._bank = Bank(sound, part, self._controls, budget) if sound.patch.mode == "notes" else None
        self._listener = _listener(sound, self._controls, inlet, row, now)
        self._drone = self._listener or _drone(sound, self._controls, budget)
        self._player: Player = self._bank or self._drone
        self.fade = Fade(0.0)
        mid = carrier.offset(sound.patch.seed)
        self._sound = OverlapAdd(carrier, mid, mid + carrier.n_hops // 2)
        self._own = OwnPhase(sound.stft) if sound.patch.phase == "input" else None
        self._partials = Partials(sound.stft, sound.is_pitched) if sound.patch.phase == "tonal" else None
        self._patch_gain = db_to_amplitude(sound.patch.gain_db)
        self._mix = Mix.of(0.0, 0.0)
        self._mix_key = (0.0, 0.0)
        self._heard_at = -1.0  # the moment that the last change was evaluated for
        self._may_pause = self._partials is not None and not isinstance(sound, NoteSound)
        self._rest: Callable[[int], None] | None = None  # what is left of a change that was made half, ...
        self._half_heard_at = -1.0  # ... and the moment that it was evaluated for
        self.first_half: tuple[str, float] | None = None
        self.clock_samples = self._turn_samples = 0
        self.may_wait, self.waits_since = self._own is None, math.inf
        self._is_leaving = False
        self._is_steered = self._has_jumped = True  # whether its faders move, or one is elsewhere at once

    def start(self, voices: Voices, now: int, fade_samples: float = 0.0) -> None:
        """Begin from silence: with the notes that are held, or with the gate as the state says.

        A fade longer than the shortest takes the place of a drone's attack.
        """
        is_long = fade_samples > START_SECONDS * self._rate
        if self._bank is not None:
            self.fade.to(1.0, now, fade_samples if is_long else 0.0)
            self._bank.start(voices, self._controls.target, now)
        elif is_long:
            self.fade.to(1.0, now, fade_samples)
            self._drone.gate.take_over()
        else:
            self.fade.to(1.0, now, START_SECONDS * self._rate)
            self._drone.gate.follow(now)

    def take_over(self, other: Deck, voices: Voices, now: int, fade_samples: float) -> None:
        """Begin as the next patch of a part that is sounding: crossfade, with the gate as open as it stood or the notes that are held."""
        if self._bank is None:
            self._drone.gate.take_over()
            if self._listener is not None and other._listener is not None:
                self._listener.take_over(other._listener)
        elif other._bank is None:
            self._bank.start(voices, self._controls.target, now)
        else:
            self._bank.take_over(other._bank, voices, self._controls.target, now)
        self.fade.to(1.0, now, fade_samples)

    def is_recast_by(self, row: Row) -> bool:
        """Whether a journey leads a drone to other notes: they never slew, so it takes a deck of their own, crossfaded in as long as that."""
        if self._bank is not None or row[_TRAVEL] <= START_SECONDS:
            return False
        pitch = _RECAST if row[_GLIDE] else _RECAST_WITH_REGISTER  # who glides wants to hear it
        return row[pitch].tobytes() != self._controls.target[pitch].tobytes()  # as bytes, since NaN does not equal itself

    def end(self, now: int, fade_samples: float) -> None:
        """Fade out for good; notes that are released already end as they would."""
        self._is_leaving = True
        self.unsettle()
        if self._bank is not None:
            self._bank.leave(now, fade_samples, self._controls.target)
        else:
            self.fade.to(0.0, now, fade_samples)

    def cut(self, now: int, fade_samples: float) -> bool:
        """Be silent for good after so many samples; return whether that would not have been so by itself."""
        end = now + fade_samples
        if self.fade.arrives <= end and (self._bank is None or not self._bank.goes_on(end)):
            return False
        if self._bank is not None:
            self._bank.cut(now, fade_samples, self._controls.target)
        if self.fade.arrives > end:
            self.fade.to(0.0, now, fade_samples)
        self.unsettle()
        return True

    def spare(self, now: int, fade_samples: float) -> list[tuple[tuple[bool, float], int]]:
        """Return `Bank.spare` of its notes."""
        return self._bank.spare(now, fade_samples) if self._bank is not None else []

    def drop(self, at: int, now: int, fade_samples: float) -> None:
        """Have one of its notes fade out within so many samples."""
        assert self._bank is not None
        self._bank.drop(at, now, fade_samples, self._controls.target)
        self.unsettle()

    def update(self, row: Row, voices: Voices, now: int) -> bool:
        """Take over the part's row of the state, and its voices; return whether something acts at once, at this very sample."""
        panicked = row[_PANIC] != self._controls.target[_PANIC]
        first_arrives = self._controls.set(row, now, row[_TRAVEL], row[_GLIDE] / 1000.0)
        at_once = first_arrives == 0.0
        self._is_steered |= first_arrives is not None
        self._has_jumped |= at_once
        if self._bank is not None:
            at_once |= self._bank.update(voices, row, now, at_once)
            if panicked:
                self._bank.cut(now, PANIC_SECONDS * self._rate, row)
        elif first_arrives is not None:
            self._drone.gate.follow(now, PANIC_SECONDS if panicked else np.inf)
            if self._listener is not None:
                self._listener.source.follow(row, now)
        if first_arrives is not None or self._bank is not None:
            self.unsettle()
        return at_once

    @property
    def lacks(self) -> str:
        """What a budget knows as that which was not ready in time, and takes its time besides the rest; empty where nothing is missing."""
        return self._decoder if self._player.is_behind else ""

    @property
    def faults(self) -> int:
        """Spectra that came out not finite."""
        return self._player.faults

    @property
    def n_moving(self) -> int:
        """Voices that were decoded or stretched anew at the last clock; of tonal ones all, for each change tunes all, at the cost of several."""
        return self._player.n_moving if self._partials is None else TONAL_COST * max(self._player.n_moving, self.n_voices)

    @property
    def n_voices(self) -> int:
        """Notes that are heard."""
        return self._bank.n_voices if self._bank is not None else 0

    @property
    def is_half_made(self) -> bool:
        """Whether its next change is the other half of one."""
        return self._rest is not None

    @property
    def waits_on(self) -> bool:
        """Whether more is to be made anew although it has just been: the other half, other notes, or what has come since the first half."""
        return self._rest is not None or self._heard_at < 0.0 or (self._bank is not None and self._bank.is_anyone_left)

    def _work(self, at_clock: bool) -> str:
        """Return what a budget knows its next change as: those of twice as many notes take longer, and those in which all of them move."""
        if self._rest is not None:
            return f"{self._name}|{self.n_voices.bit_length()} the other half"
        all_move = self._is_steered if at_clock else self._has_jumped
        return f"{self._name}|{self.n_voices.bit_length()}{' all' * all_move}{'' if at_clock else ' at once'}"

    def whole(self, at_clock: bool) -> Way:
        """Return how all of its next change is made."""
        return Way(self._work(at_clock))

    def in_haste(self, at_clock: bool) -> Way:
        """Return how its next change is made where it must not wait."""
        return Way(f"{self._work(at_clock)} in haste", in_haste=True)

    def in_part(self, at_clock: bool) -> list[Way]:
        """Return how its next change can be made in part, the least last."""
        if self._rest is not None:
            return []
        work, may_do_one = self._work(at_clock), self._bank is not None and self._bank.may_do_less
        ways = Way(f"{work} half", in_two=True), Way(f"{work} one note", only_one=True), Way(f"{work} one note half", only_one=True, in_two=True)
        return [way for way in ways if (self._may_pause or not way.in_two) and (may_do_one or not way.only_one)]

    @property
    def is_over(self) -> bool:
        """Whether it has faded out and nothing of it is left to hear."""
        has_ended = self.fade.level(self.fade.arrives) == 0.0 if self._bank is None else self._bank.n_voices == 0
        return self._is_leaving and has_ended and self.is_silent

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it is heard now."""
        return self._sound.is_silent if self._own is None else self._own.is_silent

    @property
    def is_steady(self) -> bool:
        """Whether no change is still coming in."""
        return self._own is None and self._sound.is_steady

    @property
    def is_listening(self) -> bool:
        """Whether it plays what the input hears."""
        return self._listener is not None and isinstance(self._listener.source, Inlet)

    def track(self, now: int) -> tuple[int, int]:
        """Return where in its track it is at a sample, and how long that is, in samples; 0 and 0 where it has none."""
        source = self._listener.source if self._listener is not None else None
        return (source.position(now), source.length_samples) if source is not None else (0, 0)

    def is_settled(self, master_arrives: float = 0.0) -> bool:
        """Whether it would sound the same for ever if nothing were changed."""
        return self._heard_at >= max(self._controls.arrives, self._player.arrives, self.fade.arrives, master_arrives)

    def unsettle(self) -> None:
        """Be made anew, since something is another."""
        self._heard_at = self._half_heard_at = -1.0

    def keep_time(self, clock_samples: int, turn_samples: int) -> None:
        """Be made anew so far apart while it moves, and so long after the multiples of that: multiples of the shortest clock."""
        if self._own is not None:
            # Windows that come further apart would not add up to one, nor would those that come now sooner, now later.
            clock_samples, turn_samples = min(clock_samples, self._own.longest_step_samples), 0
        if self._listener is not None:
            clock_samples = max(clock_samples, self._listener.step_samples)
        elif self._only_walks():
            # A decoder's hop is about four of the shortest clocks, and what lies between two is a straight line.
            clock_samples = max(clock_samples, min(2 * clock_samples, WALKING_CLOCKS * self._stft.clock_samples))
        self.clock_samples, self._turn_samples = clock_samples, turn_samples

    def _only_walks(self) -> bool:
        """Whether time alone moves it."""
        return self._player.arrives == math.inf and self._heard_at >= max(self._controls.arrives, self._player.steered_until, self.fade.arrives)

    def next_turn(self, now: int) -> int:
        """Return the first sample from one on at which it has its turn."""
        return now + (self._turn_samples - now) % self.clock_samples

    def change(self, now: int, master_gain: Callable[[float], float], at_clock: bool = True, way: Way = WHOLE) -> None:
        """Be heard, from sample ``now`` on, as everything stands in the middle between now and its next turn; `whole`, `in_haste` or `in_part`."""
        if self._rest is not None:
            rest, self._rest, self._heard_at = self._rest, None, self._half_heard_at
            rest(now)
            return
        if self._bank is not None:
            self._bank.do_less(way.only_one)
        spread, until = self.clock_samples, self.next_turn(now + 1)
        if self._listener is not None:
            self._listener.listen(now, way.in_haste)
        # In the middle, since a straight movement then comes out straight and in time.
        self._heard_at = middle = 0.5 * (now + until)
        row = self._controls.values(middle)
        self._is_steered, self._has_jumped = middle < self._controls.arrives, False
        gain = db_to_amplitude(row[_GAIN]) if row[_GAIN] > PART["gain"].minimum else 0.0
        gain *= self._patch_gain * self.fade.level(middle) * master_gain(middle)
        spectrum = self._player.spectrum(middle, row, until - now if at_clock else 0)
        if self._listener is not None:
            if self._own is not None:
                self._change_own(now, until, spread, gain, row, at_clock)
                return
            spectrum = None if spectrum is None else self._listener.in_noise(spectrum)
        if spectrum is None or gain <= 0.0:
            if not self._sound.is_silent:
                self._sound.change(now, spread, None, self._mix)
            return
        if (row[_PAN], row[_WIDTH]) != self._mix_key:
            self._mix_key = row[_PAN], row[_WIDTH]
            self._mix = Mix.of(*self._mix_key)
        breath = row[_BREATH]
        if not way.in_two:
            self._hear(now, spread, spectrum, gain, breath)
            return
        # As they are now: the other half comes later.
        half, apart = spectrum, self._player.apart().kept()
        self._rest = lambda later: self._hear(later, spread, half, gain, breath, apart)
        self._heard_at, self._half_heard_at = -1.0, middle

    def _hear(self, now: int, spread: int, spectrum: Magnitudes, gain: float, breath: float, apart: Apart | None = None) -> None:
        """Be heard as a spectrum: what of it is noise, and what is tone; ``apart`` are its voices, those of the player's last one if left out."""
        noise: Magnitudes | None = None
        tone: Tone | None = None
        if self._partials is None:
            noise = spectrum * np.float32(gain)
        else:
            noise_share, tone_share = shares(breath)
            noise = spectrum * np.float32(gain * noise_share) if noise_share else None
            tone = self._partials.change(now + spread, apart or self._player.apart(), gain * tone_share) if tone_share else None
        self._sound.change(now, spread, noise, self._mix, tone)

    def _change_own(self, now: int, until: int, spread: int, gain: float, row: Row, at_clock: bool) -> None:
        """Be heard with the phases of the input."""
        assert self._own is not None and self._listener is not None
        self._own.change(now, spread, Gains.of(gain * self._listener.level, row[_PAN], row[_WIDTH]))
        spectra = self._listener.spectra() if at_clock and not self._own.is_silent else None
        if spectra is not None:
            self._own.add(now, until - now, spectra)

    def add_to(self, out: NDArray[np.float32], start: int) -> None:
        """Add its samples from ``start`` on, all in one hop or whole hops of what is steady, to ``out``: float32 (samples, 2)."""
        if not self.is_silent:
            (self._sound if self._own is None else self._own).add_to(out, start)


def _listener(sound: Sound | NoteSound, controls: Controls, inlet: Inlet, row: Row, now: int) -> Resynthesis | None:
    """Return what hears, of a patch in resynthesis."""
    if isinstance(sound, NoteSound) or sound.patch.mode != "resynthesis":
        return None
    return Resynthesis(sound, controls, source_of(sound, inlet, row, now))


def _drone(sound: Sound | NoteSound, controls: Controls, budget: Budget | None) -> Drone | WalkingDrone:
    return WalkingDrone(sound, controls, budget) if isinstance(sound, NoteSound) else Drone(sound, controls)
