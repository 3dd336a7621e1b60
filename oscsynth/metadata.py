"""What a decoder file says of itself: the JSON under the ONNX model property ``oscsynth``.

Any thread, any process; imports nothing of the house but ``errors``. Training writes it, the engine and the checks read it.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Len, MinLen

from .errors import DecoderError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PROPERTY = "oscsynth"
SCHEMA_VERSION = 1
MAX_DECODER_BYTES = 128 * 1024 * 1024
MAX_LATENTS = 64
MAX_INSTRUMENTS = 32
ENCODER_SUFFIX = ".encoder.onnx"  # beside the decoders lie such files too: they are none
N_CLASSES = 12
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"  # of an instrument: part of an address

MidiPitch = Annotated[int, Ge(0), Le(127)]
Position = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Latent:
    """One neuron of the bottleneck and the part of its range that the corpus really used.

    ``low``, ``median`` and ``high`` are the 1st, 50th and 99th percentile of the corpus's embedding, in the neuron's own units.
    """

    low: float
    median: float
    high: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Brightness:
    """The timbre dimension that moves the spectral centroid most, and what is added to it at ``/brightness`` 0 and 1; 0.5 adds nothing."""

    latent: Annotated[int, Ge(0)]
    darkest: float
    brightest: float


@dataclass(frozen=True, slots=True)
class NoteMap:
    """Where a decoder of kind ``note`` finds instruments and pitches, in the neurons' own units.

    ``instruments`` are the means of the timbre's mixture, ``ranges`` the lowest and highest pitch of each in the corpus, ``pitch_means``
    the means of the pitch's mixture, a row for each of ``pitches``. Hops ``loop_first_hop`` to ``loop_last_hop``, both included, are
    what a held note goes through again.
    """

    n_hops: Annotated[int, Gt(1)]
    n_bands: Annotated[int, Gt(0)]
    instruments: Annotated[dict[str, Position], MinLen(1)]
    ranges: dict[str, tuple[MidiPitch, MidiPitch]]
    timbre_deviation: Annotated[float, Ge(0)]
    pitches: Annotated[tuple[MidiPitch, ...], MinLen(1)]
    pitch_means: Annotated[tuple[Position, ...], MinLen(1)]
    pitch_deviation: Annotated[float, Ge(0)]
    loop_first_hop: Annotated[int, Ge(0)]
    loop_last_hop: Annotated[int, Gt(0)]
    brightness: Brightness


@dataclass(frozen=True, slots=True)
class Metadata:
    """Everything about a decoder that is not in its graph.

    Octaves are counted as in MIDI's C4 = 60. A decoder without ``registers`` sounds class *c* in octave ``home_octaves[c]``;
    one with ``registers`` takes a one-hot over those octaves, and was taught the pitches ``midi_low`` to ``midi_high``.
    ``points`` are fader positions (0..1 for each latent), not neuron values. ``encoder`` names the ONNX file beside this one that
    turns magnitudes into latents; empty: there is none. Of kind ``note`` the latents are the dimensions of its timbre, and ``note`` says the rest.
    """

    title: str
    kind: Literal["frame", "note"]
    sample_rate_hz: Annotated[int, Ge(8000), Le(192000)]
    window_samples: Annotated[int, Gt(0)]
    hop_samples: Annotated[int, Gt(0)]
    latents: Annotated[tuple[Latent, ...], MinLen(1)]
    midi_low: MidiPitch
    midi_high: MidiPitch
    home_octaves: Annotated[tuple[int, ...], Len(N_CLASSES, N_CLASSES)]
    chroma: bool = True
    registers: tuple[int, ...] = ()
    points: dict[str, tuple[Annotated[float, Ge(0), Le(1)], ...]] = field(default_factory=dict)
    corpus: str = ""
    licence: str = ""
    training: dict[str, Any] = field(default_factory=dict)
    test_mse: float | None = None
    encoder: str = ""
    note: NoteMap | None = None
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Return the JSON text that goes into the model property."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)


@functools.cache
def _adapter() -> TypeAdapter[Metadata]:
    from pydantic import TypeAdapter  # heavy: only where metadata are read

    return TypeAdapter(Metadata)


def prepare() -> None:
    """Make ready what `parse_metadata` needs: the first file need not wait for it."""
    _adapter()


def parse_metadata(text: str) -> Metadata:
    """Read and check the JSON of one decoder.

    Raises
    ------
    DecoderError
        With every fault in one message, when the text is no JSON, was written by a newer version, or does not fit.
    """
    from pydantic import ValidationError

    try:
        metadata = _adapter().validate_json(text)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'metadata'}: {f['msg']}" for f in error.errors())
        raise DecoderError(f"its metadata do not fit: {faults}") from error
    if metadata.schema_version > SCHEMA_VERSION:
        raise DecoderError(f"its metadata are of version {metadata.schema_version}; this oscsynth reads up to {SCHEMA_VERSION}: update it")
    if len(metadata.latents) > MAX_LATENTS:
        raise DecoderError(f"it has {len(metadata.latents)} latents; at most {MAX_LATENTS} can be played")
    bad = [i for i, latent in enumerate(metadata.latents, 1) if not latent.low <= latent.median <= latent.high]
    if bad or metadata.midi_low > metadata.midi_high:
        raise DecoderError(f"its metadata do not fit: ranges out of order (latents {bad}, midi_low, midi_high)")
    short = [name for name, point in metadata.points.items() if len(point) != len(metadata.latents)]
    if short:
        raise DecoderError(f"its points {', '.join(short)} do not have one value for each of its {len(metadata.latents)} latents")
    if set("/\\:") & set(metadata.encoder) or metadata.encoder in (".", ".."):
        raise DecoderError(f"its encoder must be the name of a file beside it, not {metadata.encoder[:100]!r}")
    if fault := _fault_of_kind(metadata):
        raise DecoderError(f"its metadata do not fit: {fault}")
    return metadata


def _fault_of_kind(metadata: Metadata) -> str:
    """Say what about the map of a note decoder cannot be; nothing, when it can."""
    note = metadata.note
    if (metadata.kind == "note") != (note is not None):
        return f"a decoder of kind {metadata.kind!r} with{'' if note else 'out'} a map of notes"
    if note is None:
        return ""
    n_timbre, sizes = len(metadata.latents), {len(mean) for mean in note.pitch_means}
    faults = {
        f"note.instruments: each needs a name of letters, digits and '-', and {n_timbre} values": any(
            len(mean) != n_timbre or not re.fullmatch(NAME, name) for name, mean in note.instruments.items()
        ),
        f"note.instruments: at most {MAX_INSTRUMENTS}": len(note.instruments) > MAX_INSTRUMENTS,
        "note.ranges: one for each instrument, the lower pitch first": set(note.ranges) != set(note.instruments)
        or any(low > high for low, high in note.ranges.values()),
        "note.pitches: rising": list(note.pitches) != sorted(set(note.pitches)),
        "note.pitch_means: one row for each pitch, all of one length": len(sizes) != 1 or 0 in sizes or len(note.pitch_means) != len(note.pitches),
        f"note.loop: within {note.n_hops} hops, the first before the last": not note.loop_first_hop < note.loop_last_hop < note.n_hops,
        f"note.brightness: one of {n_timbre} latents": note.brightness.latent >= n_timbre,
    }
    numbers = [*note.instruments.values(), *note.pitch_means, (note.brightness.darkest, note.brightness.brightest)]
    faults["note: every value must be a number"] = not all(map(math.isfinite, itertools.chain(*numbers)))
    return "; ".join(fault for fault, is_there in faults.items() if is_there)
