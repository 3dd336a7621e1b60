import dataclasses
import json

import pytest

from oscsynth.errors import DecoderError
from oscsynth.metadata import Latent, Metadata, parse_metadata

GOOD = Metadata(
    "Test", "frame", 44100, 4096, 1024, (Latent(0.0, 0.5, 1.0, "bow"), Latent(-1.0, 0.0, 2.0)), 55, 100, (4,) * 12, points={"a": (0.1, 0.9)}
)


def test_what_is_written_is_read() -> None:
    assert parse_metadata(GOOD.to_json()) == GOOD


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
