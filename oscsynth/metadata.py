"""What a decoder file says of itself: the JSON under the ONNX model property ``oscsynth``.

Any thread, any process; imports nothing of the house but ``errors``. Training writes it, the engine and the checks read it.
"""

from __future__ import annotations

import dataclasses
import functools
import json
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
ENCODER_SUFFIX = ".encoder.onnx"  # beside the decoders lie such files too: they are none
N_CLASSES = 12

MidiPitch = Annotated[int, Ge(0), Le(127)]


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
class Metadata:
    """Everything about a decoder that is not in its graph.

    Octaves are counted as in MIDI's C4 = 60. A decoder without ``registers`` sounds class *c* in octave ``home_octaves[c]``;
    one with ``registers`` takes a one-hot over those octaves, and was taught the pitches ``midi_low`` to ``midi_high``.
    ``points`` are fader positions (0..1 for each latent), not neuron values. ``encoder`` names the ONNX file beside this one that
    turns magnitudes into latents; empty: there is none.
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
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """Return the JSON text that goes into the model property."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)


@functools.cache
def _adapter() -> TypeAdapter[Metadata]:
    from pydantic import TypeAdapter  # heavy: only where metadata are read

    return TypeAdapter(Metadata)


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
    return metadata
