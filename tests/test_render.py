from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from oscsynth.errors import OscsynthError
from oscsynth.render import Performance, perform, render_file
from oscsynth.score import Event, load_score
from tests.decoders import tiny_decoder, truncated
from tests.full_disk import full_disk
from tests.onsets import onsets

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
    with pytest.raises(OscsynthError, match=r"out\.wav cannot be written: there is no such folder"):
        render_file(folder / "a.score", folder / "nowhere" / "out.wav", patches=folder)


def test_a_full_disk_is_named(folder: Path) -> None:
    with full_disk(), pytest.raises(OscsynthError, match=r"out\.wav cannot be written: the disk may be full"):
        render_file(folder / "a.score", folder / "out.wav", patches=folder, seconds=1.0)


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


# ---- notes from MIDI files and from SuperCollider


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Give a folder with two patches that play notes and are there, and gone, at once."""
    for name, decoder in (("Keys", tiny_decoder(tmp_path / "keys.onnx")), ("Bells", tiny_decoder(tmp_path / "bells.onnx", seed=7))):
        envelope = "{attack_ms: 0, decay_ms: 0, sustain: 1, release_ms: 0}"
        latents = "latents: {bright: {neuron: 1, default: 1}, even: {neuron: 2, default: 1}, noise: {neuron: 3, default: 0}}"
        head = f"name: {name}\ndecoder: {decoder.name}\nmode: notes\nenvelope: {envelope}\n{latents}\n"
        (tmp_path / f"{name}.yaml").write_text(head + "midi: {control_changes: {7: gain}}\n")
    return tmp_path


def heard(sound: np.ndarray, starts: list[float], seconds: float = 0.2) -> list[int]:
    """Return the MIDI pitch that is strongest in what begins at each of these seconds, by the first six partials."""
    pitches, window = np.arange(48, 97), round(seconds * 44100)
    partials = np.outer(440 * 2 ** ((pitches - 69) / 12), np.arange(1, 7)) * 4 * window / 44100
    found = []
    for start in starts:
        piece = sound[round(start * 44100) :][:window]
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 4 * window))
        found.append(int(pitches[(power[np.round(partials).astype(int)] / np.sqrt(np.arange(1, 7))).sum(axis=1).argmax()]))
    return found


def test_a_midi_file_of_several_tracks_and_tempos_is_played_on_its_samples_and_pitches(keys: Path) -> None:
    tempos = [mido.MetaMessage("set_tempo", tempo=500_000, time=0), mido.MetaMessage("set_tempo", tempo=250_000, time=960)]
    one = [message(kind, pitch, 240) for pitch in (60, 69, 64) for kind in ("note_on", "note_off")]
    two = [message("note_on", 76, 1440, 3), message("note_off", 76, 240, 3)]
    mido.MidiFile(type=1, ticks_per_beat=480, tracks=[mido.MidiTrack(track) for track in (tempos, one, two)]).save(keys / "a.mid")
    rendered = render_file(keys / "a.mid", keys / "a.wav", patches=keys, patch="Keys")
    assert rendered.faults == ()
    sound = soundfile.read(keys / "a.wav")[0][:, 0]
    seconds = [0.25, 0.75, 1.125, 1.25]  # the second tempo begins at 1 s
    np.testing.assert_allclose(onsets(sound), np.array([0.25, 0.75, 1.125]) * 44100, atol=4)  # the fourth follows without a gap
    assert heard(sound, seconds, 0.1) == [60, 69, 64, 76]
    assert not sound[round(1.385 * 44100) :].any()


def message(kind: str, pitch: int, ticks: int, channel: int = 0) -> mido.Message:
    return mido.Message(kind, note=pitch, velocity=100, time=ticks, channel=channel)


def test_a_score_of_sclang_is_played_on_its_samples_and_pitches(keys: Path) -> None:
    rendered = render_file(Path(__file__).parent / "data" / "sclang.osc", keys / "a.wav", patches=keys, patch="Keys")
    assert rendered.faults == ()
    sound = soundfile.read(keys / "a.wav")[0][:, 0]
    starts = [0.25, 0.625, 0.875]
    np.testing.assert_allclose(onsets(sound), np.array(starts) * 44100, atol=4)
    assert heard(sound, starts, 0.12) == [69, 60, 76]


def test_channels_are_given_to_parts_and_one_may_be_left_out(keys: Path) -> None:
    track = [mido.Message("control_change", control=7, value=0, channel=1), message("note_on", 60, 0), message("note_on", 69, 0, 9)]
    mido.MidiFile(type=0, tracks=[mido.MidiTrack([*track, message("note_on", 72, 0, 1), message("note_off", 60, 960)])]).save(keys / "a.mid")
    performance = Performance(patches=keys, channels={1: "Keys", 2: "Bells", 10: "none"})
    list(perform(performance, load_score(keys / "a.mid"), lambda event, why: pytest.fail(why), seconds=0.2))
    instrument = performance.instrument
    playing = {number: part.patch.name for number, part in instrument.parts.items() if part.patch}
    assert playing == {1: "Keys", 2: "Bells"}
    assert [len(instrument.voices.held(part)) for part in (1, 2)] == [1, 1]
    assert (instrument.state.get(1, "gain"), instrument.state.get(2, "gain")) == (0, -72)


def test_a_midi_file_is_played_by_a_patch_that_plays_notes(keys: Path) -> None:
    (keys / "a drone.yaml").write_text("name: A drone\ndecoder: keys.onnx\n")
    assert Performance(patches=keys, prefers_notes=True).instrument.parts[1].patch.mode == "notes"  # type: ignore[union-attr]
    assert Performance(patches=keys).instrument.parts[1].patch.name == "A drone"  # type: ignore[union-attr]


def test_a_channel_whose_patch_is_not_there_or_that_is_one_too_many_is_named(keys: Path) -> None:
    with pytest.raises(OscsynthError, match=r"channel 2: there is no patch 'Belts', the nearest is 'Bells'"):
        Performance(patches=keys, patch="Keys", channels={2: "Belts"})
    with pytest.raises(OscsynthError, match=r"channel 8 \(Keys\): there are 8 parts"):
        Performance(patches=keys, patch="Keys", channels=dict.fromkeys(range(1, 10), "Keys"))


def test_fingers_of_an_mpe_file_slide_each_by_itself(keys: Path) -> None:
    zone = [mido.Message("control_change", control=c, value=v) for c, v in ((101, 0), (100, 6), (6, 15))]
    slide = mido.Message("pitchwheel", channel=1, pitch=round(8191 * 7 / 48))
    track = [*zone, message("note_on", 60, 0, 1), message("note_off", 60, 480, 1), slide, message("note_on", 60, 0, 2)]
    track += [message("note_off", 60, 480, 2), message("note_on", 60, 0, 1), message("note_off", 60, 480, 1)]
    mido.MidiFile(tracks=[mido.MidiTrack(track)]).save(keys / "a.mid")
    assert render_file(keys / "a.mid", keys / "a.wav", patches=keys, patch="Keys").faults == ()
    assert heard(soundfile.read(keys / "a.wav")[0][:, 0], [0.2, 0.7, 1.2]) == [60, 60, 67]
