import gc
import shutil
from pathlib import Path

import numpy as np
import pytest

from oscsynth.errors import DecoderError
from oscsynth.patch import LatentControl, Patch
from oscsynth.sound.loading import SoundLoader, load_sound
from oscsynth.sound.voices import Sound
from tests.decoders import tiny_decoder

A = np.eye(12)[9]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    path = tiny_decoder(tmp_path_factory.mktemp("decoders") / "r.onnx", registers=(3, 4, 5))
    return load_sound(Patch("Test", str(path)), 44100)


def test_patches_of_one_file_share_its_decoder_until_it_changes(decoder_path: Path, tmp_path: Path) -> None:
    loader = SoundLoader(44100)
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(decoder_path.read_bytes())
    one, other = (loader.load(Patch(name, str(copy))) for name in ("One", "Other"))
    assert one.decoder is other.decoder
    tiny_decoder(copy, seed=7)
    assert loader.load(Patch("New", str(copy))).decoder is not one.decoder


def test_a_decoder_that_nobody_plays_is_kept_for_a_while(decoder_path: Path, tmp_path: Path) -> None:
    loader = SoundLoader(44100)
    copies = [str(shutil.copy(decoder_path, tmp_path / f"{copy}.onnx")) for copy in range(6)]
    first = loader.load(Patch("One", copies[0])).decoder
    for copy in copies[1:4]:
        loader.load(Patch("Other", copy))
    assert loader.load(Patch("Again", copies[0])).decoder is first
    del first
    for copy in copies[1:]:
        loader.load(Patch("Other", copy))
    gc.collect()
    assert sorted(path for path, *_ in loader._decoders) == copies[2:]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DecoderError, match=r"gone\.onnx: there is no such file"):
        SoundLoader(44100).load(Patch("Gone", str(tmp_path / "gone.onnx")))


def test_faders_go_through_curve_and_range(decoder_path: Path) -> None:
    latents = {"a": LatentControl(1, range=(0.2, 0.6)), "b": LatentControl(2, range=(1.0, 0.0)), "c": LatentControl(3, curve="s")}
    sound = load_sound(Patch("Test", str(decoder_path), latents=latents), 44100)
    assert sound.positions(np.array([0.5, 0.25, 0.25])) == pytest.approx([0.4, 0.75, 0.15625])


@pytest.mark.parametrize(
    ("register", "asked", "semitones"),
    [(4, 4, 0), (3, 3, 0), (5, 5, 0), (1, 3, -24), (8, 5, 36), (float("nan"), 4, 0)],
)
def test_a_register_is_the_decoders_where_it_has_it_and_stretched_beyond(registered: Sound, register: float, asked: int, semitones: float) -> None:
    pitches = registered.pitches(A, register, register, 0.0)
    assert registered.decoder.metadata.registers[int(pitches.register[0].argmax())] == asked
    assert pitches.semitones == pytest.approx([semitones])


def test_transposing_and_gliding_move_only_the_stretch(registered: Sound) -> None:
    pitches = registered.pitches(A, 5.0, 4.25, 3.0)
    assert registered.decoder.metadata.registers[int(pitches.register[0].argmax())] == 5
    assert pitches.semitones == pytest.approx([-9.0 + 3.0])


def test_weights_sum_to_one_and_faint_classes_are_left_out(registered: Sound) -> None:
    pitches = registered.pitches(np.array([2.0, 0, 0, 0, 0, 0, 0, 2.0, 0, 0, 0, 1e-6]), np.nan, np.nan, 0.0)
    assert pitches.weights == pytest.approx([0.5, 0.5])


def test_moments_decoded_together_are_those_decoded_alone(registered: Sound) -> None:
    rng = np.random.default_rng(0)
    pitches = registered.pitches(np.full(12, 1 / 12), 4.0, 4.0, 0.5)
    points = rng.random((3, 1, registered.n_latents))
    together, _ = registered.render(points, pitches)
    alone = np.concatenate([registered.render(point[None], pitches)[0] for point in points])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
