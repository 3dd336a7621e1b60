import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import chroma
from training.spectra import Stft, magnitudes

from .conftest import tone

STFT = Stft()


def test_chroma_is_librosas() -> None:
    magnitude = np.random.default_rng(440).random((7, STFT.n_bins)).astype(np.float32)
    theirs = librosa.feature.chroma_stft(S=magnitude.T**2, sr=44100, n_fft=4096, tuning=0.0, norm=None)
    np.testing.assert_allclose(chroma.chroma(magnitude, STFT), theirs.T, rtol=1e-4)


def test_the_maximum_is_over_the_classes_of_each_hop() -> None:
    """The ancestor took it over time: the loud hop would have had every class, the soft one none."""
    loud = magnitudes(tone(60, sample_rate_hz=44100), STFT)[:1]
    soft = 0.01 * magnitudes(tone(69, sample_rate_hz=44100), STFT)[:1]
    found = chroma.one_hot(chroma.classes(np.concatenate([loud, soft, loud]), STFT))
    assert found.sum(axis=1).tolist() == [1, 1, 1]
    assert found.argmax(axis=1).tolist() == [0, 9, 0]


@given(st.integers(48, 95), st.floats(0.2, 0.8))
def test_class_and_octave_of_a_tone(pitch_midi: int, brightness: float) -> None:
    magnitude = magnitudes(tone(pitch_midi, 0.12, brightness, 44100), STFT)
    assert chroma.classes(magnitude, STFT)[0] == pitch_midi % 12
    assert chroma.octaves(magnitude, np.array([pitch_midi % 12] * len(magnitude)), STFT)[0] == pitch_midi // 12 - 1


@pytest.mark.parametrize("detune", [-0.3, 0.3])
def test_tuning_is_fixed(detune: float) -> None:
    """An estimate of the tuning would call a sharp A an A as well, but move every other note of the clip."""
    magnitude = magnitudes(tone(69 + detune, 0.5, sample_rate_hz=44100), STFT)
    assert (chroma.classes(magnitude, STFT) == 9).all()
