"""A patch that comes or goes on a journey is as long on its way as the values are: how a scene or a session fades."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from oscsynth.patch import Patch
from tests.decoders import tiny_decoder
from tests.sound.conftest import RATE_HZ, Player


@pytest.fixture
def play(decoder_path: Path, tmp_path: Path) -> Player:
    """Return a player of two patches, the second 12 dB softer; nothing sounds yet."""
    other = str(tiny_decoder(tmp_path / "other.onnx", seed=3))
    play = Player(Patch("Loud", str(decoder_path)), Patch("Soft", other, gain_db=-12))
    play.set("open", 0)
    return play


def levels_db(sound: np.ndarray, n: int) -> list[float]:
    """Return the level of each of n stretches of equal length."""
    return [10 * np.log10(float(np.mean(piece**2)) + 1e-12) for piece in np.array_split(sound, n)]


def test_a_part_that_begins_on_a_journey_fades_in_that_long_and_has_no_attack(play: Player) -> None:
    play.open()
    play.set("travel", 0.5)
    play.set("envelope/attack", 5000)
    levels = levels_db(play.render(RATE_HZ), 10)
    steady = np.mean(levels[6:])
    for n, level in enumerate(levels[:5]):  # a straight line
        assert level == pytest.approx(steady + 20 * np.log10((n + 0.55) / 5), abs=2.5)


def test_without_a_journey_the_attack_is_the_patchs(play: Player) -> None:
    play.open()
    play.set("envelope/attack", 1000)
    levels = levels_db(play.render(RATE_HZ), 10)
    assert levels[4] < levels[9] - 4


def test_a_switch_on_a_journey_crossfades_that_long(play: Player) -> None:
    play.open()
    play.render(RATE_HZ // 2)
    loud = levels_db(play.render(RATE_HZ // 2), 1)[0]
    play.set("patch", 2)
    play.set("travel", 2)
    levels = levels_db(play.render(3 * RATE_HZ), 6)
    assert levels[0] > loud - 4 and levels[5] == pytest.approx(loud - 12, abs=2)
    assert all(after < before + 0.5 for before, after in itertools.pairwise(levels))


def test_a_part_that_closes_on_a_journey_fades_out_that_long(play: Player) -> None:
    play.open()
    play.render(RATE_HZ // 2)
    loud = levels_db(play.render(RATE_HZ // 2), 1)[0]
    for name, value in (("open", 0), ("gate", 0), ("travel", 1)):
        play.set(name, value)
    levels = levels_db(play.render(2 * RATE_HZ), 4)
    assert loud - 10 < levels[0] < loud and levels[1] < levels[0] - 6 and levels[3] < -100


def test_long_fades_leave_room_for_the_newest(play: Player, decoder_path: Path) -> None:
    play.open()
    play.set("travel", 60)
    play.render(RATE_HZ // 2)
    for patch in (2, 1, 2, 1, 2):
        play.set("patch", patch)
        play.render(441)
    play.set("patch", 1)
    play.set("travel", 0)
    play.render(RATE_HZ // 4)
    expected = Player(Patch("Loud", str(decoder_path)))
    expected.render(RATE_HZ)
    assert levels_db(play.render(RATE_HZ), 1)[0] == pytest.approx(levels_db(expected.render(RATE_HZ), 1)[0], abs=1)


def test_on_a_journey_other_notes_are_crossfaded_in_and_without_one_they_are_there_at_once(play: Player) -> None:
    def share_of_d(sound: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(sound.mean(1) * np.hanning(len(sound)))) ** 2
        classes = np.round(69 + 12 * np.log2(np.fft.rfftfreq(len(sound), 1 / RATE_HZ)[20:2000] / 440)).astype(int) % 12
        a, d = (power[20:2000][classes == note].sum() for note in (9, 2))
        return float(d / (a + d))

    play.open()
    play.render(RATE_HZ // 2)
    play.classes({2: 1.0})
    play.set("travel", 2)
    shares = [share_of_d(play.render(RATE_HZ // 2)) for _ in range(5)]
    assert shares[0] < 0.25 and shares == sorted(shares) and shares[4] > 0.8
    assert len(play.engine._parts[0].decks) == 1, "what has faded out is gone"
    play.classes({9: 1.0})
    play.set("travel", 0)
    play.render(4096)
    assert share_of_d(play.render(RATE_HZ // 2)) < 0.2
