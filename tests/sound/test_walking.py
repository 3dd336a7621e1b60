"""Notes of a decoder of kind note: gone through, held, moved in timbre, strayed (design sections 2 and 3)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.parameters import N_SLOTS
from oscsynth.patch import Patch
from oscsynth.sound.loading import load_sound
from oscsynth.sound.note_decoder import NoteDecoder
from oscsynth.sound.note_sound import NoteSound
from tests.note_decoders import INSTRUMENTS, tiny_note_decoder
from tests.sound.conftest import RATE_HZ, Player

from .test_bank import Keys
from .test_engine import second_difference

HOP_SAMPLES, FIRST, LAST = 512, 6, 10  # of the engine; of the loop
NAMES = sorted(INSTRUMENTS)
Make = Callable[..., Keys]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_note_decoder(tmp_path_factory.mktemp("notes") / "notes.onnx")


@pytest.fixture(scope="module")
def sound(path: Path) -> NoteSound:
    sound = load_sound(Patch("Test", str(path), seed=3), RATE_HZ)
    assert isinstance(sound, NoteSound)
    return sound


@pytest.fixture
def keys(path: Path) -> Make:
    def make(**fields: object) -> Keys:
        play = Keys(Patch("Test", str(path), **fields))  # type: ignore[arg-type]
        weigh(play, clarinet=1.0)
        return play

    return make


def weigh(play: Player, **weights: float) -> None:
    for index, name in enumerate(NAMES):
        play.state.set(1, "timbre", weights.get(name.replace("-", "_"), 0.0), index)


def spectrum(play: Keys, voice: int = 0) -> np.ndarray:
    return np.sqrt(play.bank._spectra.powers[voice])


def levels_db(play: Keys, hops: int) -> np.ndarray:
    """Return how loud the first voice is after each of some hops."""
    found = []
    for _ in range(hops):
        play.render(HOP_SAMPLES)
        found.append(10 * np.log10((spectrum(play) ** 2).sum()))
    return np.array(found)


def test_a_note_is_gone_through_and_then_held_in_its_loop(keys: Make) -> None:
    play = keys()
    play.on(0, 60)
    levels = levels_db(play, 40)
    # As the decoder has them; once time alone moves it, a change is the middle of a longer stretch, an eighth of a hop later.
    assert np.diff(levels[: FIRST - 1]) == pytest.approx([-1.5] * (FIRST - 2), abs=1.5 / 8 + 0.1)
    assert levels[FIRST - 2] - levels[0] == pytest.approx(-1.5 * (FIRST - 2), abs=1.5 / 8 + 0.1)
    assert np.ptp(levels[FIRST:]) < 0.1
    play.off(0)
    play.render(RATE_HZ // 4)
    assert play.bank.n_voices == 0 and not play.render(2048).any()


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=20))
def test_the_way_through_the_hops_has_no_seam(sound: NoteSound, times: list[float]) -> None:
    at = np.array(times)
    here, soon = sound._hops(at), sound._hops(at + 32.0)
    assert (here >= 0).all() and (here <= LAST).all() and (here[at > LAST * HOP_SAMPLES] >= FIRST).all()
    assert (np.abs(soon - here) <= 32.0 / HOP_SAMPLES + 1e-6).all()


def test_a_note_is_decoded_once_for_each_timbre_and_pitch(keys: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    play = keys()
    decoded: list[int] = []
    decode = NoteDecoder.decode
    monkeypatch.setattr(NoteDecoder, "decode", lambda self, timbres, places: decoded.append(len(timbres)) or decode(self, timbres, places))
    play.on(0, 60)
    play.on(1, 64)
    play.render(RATE_HZ // 4)
    assert decoded == [2]  # both in one
    play.on(2, 60.25)
    play.render(2048)
    assert decoded == [2]  # the nearest pitch is known
    play.set("brightness", 1.0)
    play.render(2048)
    assert decoded == [2, 2]  # the third plays what the first does


def test_the_sound_does_not_depend_on_the_blocks(keys: Make) -> None:
    sounds = []
    for block in (0, 97):
        play = keys(phase="tonal", breath=0.3)
        play.on(0, 60.3)
        parts = [play.render(3000, block)]
        play.set("transfer", 0.5)
        play.set("transfer/to", 2)
        play.on(1, 55)
        sounds.append(np.concatenate([*parts, play.render(6000, block)]))
    assert np.array_equal(*sounds)


def test_each_message_moves_the_timbre_as_it_says(sound: NoteSound) -> None:
    play = Player()
    means = np.array([INSTRUMENTS[name] for name in NAMES])

    def timbre(draw: float = 0.0) -> np.ndarray:
        row = np.array(play.state.values)[N_SLOTS : 2 * N_SLOTS]
        faders = np.array([[play.state.get(1, "latent", index) for index in range(3)]])
        return sound.timbres(row, faders, np.full((1, 3), draw))[0]

    assert timbre() == pytest.approx(means.mean(0), abs=1e-6)
    weigh(play, oboe=0.25, clarinet=0.75)
    assert timbre() == pytest.approx(0.75 * means[0] + 0.25 * means[2])
    weigh(play, oboe=1.0)
    play.set("transfer/from", 2)
    play.set("transfer/to", 1)
    play.set("transfer", 0.5)
    assert timbre() == pytest.approx(0.5 * means[2] + 0.5 * means[1])
    play.set("transfer", 0.0)
    play.set("brightness", 1.0)
    assert timbre() == pytest.approx(means[2] + [2.0, 0, 0])
    play.set("brightness", 0.25)
    assert timbre() == pytest.approx(means[2] - [1.0, 0, 0])
    play.set("brightness", 0.5)
    play.latents(0.5, 0.75)
    assert timbre() == pytest.approx(means[2] + [0, 1.0, 0])
    play.set("spread", 0.5)
    assert timbre(1.0) == pytest.approx(means[2] + [0.5, 1.5, 0.5])


def test_notes_stray_each_in_its_own_way_and_again_in_the_same(keys: Make) -> None:
    spectra = []
    for _ in range(2):
        play = keys(seed=7)
        play.set("spread", 1.0)
        play.on(0, 60)
        play.on(1, 60)
        play.render(2048)
        spectra.append((spectrum(play, 0), spectrum(play, 1)))
        assert not np.allclose(*spectra[-1], rtol=0.05)
    assert np.array_equal(spectra[0], spectra[1])
    play.set("spread", 0.0)
    play.render(2048)
    assert np.array_equal(spectrum(play, 0), spectrum(play, 1))


@pytest.mark.parametrize("phase", ["noise", "tonal"])
def test_a_moving_transfer_is_heard_without_a_click(keys: Make, phase: str) -> None:
    play = keys(phase=phase)
    play.set("transfer/from", 0)
    play.set("transfer/to", 2)
    play.on(0, 60)
    play.render(RATE_HZ // 2)
    steady, before = play.render(RATE_HZ // 2), spectrum(play)
    moved = []
    for step in range(30):
        play.set("transfer", (step + 1) / 30)
        moved.append(play.render(735))  # 60 a second
    after = play.render(RATE_HZ // 2)
    assert np.abs(20 * np.log10(spectrum(play)[20:200] / before[20:200])).max() > 12
    assert second_difference(np.concatenate(moved)) < 1.1 * max(second_difference(steady), second_difference(after))


@pytest.mark.parametrize(("pitch", "bend"), [(60, 0.0), (48.5, 0.0), (84, 0.0), (40, 0.0), (90, 0.0), (67, -1.5)])
def test_every_pitch_is_in_tune(keys: Make, pitch: float, bend: float) -> None:
    play = keys(phase="tonal")
    play.set("transfer/to", 1)
    play.on(0, pitch)
    play.state.set_voice(0, "bend", bend)
    sound = play.render(RATE_HZ)[RATE_HZ // 4 :, 0]
    wanted_hz = librosa.midi_to_hz(pitch + bend)
    heard_hz, _, _ = librosa.pyin(sound, fmin=0.7 * wanted_hz, fmax=1.5 * wanted_hz, sr=RATE_HZ, frame_length=4096)
    assert abs(1200 * np.log2(np.nanmedian(heard_hz) / wanted_hz)) < 20


def test_a_whole_note_has_one_gain(keys: Make) -> None:
    play = keys()
    play.on(0, 60)
    play.render(4096)
    gain = play.bank._spectra._gains[0]
    play.render(RATE_HZ // 2)
    assert play.bank._spectra._gains[0] == gain


def test_the_next_patch_goes_on_where_the_note_is(path: Path) -> None:
    play = Keys(Patch("First", str(path)), Patch("Second", str(path), gain_db=-3))
    weigh(play, oboe=1.0)
    play.on(0, 60)
    play.render(RATE_HZ // 4)
    begun, before = play.bank._spectra._begun[0], spectrum(play)
    play.set("patch", 2)
    play.render(128)
    assert play.bank._spectra._begun[0] == begun and np.allclose(spectrum(play), before, rtol=0.1)


def test_a_voice_that_takes_anothers_place_goes_on(keys: Make) -> None:
    play = keys()
    for voice, pitch in enumerate((55, 60, 64)):
        play.on(voice, pitch)
    play.render(RATE_HZ // 4)
    before = {voice: play.bank._spectra.sung[at] for voice, at in play.bank._place.items()}
    play.off(0)
    play.render(RATE_HZ // 4)
    assert {voice: play.bank._spectra.sung[at] for voice, at in play.bank._place.items()} == {1: before[1], 2: before[2]}


def test_a_drone_goes_through_its_notes_and_stays(path: Path) -> None:
    play = Player(Patch("Drone", str(path), has_mode=True, phase="tonal"))
    play.classes({0: 0.5, 7: 0.5})
    weigh(play, oboe=1.0)
    sound = play.render(RATE_HZ)
    assert play.engine._parts[0].decks[0]._bank is None
    strongest = np.abs(np.fft.rfft(sound[RATE_HZ // 2 :, 0] * np.hanning(RATE_HZ // 2)))
    peaks = np.argsort(strongest)[::-1][:2] * 2.0
    assert any(abs(12 * np.log2(peak / librosa.midi_to_hz(60)) % 12) < 0.5 for peak in peaks)
    play.set("gate", 0)
    play.render(RATE_HZ)
    assert not play.render(4096).any()


def test_what_time_alone_moves_is_made_anew_half_as_often(keys: Make) -> None:
    play = keys()
    play.on(0, 60)
    play.render(RATE_HZ // 2 // 512 * 512)
    deck = play.engine._parts[0].decks[0]
    assert deck.clock_samples == 256
    play.state.set_voice(0, "bend", 2.0)
    play.render(256)
    assert deck.clock_samples == 128, "a bend is heard as soon as ever"
    play.render(RATE_HZ // 2 // 512 * 512)
    assert deck.clock_samples == 256
    play.off(0)
    play.render(256)
    assert deck.clock_samples == 128


def test_many_that_are_held_take_turns(keys: Make) -> None:
    play = keys(voices=16)
    for voice in range(8):
        play.on(voice, 50 + voice)
    play.render(RATE_HZ // 2 // 128 * 128)
    seen = []
    for _ in range(17):
        seen.append(play.bank._spectra.powers[:8].copy())
        play.render(128)
    anew = np.array([(here != there).any(1) for here, there in itertools.pairwise(seen)])  # (clocks, voices)
    assert not (anew[:-1] & anew[1:]).any() and anew.sum(0).min() >= 3  # where it turns back, a note sounds as it did
    play.set("brightness", 1.0)
    before = play.bank._spectra.powers[:8].copy()
    play.render(256)
    assert (play.bank._spectra.powers[:8] != before).any(1).all()  # a timbre that moves is heard in all at once
