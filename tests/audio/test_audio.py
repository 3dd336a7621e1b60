"""The table of backends, choosing a device, and the guard between engine and device."""

from __future__ import annotations

import os

import numpy as np
import pytest

from oscsynth.audio import AudioSettings, Device, devices, open_backend
from oscsynth.audio.guard import Guard
from oscsynth.audio.portaudio import choose
from oscsynth.audio.quiet import quiet_stderr
from oscsynth.errors import AudioError


def silence(n_samples: int) -> np.ndarray:
    return np.zeros((n_samples, 2), np.float32)


def device(index: int, name: str, api: str = "ALSA", is_default: bool = False) -> Device:
    return Device(index, name, api, 2, 44100, 0.01, is_default)


CARDS = [device(0, "HDA Intel: ALC257"), device(1, "Scarlett 2i2 USB", is_default=True), device(2, "Scarlett Solo USB"), device(3, "system", "JACK")]


def test_unknown_backend_says_which_there_are():
    with pytest.raises(AudioError, match=r"--audio alsa: use auto, portaudio, null, or a file whose name ends in \.wav"):
        open_backend("alsa", silence, AudioSettings())


@pytest.mark.parametrize(("wanted", "index"), [("2I2", 1), ("solo", 2), ("alc", 0), ("jack", 3), ("SYSTEM", 3), (None, 1)])
def test_device_is_found_by_part_of_its_label(wanted, index):
    assert choose(CARDS, wanted).index == index


def test_several_devices_are_listed():
    with pytest.raises(AudioError, match=r"(?s)--device usb: 2 devices .*Scarlett 2i2 USB \[ALSA\]\n  Scarlett Solo USB"):
        choose(CARDS, "usb")


def test_unknown_device_lists_all():
    with pytest.raises(AudioError, match=r"(?s)--device moog: no sound device .*HDA.*2i2.*Solo.*system \[JACK\]"):
        choose(CARDS, "moog")


def test_whole_name_wins_over_part():
    assert choose([device(0, "pulse sink"), device(1, "pulse")], "pulse").index == 1


def test_best_api_wins_where_a_card_appears_under_several(monkeypatch):
    monkeypatch.setattr("oscsynth.audio.portaudio.API_ORDER", ("ASIO", "Windows WASAPI"))
    several = [device(0, "Focusrite", "MME"), device(1, "Focusrite", "Windows WASAPI"), device(2, "Focusrite", "Windows DirectSound")]
    assert choose(several, "focus").index == 1


def test_no_device_is_one_sentence_and_silence(no_sound_device, capfd):
    backend = open_backend("auto", silence, AudioSettings())
    assert backend.sentence.startswith("No sound device found: plug one in")
    assert "\n" not in backend.sentence
    assert backend.device == "null"
    assert capfd.readouterr() == ("", "")  # ALSA and JACK print sixty lines


def test_chosen_device_that_is_missing_is_no_silence(no_sound_device):
    with pytest.raises(AudioError, match=r"--device moog: no sound device has that in its name; there are:\n  \(none\)"):
        open_backend("auto", silence, AudioSettings(device="moog"))


def test_devices_is_empty_without_a_sound_card(no_sound_device):
    assert devices() == []


def test_quiet_stderr_keeps_and_restores(capfd):
    with quiet_stderr() as talk:
        os.write(2, b"ALSA lib: talk\nopen /dev/snd: Device or resource busy\nmore talk\n")
    os.write(2, b"seen\n")
    assert talk.reason() == "open /dev/snd: Device or resource busy"
    assert capfd.readouterr().err == "seen\n"


class Faulty:
    """Ones, but for the calls that raise."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.calls = bad, 0

    def __call__(self, n_samples: int) -> np.ndarray:
        self.calls += 1
        if self.calls in self.bad:
            raise RuntimeError(f"call {self.calls}")
        return np.ones((n_samples, 2), np.float32)


def test_fault_fades_to_silence_and_back_without_a_step():
    guard = Guard(Faulty(2, 3), 2)
    sound = np.concatenate([guard(256) for _ in range(5)])
    assert sound.shape == (1280, 2) and sound.dtype == np.float32
    assert np.abs(np.diff(sound, axis=0)).max() < 0.02
    assert not sound[400:768].any() and (sound[1024:] == 1).all()


def test_faults_are_counted_and_the_first_is_kept_once():
    guard = Guard(Faulty(1, 2), 2)
    guard(64), guard(64), guard(64)
    assert guard.errors == 2
    assert str(guard.take_error()) == "call 1"
    assert guard.take_error() is None
