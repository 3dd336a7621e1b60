"""Every note of the keyboard through the violin: the class that is heard is the one that is played, to an estimator that is not ours."""

from __future__ import annotations

import dataclasses

import librosa
import numpy as np
import pytest

from oscsynth.library import factory_folder
from oscsynth.patch_file import load_patch

from .sound.conftest import RATE_HZ
from .sound.test_bank import Keys

SECONDS = 1.5


@pytest.fixture(scope="module")
def keys() -> Keys:
    patch = load_patch(factory_folder() / "violin.yaml")
    play = Keys(dataclasses.replace(patch, mode="notes"))
    for latent in patch.latents.values():
        play.state.set(1, "latent", latent.default, latent.neuron - 1)
    return play


@pytest.mark.parametrize("pitch", range(36, 97))
def test_the_strongest_class_is_that_of_the_note(keys: Keys, pitch: int) -> None:
    keys.on(0, pitch)
    keys.render(4096)
    sound = keys.render(int(SECONDS * RATE_HZ)).mean(1)
    chroma = librosa.feature.chroma_stft(y=sound, sr=RATE_HZ, n_fft=16384, tuning=0).mean(1)
    assert int(np.argmax(chroma)) == pitch % 12
