import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.parameters import N_SLOTS, PART_SLOTS
from oscsynth.sound.controls import Controls, Envelope, Fade, bent, part_slews
from oscsynth.units import bend

RATE_HZ = 44100
LATENT, CHROMA, REGISTER, GAIN = (PART_SLOTS[name].start for name in ("latent", "chroma", "register", "gain"))


def controls(**slots: float) -> tuple[Controls, np.ndarray]:
    row = np.zeros(N_SLOTS)
    slews = part_slews(np.array([np.nan, 0.0, 0.1]))
    return Controls(row, slews, RATE_HZ), row.copy()


def test_a_value_that_comes_alone_acts_at_once() -> None:
    faders, row = controls()
    row[LATENT] = 1.0
    assert faders.set(row, 1000) == 0.0
    assert faders.values(1000)[LATENT] == 1.0


def test_a_stream_ramps_over_its_last_spacing() -> None:
    faders, row = controls()
    for step in range(1, 4):
        row[LATENT] = step
        faders.set(row, 735 * step)
    assert faders.values(735 * 3)[LATENT] == pytest.approx(2.0)
    assert faders.values(735 * 3.5)[LATENT] == pytest.approx(2.5)
    assert faders.values(735 * 4)[LATENT] == 3.0


def test_a_slew_of_the_patch_counts_always_and_0_never_slews() -> None:
    faders, row = controls()
    row[LATENT + 1 : LATENT + 3] = 1.0
    faders.set(row, 0)
    assert faders.values(2205)[LATENT + 1 : LATENT + 3] == pytest.approx([1.0, 0.5])


def test_chroma_never_slews_even_when_travelling() -> None:
    faders, row = controls()
    row[CHROMA], row[LATENT] = 1.0, 1.0
    faders.set(row, 0, travel_seconds=2.0)
    assert faders.values(RATE_HZ)[[CHROMA, LATENT]] == pytest.approx([1.0, 0.5])


def test_a_register_glides_but_not_from_what_the_patch_says() -> None:
    faders, row = controls()
    row[REGISTER] = np.nan
    faders.set(row, 0, glide_seconds=1.0)
    row[REGISTER] = 4.0
    faders.set(row, 10, glide_seconds=1.0)
    assert faders.values(11)[REGISTER] == 4.0
    row[REGISTER] = 5.0
    faders.set(row, 100, glide_seconds=1.0)
    assert faders.values(100 + RATE_HZ // 2)[REGISTER] == pytest.approx(4.5)


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0, 1)), min_size=1, max_size=30))
def test_values_stay_between_what_was_sent_and_arrive(moves: list[tuple[int, float]]) -> None:
    faders, row = controls()
    now = 0
    for wait, value in moves:
        now += wait
        row[LATENT] = value
        faders.set(row, now)
        assert -1e-9 <= faders.values(now + 7)[LATENT] <= 1 + 1e-9
    assert faders.values(faders.arrives)[LATENT] == moves[-1][1]


def envelope_row(attack: float = 10, decay: float = 20, sustain: float = 0.5, release: float = 100) -> np.ndarray:
    row = np.zeros(N_SLOTS)
    for stage, value in (("attack", attack), ("decay", decay), ("sustain", sustain), ("release", release)):
        row[PART_SLOTS[f"envelope/{stage}"]] = value
    return row


def test_an_envelope_attacks_decays_sustains_and_releases() -> None:
    envelope, row = Envelope(1000), envelope_row()
    assert envelope.level(0, row) == 0.0
    envelope.open(0, row)
    assert [envelope.level(t, row) for t in (5, 10, 30, 500)] == pytest.approx([0.5, 1.0, 0.5, 0.5])
    envelope.close(500, row)
    assert [envelope.level(t, row) for t in (500, 550, 600)] == pytest.approx([0.5, 0.125, 0.0])
    assert envelope.arrives == 600


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=20), st.floats(1, 20), st.floats(1, 20), st.floats(0, 1))
def test_an_envelope_never_jumps_however_the_gate_flutters(gates: list[tuple[bool, int]], attack: float, release: float, sustain: float) -> None:
    envelope, row, now = Envelope(1000), envelope_row(attack, 5, sustain, release), 0
    for is_open, wait in gates:
        before = envelope.level(now, row)
        (envelope.open if is_open else envelope.close)(now, row)
        assert envelope.level(now, row) == pytest.approx(before, abs=1e-6)
        assert 0.0 <= envelope.level(now, row) <= 1.0
        now += wait


def test_a_fade_goes_on_from_where_it_stands() -> None:
    fade = Fade(0.0)
    fade.to(1.0, 0, 100)
    fade.to(0.0, 50, 100)
    assert [fade.level(t) for t in (50, 100, 150)] == pytest.approx([0.5, 0.25, 0.0])


@pytest.mark.parametrize("curve", ["linear", "exponential", "logarithmic", "s"])
def test_many_faders_bend_as_one_does(curve: str) -> None:
    positions = np.linspace(0, 1, 21)
    np.testing.assert_allclose(bent(positions, curve), [bend(x, curve) for x in positions], atol=1e-12)
