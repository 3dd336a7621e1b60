"""The note of a spectrum, as training finds it with librosa."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.sound import pitch
from tests.decoders import partials
from training import chroma
from training.spectra import Stft

STFTS = (Stft(), Stft(48000, 4096), Stft(22050, 2048), Stft(96000, 8192), Stft(11025, 1024))


@pytest.mark.parametrize("stft", STFTS)
def test_the_filters_are_librosas(stft: Stft) -> None:
    np.testing.assert_allclose(pitch.chroma_filters(stft.sample_rate_hz, stft.window_samples), chroma.filters(stft), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), power=st.sampled_from([1.0, 4.0, 16.0]))
def test_the_note_of_any_spectrum_is_that_of_training(seed: int, power: float) -> None:
    magnitude = (np.random.default_rng(seed).random(2049) ** power).astype(np.float32)
    found = pitch.note_class(magnitude, 44100)
    assert found == chroma.classes(magnitude[None], Stft())[0]
    assert pitch.octave(magnitude, found, 44100) == chroma.octaves(magnitude[None], np.array([found]), Stft(), pitch.OCTAVES)[0]


@pytest.mark.parametrize("note", range(55, 96, 5))
def test_a_harmonic_tone_is_found_in_its_octave(note: int) -> None:
    magnitude = partials(note).sum(0)
    assert (pitch.note_class(magnitude, 44100), pitch.octave(magnitude, note % 12, 44100)) == (note % 12, note // 12 - 1)
