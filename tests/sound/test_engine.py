"""What the instrument promises of its sound, measured on a small decoder (design section 2)."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oscsynth.sound.phase as phase
from oscsynth.patch import LatentControl, Patch
from oscsynth.sound.loading import load_sound
from oscsynth.sound.output import CEILING
from oscsynth.sound.overlap_add import OverlapAdd
from oscsynth.sound.voices import Sound
from tests.decoders import nan_producing
from tests.note_decoders import tiny_note_decoder
from tests.sound.conftest import RATE_HZ, Player

Make = Callable[..., Player]

AT_ONCE = {f"l{k}": LatentControl(k, slew_ms=0) for k in (1, 2, 3)}


def second_difference(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound[:, 0], 2)).max())


def strongest_classes(sound: np.ndarray, count: int = 1) -> set[int]:
    """Return the note classes with most power between 60 Hz and 5 kHz."""
    power = np.abs(np.fft.rfft(sound.mean(1) * np.hanning(len(sound)))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    heard = (frequencies > 60) & (frequencies < 5000)
    classes = np.round(69 + 12 * np.log2(frequencies[heard] / 440)).astype(int) % 12
    return set(np.argsort(np.bincount(classes, power[heard], 12))[-count:].tolist())


def test_a_part_sounds_at_minus_20_lufs(player: Make) -> None:
    sound = player(width=1.0).render(10 * RATE_HZ)
    assert pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound[RATE_HZ // 2 :]) == pytest.approx(-20, abs=0.5)


def test_loudness_is_the_same_all_over_the_latent_box(player: Make) -> None:
    play = player()
    meter, loudness = pyloudnorm.Meter(RATE_HZ), []
    for point in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 1, 1)):
        play.latents(*point)
        play.render(4096)
        loudness.append(meter.integrated_loudness(play.render(5 * RATE_HZ)))
    assert max(loudness) - min(loudness) < 1.5


@pytest.mark.parametrize("chroma", range(12))
def test_the_class_asked_for_is_heard(player: Make, chroma: int) -> None:
    play = player()
    play.classes({chroma: 1.0})
    assert strongest_classes(play.render(RATE_HZ)) == {chroma}


def test_two_classes_are_both_heard(player: Make) -> None:
    play = player()
    play.classes({0: 0.5, 6: 0.5})
    assert strongest_classes(play.render(2 * RATE_HZ), 2) == {0, 6}


def test_a_change_is_heard_at_once(player: Make) -> None:
    """Half of it within 3.2 ms and 90 % within 5 ms: the sound is linear in the magnitudes, so the share is read off by projection."""
    steady, other, moved = (player(latents=AT_ONCE) for _ in range(3))
    shares = []
    for play, after in ((steady, 0.0), (other, 1.0), (moved, 0.0)):
        play.latents(after, 0.0, 0.0)
        play.render(8192)
    start = steady.engine.position_samples
    moved.latents(1.0, 0.0, 0.0)
    old, new, between = (play.render(1024)[:, 0].astype(np.float64) for play in (steady, other, moved))
    way = new - old
    for at in range(8, 400):
        near = slice(max(0, at - 8), at + 8)
        shares.append(float((between - old)[near] @ way[near] / (way[near] @ way[near])))
    assert start % 128 == 0
    half, most = (8 + int(np.argmax(np.array(shares) >= share)) for share in (0.5, 0.9))
    assert half / RATE_HZ < 0.0032 and most / RATE_HZ < 0.005
    np.testing.assert_allclose(between[300:], new[300:], atol=1e-6)


@pytest.mark.parametrize("transpose", [0, -24])
def test_two_hundred_changes_do_not_click(player: Make, transpose: float) -> None:
    play = player(latents=AT_ONCE)
    play.set("transpose", transpose)
    play.render(8192)
    rng = np.random.default_rng(1)
    steady, changing = [], []
    for _ in range(200):
        play.latents(*rng.random(3))
        changing.append(second_difference(play.render(512)))
        steady.append(second_difference(play.render(3072)))
    assert max(changing) < 1.1 * max(steady)


def test_the_clock_is_not_heard_in_steady_sound(player: Make) -> None:
    sound = player().render(60 * RATE_HZ)[8192:]
    jumps = np.diff(sound[: len(sound) // 128 * 128].astype(np.float64), axis=0)
    rms = lambda x: np.sqrt(np.mean(x**2))  # noqa: E731
    at_the_clock = jumps[127::128]
    inside = np.delete(jumps, np.s_[127::128], axis=0)
    assert rms(at_the_clock) / rms(inside) == pytest.approx(1.0, abs=0.02)


def moving_at_2_hz(play: Player) -> np.ndarray:
    """Return two seconds of a 60 Hz fader that travels all the way twice a second."""
    blocks = []
    for step in range(120):
        play.latents(*[0.5 + 0.5 * np.sin(2 * np.pi * 2 * step / 60)] * 3)
        blocks.append(play.render(735))
    return np.concatenate(blocks)


def test_a_moving_latent_is_decoded_often_enough(player: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = moving_at_2_hz(player())
    change = OverlapAdd.change
    monkeypatch.setattr(phase.Stft, "clock_samples", property(lambda stft: 16))
    monkeypatch.setattr(OverlapAdd, "change", lambda sound, start, spread, *more: change(sound, start, 128, *more))
    reference = moving_at_2_hz(player())
    error_db = 20 * np.log10(np.sqrt(np.mean((sound - reference) ** 2) / np.mean(reference**2)))
    assert error_db < -50


def events(play: Player, block: int) -> np.ndarray:
    """Return 2 s with changes of every kind at odd samples."""
    rng = np.random.default_rng(3)
    blocks, at = [], 0
    for moment in sorted(rng.integers(0, 80000, 60)):
        blocks.append(play.render(int(moment) - at, block))
        at = int(moment)
        name = rng.choice(["latent", "gain", "pan", "transpose", "gate", "panic", "chroma"])
        if name == "chroma":
            play.classes({int(rng.integers(12)): 1.0})
        elif name == "panic":
            play.set("panic", play.state.get(1, "panic") + 1)
        else:
            low, high = {"latent": (0, 1), "gain": (-12, 0), "pan": (-1, 1), "transpose": (-12, 12), "gate": (0, 1)}[name]
            play.set(name, round(rng.uniform(low, high)) if name == "gate" else rng.uniform(low, high))
    return np.concatenate([*blocks, play.render(88200 - at, block)])


@pytest.mark.parametrize("block", [64, 100, 128, 256, 1024])
def test_the_same_events_render_the_same_for_every_block_size(player: Make, block: int) -> None:
    whole = events(player(), 0)
    assert np.abs(whole).max() > 0.05
    np.testing.assert_allclose(events(player(), block), whole, atol=1e-6)


@given(splits=st.lists(st.integers(1, 5000), max_size=20))
@settings(max_examples=15, deadline=None)
def test_the_same_state_renders_the_same_for_every_split(decoder_path: Path, splits: list[int]) -> None:
    one, other = (Player(Patch("Test", str(decoder_path))) for _ in range(2))
    total = sum(splits) + 1
    pieces = np.concatenate([one.render(n) for n in [*splits, 1]])
    np.testing.assert_allclose(pieces, other.render(total), atol=1e-6)


def test_no_state_is_the_last_one_and_what_is_still_is_left_anywhere(decoder_path: Path) -> None:
    one, other = (Player(Patch("Test", str(decoder_path))) for _ in range(2))
    sizes = (RATE_HZ, 300, 77, 4000, 1, 1023, 5000, 129)  # still long before most of them end, in the middle of a hop
    for step, size in enumerate(sizes):
        for each in (one, other):
            each.latents(step / len(sizes), 0.5, 1 - step / len(sizes))
            if step == 4:
                each.engine.install(1, load_sound(Patch("Test", str(decoder_path), seed=9), RATE_HZ))
        whole = other.render(size)
        values = np.frombuffer(one.state.values)
        parts = [one.engine.render(values if at == 0 else None, min(100, size - at)) for at in range(0, size, 100)]
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_the_same_seed_renders_the_same_bits_and_another_does_not(player: Make) -> None:
    np.testing.assert_array_equal(events(player(), 0), events(player(), 0))
    assert not np.array_equal(player(seed=2).render(4096), player(seed=3).render(4096))


def test_a_closed_gate_is_silence_to_the_last_bit(player: Make) -> None:
    play = player()
    play.set("envelope/release", 100)
    play.render(RATE_HZ)
    play.set("gate", 0)
    play.render(RATE_HZ // 2)
    assert play.engine.sounding_parts == 0
    assert not play.render(4096).any()
    play.set("gate", 1)
    assert play.render(4096).any()


def test_behind_a_closed_gate_all_is_ready_once_faders_rest_and_nothing_is_decoded_while_they_move(
    player: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    play, decoded = player(), []
    render_apart = Sound.render_apart

    def counted(*arguments: object) -> object:
        decoded.append(play.engine.position_samples)
        return render_apart(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Sound, "render_apart", counted)
    play.set("gate", 0)
    play.render(44100)
    for step in range(20):
        play.latents(0.2 + 0.02 * step)  # the first is there at once, the others follow it
        play.render(128)
        if not step:
            decoded.clear()
    assert not decoded
    play.render(44100)
    assert len(decoded) == 1
    play.set("gate", 1)
    assert np.abs(play.render(2048)).max() > 0.0 and len(decoded) == 1


def test_panic_is_silent_within_15_ms_and_gate_1_goes_on(player: Make) -> None:
    play = player()
    play.set("envelope/release", 5000)
    play.render(RATE_HZ)
    play.set("panic", 1)
    play.set("gate", 0)
    sound = play.render(RATE_HZ // 2)
    assert not sound[int(0.015 * RATE_HZ) :].any()
    play.set("gate", 1)
    assert np.abs(play.render(RATE_HZ // 2)).max() > 0.05


def test_gain_at_the_bottom_is_silence(player: Make) -> None:
    play = player()
    play.set("gain", -72)
    assert not play.render(8192).any()


def two_patches(decoder_path: Path) -> Player:
    dark = Patch("Dark", str(decoder_path), latents={"a": LatentControl(1, range=(0.0, 0.1))})
    bright = Patch("Bright", str(decoder_path), latents={"a": LatentControl(1, range=(0.9, 1.0))}, seed=5)
    return Player(dark, bright)


def test_a_patch_switch_has_no_gap_and_no_click(decoder_path: Path) -> None:
    play = two_patches(decoder_path)
    play.render(8192)
    steady = [play.render(20480)]
    play.set("patch", 2)
    switch = play.render(2048)
    steady.append(play.render(20480))
    levels = [float(np.sqrt(np.mean(switch[k : k + 441] ** 2))) for k in range(0, 2048 - 441, 147)]
    usual = min(float(np.sqrt(np.mean(sound**2))) for sound in steady)
    assert min(levels) > 0.3 * usual
    assert second_difference(switch) < 1.2 * max(second_difference(sound) for sound in steady)
    assert len(play.engine._parts[0].decks) == 1


def test_switching_faster_than_fades_ends_with_the_last_one(decoder_path: Path) -> None:
    play = two_patches(decoder_path)
    for step in range(200):
        play.set("patch", 1 + step % 2)
        assert np.isfinite(play.render(37)).all()
        assert len(play.engine._parts[0].decks) <= 4
    play.render(4096)
    assert [deck.number for deck in play.engine._parts[0].decks] == [2]


def test_a_patch_that_is_not_loaded_yet_comes_when_it_is(decoder_path: Path) -> None:
    play = two_patches(decoder_path)
    play.set("patch", 3)
    assert play.render(4096).shape == (4096, 2)
    play.engine.install(3, load_sound(Patch("Late", str(decoder_path)), RATE_HZ))
    play.render(4096)
    assert play.engine._parts[0].decks[0].number == 3


def test_a_part_that_is_closed_fades_and_ends(player: Make) -> None:
    play = player()
    play.render(8192)
    play.set("open", 0)
    play.render(4096)
    assert play.engine.sounding_parts == 0 and not play.render(1024).any()


def test_parts_add_up_and_leave_by_their_own_outputs(decoder_path: Path) -> None:
    play = Player(Patch("Test", str(decoder_path)), n_channels=4)
    play.open(part=2, chroma=0)
    play.set("output", 3, part=2)
    sound = play.render(RATE_HZ)
    assert strongest_classes(sound[:, :2]) == {9} and strongest_classes(sound[:, 2:]) == {0}


def test_mono_has_no_dip(player: Make) -> None:
    wide = player()
    wide.set("width", 1.0)
    mono = player(n_channels=1)
    mono.set("width", 0.0)
    power = lambda x: float(np.mean(np.square(x)))  # noqa: E731
    assert mono.render(RATE_HZ).shape == (RATE_HZ, 1)
    ratio_db = 10 * np.log10(power(wide.render(5 * RATE_HZ).mean(1)) / power(mono.render(5 * RATE_HZ)))
    assert ratio_db == pytest.approx(-3.0, abs=0.5)  # the mid alone: half the power, and no comb


def test_a_decoder_that_gives_nan_is_silent_and_counted(player: Make, tmp_path: Path) -> None:
    play = player(decoder=nan_producing(tmp_path / "nan.onnx"), latents=AT_ONCE)
    play.latents(0.0, 0.0, 0.0)
    assert not play.render(8192).any()
    assert play.engine.faults > 0
    play.latents(1.0, 0.0, 0.0)
    assert np.isfinite(sound := play.render(8192)).all() and sound.any()


@pytest.mark.parametrize("gain", [0, 12])
def test_the_output_stays_under_full_scale(decoder_path: Path, gain: float) -> None:
    play = Player(Patch("Test", str(decoder_path), gain_db=12))
    for part in range(1, 9):
        play.open(part=part, chroma=part)
        play.set("gain", gain, part=part)
    sound = play.render(RATE_HZ)
    assert np.isfinite(sound).all() and 0.5 < np.abs(sound).max() <= CEILING


@pytest.mark.parametrize("rate_hz", [32000, 48000, 96000])
def test_other_device_rates_play_the_same_pitch_and_loudness(player: Make, rate_hz: int) -> None:
    sound = player(rate_hz=rate_hz).render(4 * rate_hz)
    assert pyloudnorm.Meter(rate_hz).integrated_loudness(sound[rate_hz // 4 :]) == pytest.approx(-20, abs=0.7)
    spectrum = np.abs(np.fft.rfft(sound.mean(1))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate_hz)
    near = (frequencies > 400) & (frequencies < 480)
    assert (spectrum[near] * frequencies[near]).sum() / spectrum[near].sum() == pytest.approx(440, rel=0.01)


def test_a_register_moves_a_decoder_that_has_none_by_stretching(player: Make) -> None:
    play = player(stretch="spectrum")
    play.set("register", 3)
    sound = play.render(RATE_HZ)
    power = np.abs(np.fft.rfft(sound.mean(1))) ** 2
    assert np.argmax(power) == pytest.approx(220, rel=0.06)


def test_memory_does_not_grow_over_ten_thousand_hops(player: Make) -> None:
    import tracemalloc

    play = player()
    play.render(100 * 1024, 1024)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for step in range(100):
        play.latents(step % 10 / 10)
        play.render(100 * 1024 // 4, 1024)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 2_000_000


@pytest.mark.parametrize(
    ("is_note", "mode", "phase"),
    [(is_note, mode, phase) for is_note in (False, True) for mode in ("drone", "notes") for phase in ("noise", "tonal")]
    + [(False, "resynthesis", "noise"), (False, "resynthesis", "input")],
)
def test_what_is_over_goes_without_the_collector(pair: Path, tmp_path: Path, is_note: bool, mode: str, phase: str) -> None:
    decoder = str(tiny_note_decoder(tmp_path / "note.onnx") if is_note else pair)
    patch = Patch("Test", decoder, mode=mode, phase=phase, **({"input": "live"} if mode == "resynthesis" else {}))  # type: ignore[arg-type]
    play = Player(patch, Patch("Other", str(pair)))
    for name, value in (("started", 1), ("part", 1), ("pitch", 69), ("velocity", 1), ("bend", 0), ("pressure", 0)):
        play.state.set_voice(0, name, value)
    play.render(4096, 256)
    gc.collect()
    gc.disable()  # as in the engine process
    try:
        deck = play.engine._parts[0].decks[0]
        gone = [weakref.ref(deck), weakref.ref(deck._player), weakref.ref(deck._controls)]
        del deck
        play.state.set_voice(0, "ended", 1)
        play.set("patch", 2)
        play.render(RATE_HZ, 256)
        assert [each() for each in gone] == [None] * 3
    finally:
        gc.enable()
