"""Sound inputs through PortAudio, both ways to reach it, with a real JACK server; and the sentences where there is none."""

from __future__ import annotations

import time

import numpy as np
import pytest

from oscsynth.audio import AudioSettings, Device, input_devices, open_backend, portaudio_libraries
from oscsynth.audio.inputs import FileInput, PortAudioInput, choose_input
from oscsynth.errors import AudioError

from .jack_server import SAMPLE_RATE_HZ, Performer


def device(index: int, name: str, api: str = "ALSA", is_default: bool = False) -> Device:
    return Device(index, name, api, 0, 44100, 0.01, is_default, 2)


@pytest.fixture(params=portaudio_libraries.LIBRARIES, ids=["pyaudio", "sounddevice"])
def library(request, monkeypatch):
    monkeypatch.setattr(portaudio_libraries, "LIBRARIES", (request.param,))


def test_the_input_of_jack_is_listed(jack_name, library):
    (found,) = input_devices()
    assert (found.name, found.api, found.input_channels, found.is_default) == ("system", "JACK Audio Connection Kit", 2, True)


def test_what_another_program_plays_is_heard_beside_the_output(jack_name, library, capfd):
    ramp = np.arange(1, SAMPLE_RATE_HZ + 1, dtype=np.float32)[:, None] / 2**20
    output = open_backend("portaudio", lambda n_samples: np.zeros((n_samples, 2), np.float32), AudioSettings())
    output.start()
    heard = PortAudioInput("default", SAMPLE_RATE_HZ, None)
    performer = Performer(jack_name, np.hstack([ramp, -ramp]))
    performer.connect()
    blocks, until = [np.zeros((1, 2), np.float32)], time.monotonic() + 5
    while blocks[-1].max() * 2**20 < 0.4 * SAMPLE_RATE_HZ and time.monotonic() < until:
        blocks.append(heard.take(441))
        time.sleep(0.008)
    assert heard.is_running() and output.is_running() and 0 <= heard.latency_seconds < 0.2
    performer.close()
    heard.close()
    assert output.is_running()  # the input's end is not the output's
    output.close()
    sound = np.concatenate(blocks)
    sounding = np.round(sound[sound[:, 0] > 0] * 2**20)
    assert len(sounding) > 0.3 * SAMPLE_RATE_HZ and (sounding[:, 0] == -sounding[:, 1]).all()
    # Taken by a clock of this test's own: what was not there in time is silence, and no sample comes twice or in another order.
    assert (np.diff(sounding[:, 0]) >= 1).all() and (np.diff(sounding[:, 0]) == 1).mean() > 0.99
    assert capfd.readouterr().err == ""


def test_without_a_sound_card_a_sentence_says_what_goes_on(no_sound_device):
    assert input_devices() == []
    with pytest.raises(AudioError, match=r"No sound input found: plug one in, .* hears silence; everything else plays"):
        PortAudioInput("default", 44100, None)


def test_a_rate_that_it_does_not_have_is_a_sentence(jack_name, library):
    with pytest.raises(AudioError, match=r"The sound input system \[JACK Audio Connection Kit\] does not open at 12345 Hz: "):
        PortAudioInput("default", 12345, None)


def test_an_input_is_chosen_by_a_part_of_its_name():
    found = [device(0, "Built-in"), device(1, "Scarlett 2i2 USB", is_default=True), device(2, "Scarlett Solo USB")]
    assert choose_input(found, "default").index == 1 and choose_input(found, "BUILT").index == 0
    with pytest.raises(AudioError, match=r"(?s)--input usb: 2 inputs have that in their name; say more of it:\n  Scarlett 2i2"):
        choose_input(found, "usb")
    with pytest.raises(AudioError, match=r"(?s)--input mic: no sound input has that in its name.*Built-in"):
        choose_input(found, "mic")


def test_a_file_is_heard_once_and_then_silence():
    heard = FileInput("a.wav", np.arange(1, 6, dtype=np.float32)[:, None])
    assert heard.take(3)[:, 1].tolist() == [1, 2, 3] and heard.take(4)[:, 0].tolist() == [4, 5, 0, 0] and not heard.take(2).any()
