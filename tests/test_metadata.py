import dataclasses
import json

import pytest

from oscsynth.errors import DecoderError
from oscsynth.metadata import Brightness, Latent, Metadata, NoteMap, parse_metadata

GOOD = Metadata(
    "Test", "frame", 44100, 4096, 1024, (Latent(0.0, 0.5, 1.0, "bow"), Latent(-1.0, 0.0, 2.0)), 55, 100, (4,) * 12, points={"a": (0.1, 0.9)}
)
NOTES = NoteMap(
    43,
    256,
    {"oboe": (0.0, 1.0), "french-horn": (1.0, -1.0)},
    {"oboe": (58, 91), "french-horn": (34, 77)},
    1.0,
    (60, 62),
    ((0.1,), (0.2,)),
    0.1,
    20,
    40,
    Brightness(1, -2.0, 2.0),
)
NOTE = dataclasses.replace(GOOD, kind="note", note=NOTES)


@pytest.mark.parametrize("metadata", [GOOD, NOTE])
def test_what_is_written_is_read(metadata: Metadata) -> None:
    assert parse_metadata(metadata.to_json()) == metadata


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"instruments": {}}, "instruments"),
        ({"instruments": {"oboe": (0.0, 1.0), "french-horn": (1.0,)}}, "note.instruments: .* and 2 values"),
        ({"instruments": {"the oboe": (0.0, 1.0)}, "ranges": {"the oboe": (58, 91)}}, "note.instruments: each needs a name of letters"),
        ({"instruments": {"oboe": (0.0, float("nan"))}, "ranges": {"oboe": (58, 91)}}, "must be a number|finite"),
        ({"ranges": {"oboe": (58, 91)}}, "note.ranges"),
        ({"ranges": {"oboe": (91, 58), "french-horn": (34, 77)}}, "note.ranges"),
        ({"pitches": (62, 60)}, "note.pitches: rising"),
        ({"pitch_means": ((0.1,),)}, "note.pitch_means"),
        ({"pitch_means": ((0.1,), (0.2, 0.3))}, "note.pitch_means"),
        ({"loop_last_hop": 43}, "note.loop: within 43 hops"),
        ({"loop_first_hop": 40}, "note.loop"),
        ({"brightness": Brightness(2, -1.0, 1.0)}, "note.brightness: one of 2 latents"),
    ],
)
def test_a_map_of_notes_that_does_not_fit_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(DecoderError, match=said):
        parse_metadata(dataclasses.replace(NOTE, note=dataclasses.replace(NOTES, **change)).to_json())  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"kind": "note"}, {"note": NOTES}])
def test_only_a_note_decoder_has_a_map_of_notes(change: dict[str, object]) -> None:
    with pytest.raises(DecoderError, match="a map of notes"):
        parse_metadata(dataclasses.replace(GOOD, **change).to_json())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "voice"}, "kind"),
        ({"latents": ()}, "latents"),
        ({"latents": (Latent(1.0, 0.5, 0.0),) * 2}, "ranges out of order"),
        ({"latents": (Latent(0.0, 0.5, 1.0),) * 65, "points": {}}, "at most 64"),
        ({"midi_low": 100, "midi_high": 50}, "ranges out of order"),
        ({"home_octaves": (4,) * 11}, "home_octaves"),
        ({"points": {"a": (0.5,)}}, "points a do not have one value for each of its 2 latents"),
        ({"points": {"a": (0.5, 2.0)}}, r"points\.a"),
        ({"sample_rate_hz": 100}, "sample_rate_hz"),
        ({"schema_version": 99}, "of version 99"),
        *(({"encoder": name}, "a file beside it") for name in ("../violin.onnx", "/etc/violin.onnx", "..", "c:violin.onnx", "in\\violin.onnx")),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field(change: dict[str, object], said: str) -> None:
    with pytest.raises(DecoderError, match=said):
        parse_metadata(dataclasses.replace(GOOD, **change).to_json())  # type: ignore[arg-type]


def test_a_file_from_before_there_were_encoders_has_none() -> None:
    known = json.loads(dataclasses.replace(GOOD, encoder="violin.encoder.onnx").to_json())
    assert parse_metadata(json.dumps(known)).encoder == "violin.encoder.onnx"
    del known["encoder"]
    assert parse_metadata(json.dumps(known)) == GOOD


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"title": 1}', '{"title": "x", "weights": []}'])
def test_what_is_no_metadata_is_refused(text: str) -> None:
    with pytest.raises(DecoderError, match="its metadata do not fit"):
        parse_metadata(text)
