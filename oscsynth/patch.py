"""What a patch is: frozen dataclasses, and nothing about files.

Any thread, any process; imports nothing of the house. ``patch_file`` reads and checks YAML into these, ``control`` takes faders and names
from them, ``sound`` takes the decoder and how its neurons are mapped. Every field's bounds and what it does stand in its annotation: the
checks, their sentences and docs/patches.md are made from them. A field without ``Doc`` is filled in by the program and is no key of a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, Len


@dataclass(frozen=True, slots=True)
class Doc:
    """What a key does to the sound; ``takes`` says what may stand there where the type alone does not."""

    text: str
    takes: str = ""


Unit = Annotated[float, Ge(0), Le(1)]
Milliseconds = Annotated[float, Ge(0), Le(10000)]
Name = Annotated[str, Len(1, 64)]
LatentCurve = Literal["linear", "exponential", "logarithmic", "s"]
Stretch = Literal["auto", "spectrum", "harmonics"]
Formants = Literal["move", "keep"]

LIVE = "live"  # as ``input``: the audio input
TRACKS = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")  # how a sound file's name may end

# Read by pydantic, which this module need not import: no unknown keys.
_CHECKS: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a sound starts and ends."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    attack_ms: Annotated[Milliseconds, Doc("time from silence to full")] = 5.0
    decay_ms: Annotated[Milliseconds, Doc("time from full to the sustain level")] = 200.0
    sustain: Annotated[Unit, Doc("level held while the gate is open or the note is held")] = 0.8
    release_ms: Annotated[float, Ge(0), Le(30000), Doc("time to silence after that")] = 400.0


@dataclass(frozen=True, slots=True)
class LatentControl:
    """A named fader over one neuron: its position 0..1 goes through ``curve`` into ``range``, itself positions of the corpus's range."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    neuron: Annotated[int, Ge(1), Le(64), Doc("which neuron of the decoder, counted from 1")]
    default: Annotated[Unit, Doc("where the fader stands when the patch starts")] = 0.5
    range: Annotated[
        tuple[Unit, Unit],
        Doc("the part of the neuron's travel that the fader covers; turned round, the fader is turned round", "two numbers 0 to 1"),
    ] = (0.0, 1.0)
    curve: Annotated[LatentCurve, Doc("how the fader's way is spread over the range: finer low down, finer high up, or at both ends")] = "linear"
    slew_ms: Annotated[
        Milliseconds | Literal["auto"],
        Doc("time in which the sound follows the fader; `auto` smooths a moving fader and lets a single jump act at once"),
    ] = "auto"
    scale: Annotated[
        float,
        Ge(0),
        Le(2),
        Doc("in resynthesis, how far what is heard moves the latent about its fader: 0 not at all, 1 as it is; a fader at 0.5 stands there as it is"),
    ] = 1.0


Amounts = dict[Name, Annotated[float, Ge(-1), Le(1)]]


@dataclass(frozen=True, slots=True)
class Velocity:
    """What a hard stroke does."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    loudness_db: Annotated[float, Ge(0), Le(60), Doc("how much louder the hardest stroke is than the softest; 0: all the same")] = 24.0
    curve: Annotated[LatentCurve, Doc("how strokes are spread over that: finer among the soft ones, the hard ones, or both")] = "linear"
    latents: Annotated[
        Amounts, Doc("how far the hardest stroke moves a fader of its note, up or down", "names from `latents`, each with -1 to 1")
    ] = field(default_factory=dict)
    release: Annotated[Unit, Doc("how much a key that comes up fast shortens the release: 1, to nothing")] = 0.0


@dataclass(frozen=True, slots=True)
class Pressure:
    """What pressing a key that is down does."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    loudness_db: Annotated[float, Ge(-24), Le(24), Doc("how much louder the whole pressure makes a note")] = 0.0
    latents: Annotated[
        Amounts, Doc("how far the whole pressure moves a fader of its note, up or down", "names from `latents`, each with -1 to 1")
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mpe:
    """How a controller is heard that gives every note a channel of its own (MIDI Polyphonic Expression)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    zone: Annotated[
        Literal["auto", "lower", "upper"],
        Doc("`auto` follows the controller's own message; `lower` (channel 1 leads) or `upper` (16 leads) is for one that sends none"),
    ] = "auto"
    members: Annotated[int, Ge(1), Le(15), Doc("how many channels beside the leading one belong to a `lower` or `upper` zone")] = 15
    pitch_bend_semitones: Annotated[float, Ge(0), Le(96), Doc("how far one note bends, unless the controller says so itself")] = 48.0
    timbre: Annotated[str, Doc("what control 74 moves in its note alone", "a name from `latents` or the number of a neuron")] = ""


Control = Annotated[int, Ge(0), Le(119)]


@dataclass(frozen=True, slots=True)
class MidiSettings:
    """What MIDI does to a part that plays the patch."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    channel: Annotated[Annotated[int, Ge(1), Le(16)] | Literal["omni"], Doc("the channel that is heard; `omni`: all")] = "omni"
    pitch_bend_semitones: Annotated[float, Ge(0), Le(96), Doc("how far the wheel bends, unless the keyboard says so itself")] = 2.0
    control_changes: Annotated[
        dict[Control, Annotated[str, Len(1, 128)]],
        Doc(
            "what each control moves; one of 0 to 31 takes its finer half from the one 32 higher, if that comes",
            "controls 0 to 119, each with an address of the part such as `latent/bow`",
        ),
    ] = field(default_factory=dict)
    mpe: Annotated[Mpe, Doc("controllers that give every note a channel of its own")] = field(default_factory=Mpe)


@dataclass(frozen=True, slots=True)
class Patch:
    """One sound: a decoder, where its faders stand, and how it is played.

    ``decoder`` is the path as the file gives it, relative to the patch's folder; ``decoder_path`` the file it was found to be; ``track_path`` the
    same of ``input``. ``chroma``
    are 12 weights with a sum of 1. Points are fader positions of neurons 1, 2, ... in order.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _CHECKS
    name: Annotated[Name, Doc("what it is called on stage and over OSC")]
    decoder: Annotated[str, Doc("the decoder's file, in this folder or in the factory folder", "a path such as `decoders/violin.onnx`")]
    mode: Annotated[
        Literal["drone", "notes", "resynthesis"],
        Doc(
            "a drone sounds while its gate is open, `notes` while notes are held, and `resynthesis` plays `input` through the decoder; "
            "left out with a note decoder: `notes`"
        ),
    ] = "drone"
    input: Annotated[
        str,
        Len(0, 256),
        Doc("what is heard in resynthesis", "`live`, the audio input, or a sound file such as `tracks/night.flac`"),
    ] = ""
    follow: Annotated[Literal["off", "on"], Doc("in resynthesis, whether the note is the one that is heard, or that of `chroma` and `register`")] = (
        "on"
    )
    play: Annotated[Literal["off", "on"], Doc("in resynthesis, whether the track plays as soon as the patch does")] = "on"
    loop: Annotated[Literal["off", "on"], Doc("in resynthesis, whether the track begins again at its end")] = "on"
    gate: Annotated[Literal["open", "closed"], Doc("whether a drone sounds as soon as it is loaded or waits for `/gate 1`")] = "open"
    phase: Annotated[
        Literal["noise", "tonal", "input"],
        Doc(
            "what the sound is made of: `noise`; `tonal`: steady partials, with as much of that noise as `breath` says; "
            "in resynthesis also `input`: the phases of what is heard"
        ),
    ] = "noise"
    breath: Annotated[Unit, Doc("share of noise in a tonal sound, equally loud everywhere: 0 pure tone, 1 pure noise")] = 0.0
    gain_db: Annotated[float, Ge(-72), Le(12), Doc("loudness; every decoder is brought to the same loudness first")] = 0.0
    pan: Annotated[float, Ge(-1), Le(1), Doc("place between left (-1) and right (1)")] = 0.0
    width: Annotated[float, Ge(0), Le(2), Doc("stereo width: 0 mono, 1 wide, 2 widest")] = 0.5
    transpose: Annotated[float, Ge(-36), Le(36), Doc("semitones up or down; fractions are cents")] = 0.0
    register: Annotated[
        Annotated[float, Ge(0), Le(9)] | None,
        Doc("the octave of a drone, 4 holds middle C; left out: the octave that the decoder learned. Notes say theirs themselves"),
    ] = None
    glide_ms: Annotated[Milliseconds, Doc("time in which pitch slides from the last note to the next, or to a new register or transposition")] = 0.0
    stretch: Annotated[
        Stretch,
        Doc("how pitch moves where the decoder has no register: the whole `spectrum`, each of its `harmonics`, or as the interval asks"),
    ] = "auto"
    formants: Annotated[Formants, Doc("whether the colour moves with the pitch or is kept where it was")] = "move"
    voices: Annotated[int, Ge(1), Le(64), Doc("how many notes may sound at once")] = 16
    velocity: Annotated[Velocity, Doc("what a hard stroke does to its note")] = field(default_factory=Velocity)
    pressure: Annotated[Pressure, Doc("what pressing a key does to its note")] = field(default_factory=Pressure)
    hold: Annotated[Literal["off", "on"], Doc("whether the pedal holds notes from the start")] = "off"
    seed: Annotated[int, Ge(0), Le(2**31 - 1), Doc("of the noise: the same seed and the same messages give the same samples")] = 1
    envelope: Annotated[Envelope, Doc("how a sound starts and ends")] = field(default_factory=Envelope)
    chroma: Annotated[
        tuple[Unit, ...],
        Len(12, 12),
        Doc(
            "the note that a drone sounds, or several with their weights",
            "a note name such as `A` or `Bb`, notes with weights such as `{A: 2, E: 1}`, or 12 weights from C to B",
        ),
    ] = (0.0,) * 9 + (1.0, 0.0, 0.0)
    latents: Annotated[dict[Name, LatentControl], Doc("named faders over the decoder's neurons; those without a name keep their numbers")] = field(
        default_factory=dict
    )
    timbre: Annotated[
        dict[Name, Unit],
        Doc(
            "the instrument that notes of a note decoder have, or several with their weights; left out: the first",
            "an instrument's name, or names with weights such as `{violin: 1, flute: 0.5}`",
        ),
    ] = field(default_factory=dict)
    transfer: Annotated[Unit, Doc("how far they go from the one instrument to the other")] = 0.0
    transfer_from: Annotated[str, Doc("the one instrument; left out: the one with most weight", "an instrument's name")] = ""
    transfer_to: Annotated[str, Doc("the other instrument; left out: the one after that", "an instrument's name")] = ""
    brightness: Annotated[Unit, Doc("how bright they are: 0 dark, 0.5 as they are, 1 bright")] = 0.5
    spread: Annotated[float, Ge(0), Le(2), Doc("how far each strays from its instrument: 1 as far as those recorded did")] = 0.0
    xy: Annotated[tuple[str, ...], Doc("what `/xy` moves; the first two latents if left out", "two names from `latents`")] = ()
    points: Annotated[
        dict[Name, tuple[Unit, ...]],
        Doc("named places that `/point` goes to: one fader position for each neuron, in their order", "a list of numbers 0 to 1"),
    ] = field(default_factory=dict)
    midi: Annotated[MidiSettings, Doc("what a keyboard and its controls do")] = field(default_factory=MidiSettings)
    comment: Annotated[str, Doc("whatever should be remembered about it")] = ""
    decoder_path: str = ""
    track_path: str = ""
    path: str = ""
    has_mode: bool = False  # its file says how it is played

    def suited_to(self, kind: str) -> Patch:
        """Return the patch as a decoder of that kind has it played: in notes, by one of kind ``note``, where the file does not say."""
        return replace(self, mode="notes") if kind == "note" and not self.has_mode else self
