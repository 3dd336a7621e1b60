"""What can change while it sounds: one table, and the flat array of numbers that both processes share.

Any thread, any process; plain Python (no NumPy), imports ``units`` alone. A row of the table is an OSC value; its slots are its place
in the array. ``control`` writes the array, ``sound`` reads it; what a number means is said here and nowhere else.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Literal

from .units import amplitude_to_db, db_to_amplitude

MAX_PARTS = 8
MAX_VOICES = 256  # of all parts together
MAX_PART_VOICES = 64
MAX_LATENTS = 64
N_FADERS = 8  # latents that have an address whether or not the decoder has them
N_VOICE_LATENTS = 8  # that a single note can have of its own
MAX_INSTRUMENTS = 32  # of a note decoder
N_CLASSES = 12
NO_PATCH = -1.0
MAX_CHANGES_AHEAD = 8192  # that the engine is told of

Curve = Literal["linear", "db", "cubic"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can change, or ``size`` of a kind.

    ``name`` is its OSC address below the part (or below ``/master``); ``stays`` says that it stays with the part when the patch is
    switched, otherwise the new patch brings its own. ``continuous`` ones have ``/normalized`` and ``/text`` beside them. NaN as default means
    "as the patch or decoder says". Hidden rows (no description) are not OSC values: the engine's alone.
    """

    name: str
    minimum: float
    maximum: float
    default: float
    unit: str = ""
    description: str = ""
    curve: Curve = "linear"
    size: int = 1
    stays: bool = False
    continuous: bool = True

    def clamp(self, value: float) -> float:
        """Return the value, moved into the range."""
        return min(max(value, self.minimum), self.maximum)

    def normalize(self, value: float) -> float:
        """Return the fader position 0..1 of a value in its own unit."""
        value = self.clamp(value)
        if self.curve == "db":
            # A fader that is linear in the cube root of amplitude: fine near the top, silence at the very bottom.
            return (db_to_amplitude(value) / db_to_amplitude(self.maximum)) ** (1 / 3) if value > self.minimum else 0.0
        position = (value - self.minimum) / (self.maximum - self.minimum)
        return position ** (1 / 3) if self.curve == "cubic" else position

    def denormalize(self, position: float) -> float:
        """Return the value in its own unit at a fader position 0..1."""
        position = min(max(position, 0.0), 1.0)
        if self.curve == "db":
            return self.clamp(amplitude_to_db(position**3 * db_to_amplitude(self.maximum))) if position > 0 else self.minimum
        return self.minimum + (position**3 if self.curve == "cubic" else position) * (self.maximum - self.minimum)

    def text(self, value: float) -> str:
        """Return the value as a label says it, such as ``-6.0 dB``."""
        if math.isnan(value):
            return "auto"
        if self.curve == "db" and value <= self.minimum:
            return "silent"
        if not self.continuous:
            return f"{value:g} {self.unit}".strip()
        decimals = 0 if self.unit == "ms" and value >= 100 else 1 if self.unit else 2
        return f"{value:.{decimals}f} {self.unit}".strip()


# fmt: off
PART_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("open", 0, 1, 0, continuous=False, stays=True),  # 1 while the part exists
    Parameter("patch", -1, math.inf, NO_PATCH, continuous=False, stays=True),  # the number under which the engine holds the loaded patch
    Parameter("panic", 0, math.inf, 0, continuous=False, stays=True),  # counts up at each panic: the gate then closes within 5 ms
    Parameter("travel", 0, 600, 0, "s"),  # seconds in which continuous values changed in the same instant arrive; 0: by their own slew
    Parameter("gate", 0, 1, 0, "", "opens (1) or closes (0) a drone", stays=True, continuous=False),
    Parameter("gain", -72, 12, 0, "dB", "loudness, over the patch's own gain", "db", stays=True),
    Parameter("pan", -1, 1, 0, "", "place between left (-1) and right (1)", stays=True),
    Parameter("width", 0, 2, 0.5, "", "stereo width: 0 mono, 1 wide", stays=True),
    Parameter("transpose", -36, 36, 0, "semitones", "moves every pitch, fractions are cents", stays=True),
    Parameter("register", 0, 9, math.nan, "octave", "the octave of the note class, 4 holds middle C; as the patch says until set"),
    Parameter("glide", 0, 10000, 0, "ms", "time in which pitch slides to a new note, register or transposition", "cubic"),
    Parameter("breath", 0, 1, 0, "", "share of noise in a sound whose phase is tonal: 0 pure tone, 1 pure noise"),
    Parameter("envelope/attack", 0, 10000, 5, "ms", "time from silence to full", "cubic"),
    Parameter("envelope/decay", 0, 10000, 200, "ms", "time from full to the sustain level", "cubic"),
    Parameter("envelope/sustain", 0, 1, 0.8, "", "level held while the gate is open or the note is held"),
    Parameter("envelope/release", 0, 30000, 400, "ms", "time to silence after that", "cubic"),
    Parameter("hold", 0, 1, 0, "", "the pedal: 1 holds notes whose keys are up until it is 0 again", stays=True, continuous=False),
    Parameter("output", 1, 63, 1, "", "first output channel of the part", stays=True, continuous=False),
    Parameter("chroma", 0, 1, 0, "", "weights of the twelve note classes", size=N_CLASSES, stays=True),
    Parameter("latent", 0, 1, 0.5, "", "one neuron of the decoder, over the range its sounds used", size=MAX_LATENTS),
    Parameter("timbre", 0, 1, 0, "", "weights of the instruments of a note decoder", size=MAX_INSTRUMENTS),
    Parameter("transfer", 0, 1, 0, "", "how far notes of a note decoder go from the one instrument to the other: 1 all the way"),
    Parameter("transfer/from", -1, MAX_INSTRUMENTS - 1, -1, continuous=False),  # which instruments, from 0; -1 none
    Parameter("transfer/to", -1, MAX_INSTRUMENTS - 1, -1, continuous=False),
    Parameter("brightness", 0, 1, 0.5, "", "how bright notes of a note decoder are: 0 dark, 0.5 as they are, 1 bright"),
    Parameter("spread", 0, 2, 0, "", "how far each note of a note decoder strays from its instrument: 1 as far as those recorded did"),
    # In resynthesis: what is heard, and how far it plays.
    Parameter("scale", 0, 2, 1, "", "how far what is heard moves a latent about its fader", size=MAX_LATENTS),
    Parameter("follow", 0, 1, 1, "", "resynthesis: 1 plays the note that is heard, 0 those of chroma and register", stays=True, continuous=False),
    Parameter("track/playing", 0, 1, 0, "", "resynthesis: plays (1) or stops (0) the patch's track", continuous=False),
    Parameter("track/loop", 0, 1, 1, "", "resynthesis: whether the track begins again (1) at its end", continuous=False),
    Parameter("track/starts", 0, math.inf, 0, continuous=False),  # counts what begins again after the end
    Parameter("track/seeks", 0, math.inf, 0, continuous=False),  # counts the jumps
    Parameter("track/to", 0, math.inf, 0, "s", continuous=False),  # where the last one went
)
# One of the notes that may sound at once. Which of its place it is is counted, so that no note is lost that begins and ends within a block.
VOICE_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("started", 0, math.inf, 0),  # counts the notes that began in this place
    Parameter("lifted", 0, math.inf, 0),  # the same number once its key is up; the pedal may hold it still
    Parameter("ended", 0, math.inf, 0),  # the same number once it is released
    Parameter("part", 0, MAX_PARTS, 0),  # whose it is; 0: nobody's yet
    Parameter("owner", 0, math.inf, 0),  # the connection or port that it goes with, 0: none
    Parameter("since", -math.inf, math.inf, 0, "s"),  # when it began; when its key came up; on control's clock
    Parameter("id", -math.inf, math.inf, 0, "", "what the note is called"),
    Parameter("pitch", 0, 127, 60, "", "a MIDI note number, 60 is middle C; fractions are cents"),
    Parameter("velocity", 0, 1, 1, "", "how hard it was struck"),
    Parameter("release", 0, 1, 0, "", "how fast its key came up"),
    Parameter("bend", -96, 96, 0, "semitones", "how far it is bent"),
    Parameter("pressure", 0, 1, 0, "", "how hard its key is pressed"),
    Parameter("latent", 0, 1, math.nan, "", "a latent of this note alone", size=N_VOICE_LATENTS),
)
MASTER_PARAMETERS: tuple[Parameter, ...] = (
    Parameter("gain", -72, 12, 0, "dB", "loudness of everything", "db", stays=True),
    Parameter("fade", 0, 1, 1, continuous=False, stays=True),  # 0: fade out within 50 ms, before the program leaves
)
# fmt: on


def _slots(table: tuple[Parameter, ...]) -> dict[str, slice]:
    slots, start = {}, 0
    for row in table:
        slots[row.name] = slice(start, start + row.size)
        start += row.size
    return slots


PART = {row.name: row for row in PART_PARAMETERS}
MASTER = {row.name: row for row in MASTER_PARAMETERS}
VOICE = {row.name: row for row in VOICE_PARAMETERS}
PART_SLOTS = _slots(PART_PARAMETERS)
MASTER_SLOTS = _slots(MASTER_PARAMETERS)
VOICE_SLOTS = _slots(VOICE_PARAMETERS)
N_SLOTS = sum(row.size for row in PART_PARAMETERS)
N_ROWS = 1 + MAX_PARTS  # row 0 is the master's, row N part N's
N_VOICE_SLOTS = sum(row.size for row in VOICE_PARAMETERS)
VOICES_AT = N_ROWS * N_SLOTS  # in the flat array: the voices, one after the other
N_VALUES = VOICES_AT + MAX_VOICES * N_VOICE_SLOTS


class State:
    """The numbers of the master (row 0), of parts 1 to 8 and of the voices, as control knows them.

    ``values`` is one flat ``array('d')`` of `N_VALUES`: ``N_ROWS * N_SLOTS``, then ``MAX_VOICES * N_VOICE_SLOTS``; the engine reads the same
    layout. ``voices_revision`` is another number whenever a voice may have changed, as whoever changes one sees to; -1: not known.
    ``ahead`` are changes that come into force later, at most `MAX_CHANGES_AHEAD` in order of time, three numbers each: when, in seconds of
    ``time.monotonic``; where in ``values``; and the value. Whoever has another list puts it there as a new array.
    """

    def __init__(self) -> None:
        self.values = array("d", bytes(8 * N_VALUES))
        self.voices_revision = 0
        self.ahead = array("d")
        for row in MASTER_PARAMETERS:
            self.set(0, row.name, row.default)
        for part in range(1, N_ROWS):
            for row in PART_PARAMETERS:
                for index in range(row.size):
                    self.set(part, row.name, row.default, index)
        self.values[VOICES_AT:] = array("d", [row.default for row in VOICE_PARAMETERS for _ in range(row.size)] * MAX_VOICES)

    @classmethod
    def of(cls, values: array[float], ahead: array[float]) -> State:
        """Return a state of these very arrays, about whose voices nothing is known."""
        state = cls.__new__(cls)
        state.values, state.ahead, state.voices_revision = values, ahead, -1
        return state

    def _at(self, part: int, name: str, index: int) -> int:
        first: int = (PART_SLOTS if part else MASTER_SLOTS)[name].start
        return part * N_SLOTS + first + index

    def get(self, part: int, name: str, index: int = 0) -> float:
        """Return one number; part 0 is the master."""
        return self.values[self._at(part, name, index)]

    def set(self, part: int, name: str, value: float, index: int = 0) -> None:
        """Set one number; part 0 is the master."""
        self.values[self._at(part, name, index)] = value

    def get_voice(self, voice: int, name: str, index: int = 0) -> float:
        """Return one number of a voice, 0 to 255."""
        return self.values[voice_at(voice, name, index)]

    def set_voice(self, voice: int, name: str, value: float, index: int = 0) -> None:
        """Set one number of a voice, 0 to 255."""
        self.values[voice_at(voice, name, index)] = value
        self.voices_revision += 1


def voice_at(voice: int, name: str, index: int = 0) -> int:
    """Return where in the flat array a number of a voice lies."""
    first: int = VOICE_SLOTS[name].start
    return VOICES_AT + voice * N_VOICE_SLOTS + first + index
