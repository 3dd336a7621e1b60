"""Where notes sound: the voices of the state, and which of them a note gets.

Control process, one thread; imports ``parameters`` and ``units``. All that is known of a note is numbers of the state, so that what is due later,
and whoever is started again, finds it there. A voice is held while ``ended`` is not ``started``.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..parameters import MAX_VOICES, N_VOICE_LATENTS, N_VOICE_SLOTS, VOICE, VOICE_SLOTS, VOICES_AT, voice_at
from ..units import bend, db_to_amplitude

if TYPE_CHECKING:
    from .instrument import Instrument
    from .part import Part


class Voices:
    """All voices of an instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._values = instrument.state.values
        self._count = max(self._column("started"))
        self._reserved: dict[int, float] = {}  # voices that a note ahead of its time has been given, and when that begins
        for due_seconds, at, value in zip(*(instrument.state.ahead[n::3] for n in range(3)), strict=True):
            voice, slot = divmod(int(at) - VOICES_AT, N_VOICE_SLOTS)
            if voice >= 0 and slot == VOICE_SLOTS["started"].start:
                self._count = max(self._count, value)
                self._reserved[voice] = due_seconds
        self._owners: dict[Any, int] = {}
        for voice in range(MAX_VOICES):  # whom an earlier control knew is gone, and so is who would release these
            if self._get(voice, "owner") and self.is_held(voice):
                self._end(voice)

    # ---- numbers

    def _get(self, voice: int, name: str) -> float:
        return self._values[voice_at(voice, name)]

    def _set(self, voice: int, name: str, value: float, index: int = 0) -> None:
        at, instrument = voice_at(voice, name, index), self._instrument
        if instrument.written is not None:
            instrument.written[at] = value
        if self._values[at] != value:
            self._values[at] = value
            instrument.state.voices_revision += 1
            instrument.changed = True

    def _column(self, name: str) -> array[float]:
        return self._values[VOICES_AT + VOICE_SLOTS[name].start :: N_VOICE_SLOTS]

    def is_held(self, voice: int) -> bool:
        """Say whether a voice has a note that is not released."""
        return self._get(voice, "ended") != self._get(voice, "started")

    def held(self, part: int) -> list[int]:
        """Return the voices of a part that are held."""
        columns = zip(self._column("part"), self._column("started"), self._column("ended"), strict=True)
        return [voice for voice, (owner, started, ended) in enumerate(columns) if owner == part and started != ended]

    def find(self, part: int, name: str, value: float, is_down: bool = False) -> list[int]:
        """Return the voices of a part that are held and have that id or pitch; ``is_down``: whose keys are down."""
        found = [voice for voice in self.held(part) if self._get(voice, name) == value]
        return [voice for voice in found if self._get(voice, "lifted") != self._get(voice, "started")] if is_down else found

    def pitches(self, part: Part) -> list[float]:
        """Return the pitches of the notes of a part that are held, lowest first, each once."""
        return sorted({self._get(voice, "pitch") for voice in self.held(part.number)})

    # ---- notes

    def start(self, part: Part, pitch: float, velocity: float, name: float) -> None:
        """Begin a note; one of the same id ends."""
        for voice in self.find(part.number, "id", name):
            self._end(voice)
        voice, now = self._place(part), self._instrument.now_seconds
        if self._instrument.written is not None:
            self._reserved[voice] = now
        self._count += 1
        numbers = {"started": self._count, "part": part.number, "owner": self._owner(), "since": now, "id": name}
        numbers |= {"pitch": VOICE["pitch"].clamp(pitch), "velocity": velocity}
        for key, number in numbers.items():
            self._set(voice, key, number)
        for key in ("release", "bend", "pressure"):
            if self._get(voice, key):
                self._set(voice, key, 0.0)
        for index in range(N_VOICE_LATENTS):
            if not math.isnan(self._values[voice_at(voice, "latent", index)]):
                self._set(voice, "latent", math.nan, index)

    def lift(self, part: Part, voices: Iterable[int], velocity: float = 0.0) -> None:
        """Have keys come up: their notes end, unless the pedal holds them."""
        for voice in voices:
            self._set(voice, "release", velocity)
            self._set(voice, "lifted", self._get(voice, "started"))
            if not part.get("hold"):
                self._end(voice)

    def lift_pedal(self, part: Part) -> None:
        """End the notes whose keys are up."""
        self._end_all(voice for voice in self.held(part.number) if self._get(voice, "lifted") == self._get(voice, "started"))

    def express(self, voices: Iterable[int], name: str, value: float, index: int = 0) -> None:
        """Bend or press notes, or move a latent of theirs."""
        for voice in voices:
            self._set(voice, name, VOICE[name].clamp(value), index)

    def end(self, part: Part) -> None:
        """End every note of a part, pedal or not."""
        self._end_all(self.held(part.number))

    def keep(self, part: Part, n_voices: int) -> None:
        """End the quietest notes of a part that are more than so many."""
        held = sorted(self.held(part.number), key=self._level)
        self._end_all(held[: max(0, len(held) - n_voices)])

    def unbend(self, part: Part) -> None:
        """Let every note of a part have its own pitch."""
        self.express((voice for voice in range(MAX_VOICES) if self._get(voice, "part") == part.number), "bend", 0.0)

    def leave(self, sender: Any) -> None:
        """End the notes of one who is gone."""
        owner = self._owners.pop(sender, None)
        if owner is not None:
            self._end_all(voice for voice, theirs in enumerate(self._column("owner")) if theirs == owner and self.is_held(voice))

    def _end_all(self, voices: Iterable[int]) -> None:
        for voice in list(voices):
            self._end(voice)

    def _end(self, voice: int) -> None:
        self._set(voice, "ended", self._get(voice, "started"))
        self._set(voice, "since", self._instrument.now_seconds)

    def _owner(self) -> float:
        sender = self._instrument.sender
        if sender is None or isinstance(sender, tuple):  # an address does not vanish
            return 0.0
        return float(self._owners.setdefault(sender, max([*self._owners.values(), *map(int, self._column("owner"))]) + 1))

    # ---- which voice

    def _place(self, part: Part) -> int:
        """Return the voice for a new note: a free one, the one released longest ago, or the quietest."""
        n_voices = part.patch.voices if part.patch else 1
        mine = [voice for voice, owner in enumerate(self._column("part")) if owner == part.number]
        held = [voice for voice in mine if self.is_held(voice)]
        if len(held) >= n_voices:
            return min(held, key=self._level)
        if len(mine) >= n_voices and (released := self._released(mine)) is not None:
            return released
        unused = (voice for voice, started in enumerate(self._column("started")) if not started and self._is_unreserved(voice))
        first = next(unused, None)
        if first is None:
            first = self._released(range(MAX_VOICES))
        return min(range(MAX_VOICES), key=self._level) if first is None else first

    def _released(self, voices: Iterable[int]) -> int | None:
        free = [voice for voice in voices if not self.is_held(voice) and self._is_unreserved(voice)]
        return min(free, key=lambda voice: self._get(voice, "since"), default=None)

    def _is_unreserved(self, voice: int) -> bool:
        return self._reserved.get(voice, -math.inf) <= self._instrument.now_seconds

    def _level(self, voice: int) -> tuple[float, float]:
        """Return how loud a held voice is by now, as far as its envelope and its velocity say, and when it began.

        One that is still coming up counts as loud: somebody has only just asked for it.
        """
        since = self._get(voice, "since")
        part = self._instrument.parts.get(int(self._get(voice, "part")))
        if part is None or part.patch is None:
            return 0.0, since
        velocity = part.patch.velocity
        struck = db_to_amplitude(-velocity.loudness_db * (1.0 - bend(self._get(voice, "velocity"), velocity.curve)))
        attack, decay, sustain = (part.get(f"envelope/{stage}") for stage in ("attack", "decay", "sustain"))
        elapsed_ms = 1000.0 * max(0.0, self._instrument.now_seconds - since)
        left = 1.0 - max(0.0, elapsed_ms - attack) / max(decay, 1e-3) if elapsed_ms < attack + decay else 0.0
        return struck * (sustain + (1.0 - sustain) * left * left), since
