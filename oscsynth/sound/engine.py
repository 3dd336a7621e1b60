"""Everything that sounds, at samples: the state in, sound out. Rendering thread, but for `install` and `forget`.

The result depends on the states and the samples at which they were given, never on how the samples were asked for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..parameters import MASTER, MASTER_SLOTS, MAX_PARTS, MAX_VOICES, N_ROWS, N_SLOTS, N_VALUES, N_VOICE_SLOTS, VOICE_SLOTS, VOICES_AT
from ..units import db_to_amplitude
from .budget import Budget
from .controls import Controls, master_slews
from .deck import Deck
from .note_sound import NoteSound
from .output import KNEE, limit
from .overload import FADE_SECONDS
from .part import Part
from .phase import HOPS_AHEAD, NoiseCarrier, Stft
from .planner import BEGINNING, GOING_ON, Planner
from .source import Inlet
from .voices import Sound

State = NDArray[np.float64]
Block = NDArray[np.float32]

MAX_INSTANTS = 8  # in each clock; what comes later joins the next
MANY_VOICES = 16  # while more than these move, every other clock is left out, and three of four while it is more than four times as many
AHEAD = "a hop ahead"  # what a budget knows one as
TURNS = (0, 4, 2, 6, 1, 5, 3, 7)  # eighths of the time between two changes: when each deck has its turn, so that no block has the work of all

_VOICE_PART = VOICE_SLOTS["part"].start
_GAIN, _FADE = MASTER_SLOTS["gain"].start, MASTER_SLOTS["fade"].start


class Engine:
    """Eight parts and a master.

    Parameters
    ----------
    sample_rate_hz : int
        Of the device.
    n_channels : int
        That `render` returns.
    budget : Budget, optional
        Of the blocks; where there is one, what does not fit waits for the next clock.

    Attributes
    ----------
    position_samples : int
        Rendered so far.
    coarseness : int
        How many times as far apart as usual what moves is to be made anew: a power of two.
    peak : float
        The largest sample that was made since somebody set it to 0; of one channel, the larger of the two that it was made of.
    """

    def __init__(self, sample_rate_hz: int, n_channels: int = 2, budget: Budget | None = None) -> None:
        self.stft = Stft.at_rate(sample_rate_hz)
        self.n_channels = n_channels
        self.position_samples = 0
        self.coarseness, self.peak = 1, 0.0
        self._budget = budget
        self._planner = Planner(self.stft, budget, self._decks) if budget is not None else None
        self._fade_samples = FADE_SECONDS * self.stft.sample_rate_hz
        self._carrier = NoiseCarrier(self.stft)
        self._inlet = Inlet(self.stft.window_samples)
        self._sounds: dict[int, Sound | NoteSound] = {}
        self._parts = [Part(part, self._sounds, self._carrier, self._inlet, budget) for part in range(1, MAX_PARTS + 1)]
        self._state = np.full(N_VALUES, np.nan)
        self._rows = self._state[:VOICES_AT].reshape(N_ROWS, N_SLOTS)
        self._voices = self._state[VOICES_AT:].reshape(MAX_VOICES, N_VOICE_SLOTS)
        self._master: Controls | None = None
        self._given = self._state  # what `render` was given last
        self._kept: Block = _nothing()  # made already, as `render` returns it
        self._instants = 0
        self._clock, self._turns = self.stft.clock_samples, 0  # how far apart the changes are, and of how many decks
        self._pending = True
        self._faults = 0

    def install(self, number: int, sound: Sound | NoteSound) -> None:
        """Have a loaded patch ready under a number (any thread)."""
        self._sounds[number] = sound
        self._pending = True

    def forget(self, number: int) -> None:
        """Drop a patch; where it is sounding it sounds on (any thread)."""
        self._sounds.pop(number, None)

    @property
    def faults(self) -> int:
        """Spectra that came out NaN or infinite, and samples that did; each was made silent."""
        return self._faults + self._inlet.faults + sum(part.faults for part in self._parts)

    @property
    def sounding_parts(self) -> int:
        """Parts that are heard now."""
        return sum(any(not deck.is_silent for deck in part.decks) for part in self._parts)

    @property
    def sounding_voices(self) -> int:
        """Notes that are heard now."""
        return sum(deck.n_voices for part in self._parts for deck in part.decks)

    def shed_past(self) -> int:
        """Have what still goes on of patches that were switched away from fade out at once; return how many those are."""
        count = sum(part.cut_past(self.position_samples, self._fade_samples) for part in self._parts)
        if count:
            self._kept = _nothing()
        return count

    def shed(self, count: int) -> int:
        """Have some notes fade out at once, those first that are missed least; return how many went."""
        now, fade_samples, decks = self.position_samples, self._fade_samples, self._decks()
        spare = sorted((rank, n, at) for n, deck in enumerate(decks) for rank, at in deck.spare(now, fade_samples))
        for _, n, at in spare[:count]:
            decks[n].drop(at, now, fade_samples)
            self._kept = _nothing()
        return len(spare[:count])

    @property
    def apart_samples(self) -> int:
        """How far apart the changes of what moves are now."""
        return self._clock

    def finer_work(self, n_samples: int) -> float:
        """Return how many times as many changes a block would have at most if they were twice as close: 1 where it has one either way."""
        now, then = (max(1, math.ceil(each * self._turns * n_samples / self._clock)) for each in (1, 2))
        return then / now

    @property
    def is_listening(self) -> bool:
        """Whether any part plays what the input hears."""
        return any(part.is_listening for part in self._parts)

    def tracks_seconds(self) -> list[tuple[float, float]]:
        """Return where in its track each part is, and how long that is; 0 and 0 where it has none."""
        rate_hz, tracks = self.stft.sample_rate_hz, (part.track(self.position_samples) for part in self._parts)
        return [(position / rate_hz, length / rate_hz) for position, length in tracks]

    @property
    def ready(self) -> Block:
        """What was made already and comes next, as `render` returns it."""
        return self._kept

    def is_ready(self, n_samples: int) -> bool:
        """Return whether so many samples are made already, and nothing waits to be done: `go_on` may take the place of `render`."""
        return len(self._kept) >= n_samples and not self._pending and self._carrier.is_complete

    def go_on(self, n_samples: int) -> Block:
        """Return the next samples of what is `ready`: as `render` would where nothing is said, and nothing is heard."""
        block, self._kept = self._kept[:n_samples], self._kept[n_samples:]
        self.position_samples += n_samples
        return block

    def render(self, state: State | None, n_samples: int, heard: Block | None = None) -> Block:
        """Return the next samples.

        Parameters
        ----------
        state : float64 (N_VALUES,), optional
            `parameters.State.values`, in force from the first of these samples on; what differs from the last call acts there. None where
            nothing does: the last array is as it was.
        heard : float32 (n_samples, 1 or 2), optional
            What the input hears meanwhile; silence if left out. Each sample is known after its own moment, never before.

        Returns
        -------
        float32 (n_samples, n_channels)
            Finite, at most -0.3 dBFS.
        """
        first = self.position_samples
        end, blocks = first + n_samples, []
        if state is not None or self._pending:
            self._given = self._given if state is None else state
            self._take(self._given, first)
        while self.position_samples < end:
            now = self.position_samples
            if not len(self._kept):
                self._kept = self._made(now, end)
            block, self._kept = self._kept[: end - now], self._kept[end - now :]
            if heard is not None:
                self._inlet.push(heard[now - first : now - first + len(block)])
            self.position_samples = now + len(block)
            blocks.append(block)
        for _ in range(max(1, n_samples // self.stft.clock_samples)):
            if self._budget is not None and self._budget.is_early:
                self._carrier.make_ahead()
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def _made(self, now: int, end: int) -> Block:
        """Return the sound from a sample on to the end of the block at most; where all is steady, to the end of the hop and further."""
        hop_samples, clock_samples, budget = self.stft.hop_samples, self.stft.clock_samples, self._budget
        was_still = self._is_still()
        if now % clock_samples == 0:
            self._tick(self._given, now)
        is_still, decks = was_still and self._is_still(), self._decks()  # a patch may have been installed just now
        step = hop_samples if is_still else clock_samples
        stop = now - now % step + step
        # Where a change is still coming in, what it takes the place of may yet be needed.
        is_steady = is_still and all(deck.is_steady for deck in decks)
        if not is_steady:
            stop = min(stop, end)
        if budget is None:
            return self._finish(self._sum(decks, now, stop))
        made = budget.timed(GOING_ON if now % hop_samples else BEGINNING, lambda: self._sum(decks, now, stop))
        if is_steady and (n_hops := min(HOPS_AHEAD, budget.spare_room(budget.cost_seconds(AHEAD)))):
            # Several in one go take half of what each takes by itself, on a processor that goes to sleep in between.
            ahead = budget.timed(AHEAD, lambda: self._sum(decks, stop, stop + n_hops * hop_samples), n_hops)
            made = np.concatenate([made, ahead])
        return self._finish(made)

    def _sum(self, decks: list[Deck], start: int, stop: int) -> Block:
        """Return the sound of all decks from a sample to another one in the same hop, or whole hops of what is steady."""
        out = np.zeros((stop - start, max(2, self.n_channels)), np.float32)
        for deck in decks:
            if not deck.is_silent:
                first = min(deck.output, out.shape[1] - 1) - 1
                deck.add_to(out[:, first : first + 2], start)
        return out

    def _decks(self) -> list[Deck]:
        return [deck for part in self._parts for deck in part.decks]

    def _is_still(self) -> bool:
        """Whether nothing would change any more if nothing were changed."""
        return not self._pending and not self._moving()

    def _moving(self) -> list[Deck]:
        """Return the decks that do not stand still."""
        arrives = self._master.arrives if self._master is not None else 0.0
        return [deck for deck in self._decks() if not deck.is_settled(arrives)]

    def _take(self, state: State, now: int) -> None:
        # As bits, so that NaN equals itself.
        differs = state.view(np.int64) != self._state.view(np.int64)
        if not self._pending and not differs.any():
            return
        self._kept = _nothing()
        if self._instants >= MAX_INSTANTS and now % self.stft.clock_samples:
            # Kept for the next clock: the state given then holds this change too.
            self._pending = True
            return
        changed = self._changed(differs, state)
        self._pending = False
        self._instants += 1
        self._state[:] = state
        if self._master is None:
            self._master = Controls(self._rows[0], master_slews(), self.stft.sample_rate_hz)
        elif self._master.set(self._rows[0], now) is not None:
            self._clock = self.stft.clock_samples  # what moves all of it is as fast as ever
            for deck in self._decks():
                deck.unsettle()
        for number in changed:
            part = self._parts[number - 1]
            at_once, waiting = part.update(self._rows[number], self._voices, now)
            self._pending |= waiting
            for deck in part.decks:
                if not deck.clock_samples:
                    deck.keep_time(self._clock, 0)  # it has just begun
            for deck in part.decks if at_once else ():
                if not deck.is_settled(self._master.arrives) and deck.next_turn(now) > now:
                    self._change(deck, now, at_clock=False)

    def _changed(self, differs: NDArray[np.bool_], state: State) -> list[int]:
        """Return the parts of which something is another, or whose voices were or are another."""
        if self._pending or self._master is None:
            return list(range(1, N_ROWS))
        changed = np.asarray(differs[:VOICES_AT].reshape(N_ROWS, N_SLOTS).any(1))
        if differs[VOICES_AT:].any():
            voices = differs[VOICES_AT:].reshape(MAX_VOICES, N_VOICE_SLOTS).any(1)
            for those in (state[VOICES_AT:].reshape(MAX_VOICES, N_VOICE_SLOTS), self._voices):
                changed[those[voices, _VOICE_PART].astype(np.intp)] = True
        return [number for number in range(1, N_ROWS) if changed[number]]

    def _tick(self, state: State, now: int) -> None:
        self._instants = 0
        if self._pending:
            self._take(state, now)
        if now % self._clock == 0:
            self._deal(now)
        for deck in sorted(self._moving(), key=lambda deck: (deck.may_wait, deck.waits_since)):
            if deck.next_turn(now) == now or (deck.may_wait and deck.waits_since < now):
                self._change(deck, now, at_clock=True)
        for part in self._parts:
            part.clean_up()

    def _change(self, deck: Deck, now: int, at_clock: bool) -> None:
        """Have a deck made anew, or wait where there is no time for it."""
        if self._planner is None or self._fades(now):
            # What moves all of it is never put off.
            deck.waits_since = math.inf
            deck.change(now, self._master_gain, at_clock)
        else:
            self._planner.change(deck, now, at_clock, lambda way: deck.change(now, self._master_gain, at_clock, way))

    def _fades(self, now: int) -> bool:
        """Whether the whole fades, or did just now."""
        return self._master is not None and 0.0 < self._master.arrives and now < self._master.arrives + 2 * self.stft.clock_samples

    def _deal(self, now: int) -> None:
        """Give each deck its turn, those that cost most far from each other, and say how far apart the changes are.

        That is a power of two of clocks, two hops at most.
        """
        moving = sorted(self._moving(), key=lambda deck: -deck.n_moving)
        n_moving = sum(deck.n_moving for deck in moving)
        together = (1 if n_moving <= MANY_VOICES else 2 if n_moving <= 4 * MANY_VOICES else 4) * (1 if self._fades(now) else self.coarseness)
        clock = min(together * self.stft.clock_samples, 2 * self.stft.hop_samples)
        while now % clock:
            clock //= 2
        self._clock, self._turns = clock, len(moving)
        for place, deck in enumerate(moving):
            turn = TURNS[place % len(TURNS)] * clock // len(TURNS)
            deck.keep_time(clock, turn - turn % self.stft.clock_samples)

    def _master_gain(self, at: float) -> float:
        if self._master is None:
            return 0.0
        row = self._master.values(at)
        return db_to_amplitude(row[_GAIN]) * float(row[_FADE]) if row[_GAIN] > MASTER["gain"].minimum else 0.0

    def _finish(self, out: Block) -> Block:
        if not math.isfinite(top := _peak(out)):
            bad = ~np.isfinite(out)
            self._faults += int(bad.sum())
            out[bad] = 0.0
            top = _peak(out)
        if self.n_channels == 1:
            out = out.mean(1, keepdims=True, dtype=np.float32)
        if top > KNEE:
            top = _peak(limit(out))
        self.peak = max(self.peak, top)
        return out


def _peak(out: Block) -> float:
    return max(float(out.max()), -float(out.min()))


def _nothing() -> Block:
    return np.zeros((0, 2), np.float32)
