"""What is heard through a decoder: in time, as loud as it was, moved by the faders without a click."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.errors import DecoderError
from oscsynth.parameters import N_SLOTS, State
from oscsynth.patch import Patch
from oscsynth.sound.budget import Budget
from oscsynth.sound.controls import Controls
from oscsynth.sound.encoder import Encoder
from oscsynth.sound.engine import Engine
from oscsynth.sound.loading import SoundLoader
from oscsynth.sound.own_phase import late_samples
from oscsynth.sound.resynthesis import Resynthesis
from oscsynth.sound.source import Inlet, Track
from oscsynth.sound.voices import Sound
from tests.decoders import not_onnx, partials, tiny_decoder
from tests.encoders import tiny_encoder
from tests.sound.conftest import RATE_HZ
from tests.sound.test_engine import strongest_classes

CLICK = 1.5  # times the second difference of what sounds before and after, as for the other changes


def note(pitch_midi: float, seconds: float, amplitude: float = 0.1) -> np.ndarray:
    """Return a tone with ten partials on both sides: (samples, 2)."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    frequency_hz = 440.0 * 2 ** ((pitch_midi - 69) / 12)
    sound = sum(np.sin(2 * np.pi * frequency_hz * k * time + k) / k for k in range(1, 11))
    return (amplitude * np.stack([sound, sound], 1)).astype(np.float32)


class Stage:
    """An engine that hears, and the state that control would hold."""

    def __init__(
        self, decoder: Path, track: np.ndarray | None = None, rate_hz: int = RATE_HZ, budget: Budget | None = None, **fields: object
    ) -> None:
        patch = Patch("Test", str(decoder), mode="resynthesis", input="live", **{"phase": "input", **fields})  # type: ignore[arg-type]
        self.engine, self.state = Engine(rate_hz, budget=budget), State()
        self.engine.install(1, SoundLoader(rate_hz).load(patch, Track(track, rate_hz) if track is not None else None))
        for name, value in (("open", 1), ("patch", 1), ("gate", 1), ("envelope/sustain", 1), ("envelope/attack", 0), ("width", 1)):
            self.set(name, value)
        self.set("track/playing", 1.0)

    def set(self, name: str, value: float, index: int = 0) -> None:
        self.state.set(1, name, value, index)

    def hear(self, sound: np.ndarray, block: int = 256) -> np.ndarray:
        values = np.frombuffer(self.state.values)
        pieces = [self.engine.render(values, len(some), some) for some in np.split(sound, range(block, len(sound), block))]
        return np.concatenate(pieces)

    def play(self, n_samples: int, block: int = 1024) -> np.ndarray:
        values = np.frombuffer(self.state.values)
        return np.concatenate([self.engine.render(values, min(block, n_samples - at)) for at in range(0, n_samples, block)])


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean()))


def second_difference(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound[:, 0].astype(np.float64), 2)).max())


@pytest.mark.parametrize("phase", ["input", "noise", "tonal"])
@pytest.mark.parametrize("amplitude", [0.01, 0.1])
def test_it_is_as_loud_as_what_is_heard(pair: Path, phase: str, amplitude: float) -> None:
    heard = note(69, 2.0, amplitude)
    out = Stage(pair, phase=phase).hear(heard)
    assert 20 * np.log10(rms(out[RATE_HZ:]) / rms(heard[RATE_HZ:])) == pytest.approx(0, abs=2.5)


@pytest.mark.parametrize("phase", ["input", "noise", "tonal"])
def test_the_note_that_is_heard_is_played_and_the_chosen_one_without_follow(pair: Path, phase: str) -> None:
    stage = Stage(pair, phase=phase)
    assert strongest_classes(stage.hear(note(64, 1.0))[RATE_HZ // 2 :]) == {4}
    assert strongest_classes(stage.hear(note(67, 1.0))[RATE_HZ // 2 :]) == {7}
    if phase != "input":
        stage.set("follow", 0.0)
        stage.set("chroma", 1.0, 2)
        assert strongest_classes(stage.hear(note(67, 1.0))[RATE_HZ // 2 :]) == {2}


@pytest.mark.parametrize(("phase", "late_ms"), [("input", 58.0), ("noise", 52.2)])
def test_an_onset_is_heard_as_late_as_is_said(pair: Path, phase: str, late_ms: float) -> None:
    stage = Stage(pair, phase=phase)
    assert 1000 * late_samples(stage.engine.stft, phase == "input") / RATE_HZ == pytest.approx(late_ms, abs=0.1)
    onset = RATE_HZ // 2
    heard = np.concatenate([np.zeros((onset, 2), np.float32), note(69, 0.5)])
    levels = np.sqrt(np.convolve(np.square(stage.hear(heard)[:, 0]), np.ones(441) / 441, "same"))
    half = np.flatnonzero(levels > 0.5 * levels[-RATE_HZ // 10 :].mean())[0]
    assert 1000 * (half - onset) / RATE_HZ == pytest.approx(late_ms, abs=12)


def test_a_track_is_heard_in_time(pair: Path) -> None:
    onset = RATE_HZ // 2
    track = np.concatenate([np.zeros((onset, 2), np.float32), note(69, 0.7)])
    levels = np.sqrt(np.convolve(np.square(Stage(pair, track).play(RATE_HZ)[:, 0]), np.ones(441) / 441, "same"))
    half = np.flatnonzero(levels > 0.5 * levels[-RATE_HZ // 10 :].mean())[0]
    assert 1000 * (half - onset) / RATE_HZ == pytest.approx(0, abs=12)


@pytest.mark.parametrize("phase", ["input", "noise", "tonal"])
def test_what_another_patch_takes_the_place_of_is_gone_soon(pair: Path, phase: str) -> None:
    stage = Stage(pair, note(69, 0.5), phase=phase)
    stage.engine.install(2, SoundLoader(RATE_HZ).load(Patch("Drone", str(pair))))
    for turn in range(6):
        for number, length in ((1, 0.5), (2, 0.0)):
            stage.set("patch", number)
            stage.play(RATE_HZ // 5)
            assert stage.engine.sounding_parts == 1
            assert stage.engine.tracks_seconds()[0][1] == pytest.approx(length, abs=0.001), f"the switch of turn {turn} is heard"


def test_where_a_track_is_and_how_long_it_is(pair: Path) -> None:
    stage = Stage(pair, note(69, 0.5))
    stage.play(RATE_HZ // 5)
    position, length = stage.engine.tracks_seconds()[0]
    assert position == pytest.approx(0.2, abs=0.01) and length == pytest.approx(0.5, abs=0.001)
    assert stage.engine.tracks_seconds()[1] == (0, 0)


def test_silence_is_silence(pair: Path) -> None:
    assert not Stage(pair).hear(np.zeros((RATE_HZ, 2), np.float32)).any()
    stage = Stage(pair)
    stage.hear(note(69, 0.3))
    assert not stage.hear(np.zeros((RATE_HZ, 2), np.float32))[RATE_HZ // 2 :].any()


@settings(deadline=None, max_examples=6)
@given(blocks=st.lists(st.integers(8, 3000), min_size=1, max_size=4), phase=st.sampled_from(["input", "noise"]))
def test_the_blocks_do_not_matter(pair: Path, blocks: list[int], phase: str) -> None:
    heard = note(62, 0.25)

    def run(blocks: list[int]) -> np.ndarray:
        stage, at, out = Stage(pair, phase=phase), 0, []
        for turn in range(10_000):
            piece = heard[at : at + blocks[turn % len(blocks)]]
            if not len(piece):
                break
            out.append(stage.hear(piece, len(piece)))
            at += len(piece)
        return np.concatenate(out)

    np.testing.assert_array_equal(run(blocks), run([1024]))


def test_nan_and_infinity_in_the_input_are_silent_and_counted(pair: Path) -> None:
    stage, heard = Stage(pair), note(69, 0.5)
    heard[5000:5100] = np.nan
    heard[9000] = np.inf
    assert np.isfinite(stage.hear(heard)).all() and stage.engine.faults == 202
    assert rms(stage.hear(note(69, 0.5))[RATE_HZ // 4 :]) > 0.01


@pytest.mark.parametrize("phase", ["input", "noise", "tonal"])
def test_scales_and_faders_move_without_a_click(tmp_path: Path, phase: str) -> None:
    decoder = tiny_decoder(tmp_path / "moving.onnx", registers=(3, 4, 5))
    tiny_encoder(decoder, latents=(0.9, 0.1, 0.0), registers=(3, 4, 5))
    stage, heard = Stage(decoder, phase=phase), note(57, 4.0)

    def run(name: str, value: float, index: int) -> np.ndarray:
        stage.set(name, value, index)
        return stage.hear(heard[: RATE_HZ // 2])

    run("scale", 1.0, 0)
    steady, moving = [], []
    for name, value, index in (("scale", 0.0, 0), ("scale", 2.0, 0), ("latent", 0.9, 1), ("latent", 0.1, 0), ("scale", 0.0, 1)):
        sound = run(name, value, index)
        moving.append(second_difference(sound[:6000]))
        steady.append(second_difference(sound[8000:]))
    # Louder highs have a larger second difference: a click has a larger one than either of the sounds that it stands between.
    before = [second_difference(run("scale", 1.0, 0)[8000:]), *steady[:-1]]
    assert max(m / max(b, s) for m, b, s in zip(moving, before, steady, strict=True)) < CLICK


def test_gate_and_panic_end_it(pair: Path) -> None:
    stage = Stage(pair)
    stage.set("envelope/release", 10.0)
    assert rms(stage.hear(note(69, 1.0))) > 0.01
    stage.set("gate", 0.0)
    assert not stage.hear(note(69, 0.5))[RATE_HZ // 4 :].any()
    stage.set("gate", 1.0)
    assert rms(stage.hear(note(69, 0.5))[RATE_HZ // 4 :]) > 0.01
    stage.set("gate", 0.0)
    stage.set("panic", 1.0)
    assert not stage.hear(note(69, 0.5))[RATE_HZ // 20 :].any()


def test_a_stereo_input_keeps_its_balance(pair: Path) -> None:
    heard = note(69, 1.0) * np.array([1.0, 0.25], np.float32)
    out = Stage(pair).hear(heard)[RATE_HZ // 2 :]
    assert rms(out[:, 0]) / rms(out[:, 1]) == pytest.approx(4, rel=0.05)


def test_at_another_rate_the_note_is_the_same(pair: Path) -> None:
    time = np.arange(48000) / 48000
    heard = np.repeat((0.1 * sum(np.sin(2 * np.pi * 440 * k * time) / k for k in range(1, 9)))[:, None], 2, 1).astype(np.float32)
    out = Stage(pair, rate_hz=48000).hear(heard)
    power = np.abs(np.fft.rfft(out[24000:, 0] * np.hanning(24000)))
    assert abs(power.argmax() * 2 - 440) < 4


def test_other_patches_come_and_go_without_a_click(pair: Path) -> None:
    stage, heard = Stage(pair), note(57, 1.0)
    drone = Patch("Drone", str(pair))
    stage.engine.install(2, SoundLoader(RATE_HZ).load(drone))
    stage.set("gain", -12.0)
    stage.set("chroma", 1.0, 9)
    loud = max(second_difference(stage.hear(heard)[RATE_HZ // 2 :]), 1e-9)
    for patch in (2, 1, 2, 1):
        stage.set("patch", patch)
        sound = stage.hear(heard)
        loud = max(loud, second_difference(sound[RATE_HZ // 2 :]))
        assert second_difference(sound[: RATE_HZ // 4]) < CLICK * loud


# ---- latents


@settings(deadline=None, max_examples=50)
@given(own=st.floats(-0.5, 1.5), fader=st.floats(0, 1), scale=st.floats(0, 2))
def test_a_latent_stands_about_its_fader(pair: Path, own: float, fader: float, scale: float) -> None:
    sound, row = listener(pair)
    sound._own = np.full(3, own)
    state = State()
    for index in range(3):
        state.set(1, "latent", fader, index)
        state.set(1, "scale", scale, index)
    (asked, *_) = sound.latents(row(state))
    assert min(own, 0.0) <= asked <= max(own, 1.0)
    if scale == 0.0:
        assert asked == pytest.approx(fader)
    if (fader, scale) == (0.5, 1.0):
        assert asked == own
    elif 0.0 < asked < 1.0:
        assert asked == pytest.approx(fader + scale * (own - 0.5))


def test_in_the_middle_it_stands_as_it_was_heard_to_the_bit(pair: Path) -> None:
    sound, row = listener(pair)
    sound._own = np.array([0.1, 1 / 3, 1.25])
    assert sound.latents(row(State())).tolist() == [0.1, 1 / 3, 1.25]


def listener(decoder: Path) -> tuple[Resynthesis, Callable[[State], np.ndarray]]:
    """Return what listens, and what turns a state into the row of part 1."""
    loaded = SoundLoader(RATE_HZ).load(Patch("Test", str(decoder), mode="resynthesis", input="live"))

    def row(state: State) -> np.ndarray:
        return np.frombuffer(state.values)[N_SLOTS : 2 * N_SLOTS]

    return Resynthesis(loaded, Controls(row(State()), loaded.slews_seconds, RATE_HZ), Inlet(4096)), row


# ---- encoders


def test_a_decoder_without_an_encoder_is_refused_with_what_makes_one(decoder_path: Path) -> None:
    with pytest.raises(DecoderError, match=r"it has no encoder.*`oscsynth train encoder` makes one"):
        SoundLoader(RATE_HZ).load(Patch("Test", str(decoder_path), mode="resynthesis", input="live"))


def test_a_broken_or_foreign_encoder_is_named(tmp_path: Path) -> None:
    decoder = tiny_decoder(tmp_path / "d.onnx")
    encoder = tiny_encoder(decoder)
    patch = Patch("Test", str(decoder), mode="resynthesis", input="live")
    not_onnx(encoder)
    with pytest.raises(DecoderError, match=r"d\.encoder\.onnx: this encoder cannot be used: it is no ONNX file"):
        SoundLoader(RATE_HZ).load(patch)
    encoder.unlink()
    with pytest.raises(DecoderError, match=r"d\.encoder\.onnx.*there is no such file"):
        SoundLoader(RATE_HZ).load(patch)
    other = tiny_decoder(tmp_path / "other.onnx", n_latents=5)
    tiny_encoder(other).replace(encoder)
    with pytest.raises(DecoderError, match=r"this encoder cannot be used: latent has the shape"):
        SoundLoader(RATE_HZ).load(patch)


def test_an_encoder_says_where_the_faders_stand(tmp_path: Path) -> None:
    decoder = tiny_decoder(tmp_path / "d.onnx")
    tiny_encoder(decoder, latents=(0.25, 0.5, 0.75))
    loaded: Sound = SoundLoader(RATE_HZ).load(Patch("Test", str(decoder), mode="resynthesis", input="live"))
    assert isinstance(loaded.encoder, Encoder)
    positions = loaded.encoder.encode(partials(69).sum(0), 9, 4)
    np.testing.assert_allclose(positions, [0.25, 0.5, 0.75], atol=1e-6)
