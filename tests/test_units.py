import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth import units


@given(st.floats(-100, 40))
def test_decibels_and_amplitudes_are_inverse(db: float) -> None:
    assert units.amplitude_to_db(units.db_to_amplitude(db)) == pytest.approx(db, abs=1e-9)


@given(st.floats(0, 127))
def test_the_frequency_of_a_pitch_is_librosas_of_arrays_too(pitch: float) -> None:
    assert units.midi_to_hz(pitch) == pytest.approx(librosa.midi_to_hz(pitch))
    assert units.midi_to_hz(np.array([pitch, 69.0])) == pytest.approx([units.midi_to_hz(pitch), 440.0])


@pytest.mark.parametrize("curve", ["linear", "exponential", "logarithmic", "s"])
@given(position=st.floats(0, 1))
def test_fader_curves_have_an_inverse_and_keep_their_ends(curve: str, position: float) -> None:
    assert units.unbend(units.bend(position, curve), curve) == pytest.approx(position, abs=1e-6)
    assert 0.0 <= units.bend(position, curve) <= 1.0 + 1e-12
    assert (units.bend(0.0, curve), units.bend(1.0, curve)) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize("index", range(12))
def test_every_spelling_of_a_class_is_known(index: int) -> None:
    assert units.pitch_class_index(units.PITCH_CLASSES[index]) == index
    assert units.pitch_class_index(units.PITCH_CLASS_ADDRESSES[index].lower()) == index
    assert units.pitch_class_name(60 + index) == units.PITCH_CLASSES[index]


@pytest.mark.parametrize("name", ["H", "", "A#b", "4", "Ces"])
def test_what_is_no_note_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(ValueError, match="is no note name: use one of C C# D"):
        units.pitch_class_index(name)
