from pathlib import Path

import numpy as np
import pytest
import soundfile

from oscsynth.errors import OscsynthError
from oscsynth.render import Performance, perform, render_file
from oscsynth.score import Event, load_score
from tests.decoders import tiny_decoder, truncated

SCORE = """
0    latent/1 0.1
0.31 latent/1 0.9
0.5  chroma/name A
0.7  chroma 0.5 0 0 0 0 0 0.5 0 0 0 0 0
0.9  patch Bright
1.1  part/2/patch Dark
1.2  part/2/register 3
1.3  gain -6
1.5  part/2/close
1.6  gate 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_decoder(tmp_path / "tiny.onnx")
    (tmp_path / "dark.yaml").write_text("name: Dark\ndecoder: tiny.onnx\nlatents: {bow: {neuron: 1, range: [0, 0.2]}}\n")
    (tmp_path / "bright.yaml").write_text("name: Bright\ndecoder: tiny.onnx\nlatents: {bow: {neuron: 1, range: [0.8, 1]}}\n")
    (tmp_path / "a.score").write_text(SCORE)
    return tmp_path


def played(folder: Path, block: int = 1024, text: str | None = None) -> np.ndarray:
    if text is not None:
        (folder / "a.score").write_text(text)
    faults: list[str] = []
    blocks = perform(Performance(patches=folder, patch="Dark"), load_score(folder / "a.score"), lambda event, why: faults.append(why), block=block)
    sound = np.concatenate(list(blocks))
    assert not faults
    return sound


def test_the_same_score_renders_the_same_bits(folder: Path) -> None:
    np.testing.assert_array_equal(played(folder), played(folder))


@pytest.mark.parametrize("block", [64, 100, 128, 256])
def test_a_score_sounds_the_same_for_every_block_size(folder: Path, block: int) -> None:
    np.testing.assert_allclose(played(folder, block), played(folder), atol=1e-6)


def test_an_event_acts_at_its_own_sample(folder: Path) -> None:
    with_event, without = played(folder, text="0.5 latent/1 1\n1 gate 0"), played(folder, text="1 gate 0")
    assert int(np.argmax(np.any(with_event != without, axis=1))) in range(round(0.5 * 44100), round(0.5 * 44100) + 4)


def test_a_file_ends_when_all_is_silent(folder: Path) -> None:
    rendered = render_file(folder / "a.score", folder / "out.wav", patches=folder, patch="Dark")
    assert 1.6 < rendered.seconds < 2.6 and rendered.faults == ()
    sound, rate = soundfile.read(folder / "out.wav")
    assert rate == 44100 and len(sound) == round(rendered.seconds * rate) and not sound[-100:].any()


def test_a_drone_that_goes_on_is_faded_out(folder: Path) -> None:
    (folder / "a.score").write_text("0 latent/1 0.5")
    render_file(folder / "a.score", folder / "out.flac", patches=folder, seconds=1.0, sample_rate_hz=48000)
    sound, rate = soundfile.read(folder / "out.flac")
    assert rate == 48000 and len(sound) == 48000
    assert np.abs(sound[24000:25000]).max() > 0.03 and np.abs(sound[-1900:]).max() < 1e-4


def test_what_cannot_be_done_is_said_with_its_line_and_the_rest_is_played(folder: Path) -> None:
    (folder / "a.score").write_text("0 latnt/1 0.5\n0.1 patch Violine\n0.2 gate maybe\n0.3 latent/1 0.5\n")
    rendered = render_file(folder / "a.score", folder / "out.wav", patches=folder, seconds=0.5)
    first, second, third = rendered.faults
    assert "a.score:1:" in first and "nearest is /oscsynth/latent/1" in first
    assert "a.score:2:" in second and "Violine" in second
    assert "a.score:3:" in third


def test_an_unknown_or_broken_first_patch_is_named(folder: Path) -> None:
    with pytest.raises(OscsynthError, match=r"no patch 'Drk'.*Bright, Dark"):
        Performance(patches=folder, patch="Drk")
    truncated(folder / "cut.onnx")
    (folder / "cut.yaml").write_text("name: Cut\ndecoder: cut.onnx\n")
    with pytest.raises(OscsynthError, match=r"cut\.onnx: it is no ONNX file"):
        Performance(patches=folder, patch="Cut")
    assert Performance(patches=folder).instrument.state.get(1, "patch") > 0


def test_a_file_that_cannot_be_written_is_named(folder: Path) -> None:
    with pytest.raises(OscsynthError, match=r"out\.mp3: the name must end in \.wav"):
        render_file(folder / "a.score", folder / "out.mp3", patches=folder)
    with pytest.raises(OscsynthError, match=r"out\.wav cannot be written"):
        render_file(folder / "a.score", folder / "nowhere" / "out.wav", patches=folder)


def test_events_of_one_instant_happen_in_their_order(folder: Path) -> None:
    events = [Event(0.1, "/oscsynth/chroma/name", (name,)) for name in ("C", "D", "E")]
    performance = Performance(patches=folder)
    list(perform(performance, events, lambda event, why: None, seconds=0.5))
    assert performance.instrument.state.get(1, "chroma", 4) == 1.0


def test_a_point_of_the_decoder_is_reached_through_the_curves_of_the_patch(folder: Path) -> None:
    tiny_decoder(folder / "tiny.onnx", points={"there": (0.3, 0.3, 0.3)})
    (folder / "bent.yaml").write_text(
        "name: Bent\ndecoder: tiny.onnx\nlatents:\n  a: {neuron: 1, range: [0.2, 0.6], curve: exponential}\n  b: {neuron: 2, range: [0.9, 0.5]}\n"
    )
    performance = Performance(patches=folder, patch="Bent")
    assert not performance.send("/oscsynth/point/there")
    version, state = performance.instrument.parts[1].version, performance.instrument.state
    assert version is not None
    faders = np.array([state.get(1, "latent", index) for index in range(3)])
    assert performance.engine._sounds[version.number].positions(faders) == pytest.approx([0.3, 0.5, 0.3])
