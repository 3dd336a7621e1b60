"""What ships passes its own check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oscsynth.check import check_files, check_library
from oscsynth.library import Library, factory_folder
from oscsynth.patch import Patch

from .decoders import tiny_decoder


@pytest.fixture
def library(tmp_path, monkeypatch) -> Library:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Library(None, factory_folder())


def shipped() -> list[Patch]:
    library = Library(None, factory_folder())
    library.scan()
    assert library.patches
    return list(library.patches.values())


def test_every_patch_and_decoder_that_ships_is_good(library):
    checked = list(check_library(library))
    assert [one.faults for one in checked if one.faults] == []
    assert {one.path.suffix for one in checked} == {".yaml", ".onnx"}


def test_every_decoder_that_ships_has_a_patch():
    used = {Path(patch.decoder_path).name for patch in shipped()}
    assert used == {path.name for path in Library(None, factory_folder()).decoders()}


@pytest.mark.parametrize("patch", shipped(), ids=lambda patch: patch.name)
def test_a_patch_that_ships_teaches(patch):
    text = Path(patch.path).read_text("utf-8")
    assert text.startswith("# ") and text.count("#") >= 5, "its comments say what it is and what each line does"
    # What moves is named: the faders of sounds, or the instruments of notes.
    assert patch.timbre or (len(patch.latents) >= 2 and len(patch.xy) == 2)
    assert Path(patch.path).stem == patch.name.lower().replace(" ", "-")


def centroid_bin(patch: Patch, **positions: float) -> float:
    """Return where the middle of the power lies, each fader at its default but those named."""
    from oscsynth.sound.decoder import Decoder

    decoder = Decoder.load(patch.decoder_path)
    latents = np.full((1, decoder.n_latents), 0.5, np.float32)
    for name, latent in patch.latents.items():
        low, high = latent.range
        latents[0, latent.neuron - 1] = low + (high - low) * positions.get(name, latent.default)
    registers = decoder.metadata.registers
    nearest = np.argmin([abs(octave - (patch.register or 4)) for octave in registers]) if registers else 0
    one_hot = np.eye(max(1, len(registers)), dtype=np.float32)[[nearest]]
    power = decoder.decode(latents, np.array([patch.chroma], np.float32).round(), one_hot)[0].astype(np.float64) ** 2
    return float((power * np.arange(len(power))).sum() / power.sum())


@pytest.mark.parametrize(("name", "latent"), [("Violin", "bow"), ("Kaleidoscope", "light"), ("Quartz", "edge")])
def test_what_is_called_brighter_is_brighter(name, latent):
    (patch,) = (patch for patch in shipped() if patch.name == name)
    assert centroid_bin(patch, **{latent: 0.9}) > 1.05 * centroid_bin(patch, **{latent: 0.1}), "a decoder made again has other neurons"


def test_a_decoder_is_checked_once_for_all_its_patches(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tiny_decoder(tmp_path / "d.onnx")
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ndecoder: d.onnx\n")
    checked = list(check_files([tmp_path], ()))
    assert [(one.path.name, one.text, one.faults) for one in checked] == [
        ("d.onnx", "Tiny: 3 latents, 44100 Hz", ""),
        ("a.yaml", "a, on d.onnx", ""),
        ("b.yaml", "b, on d.onnx", ""),
    ]


def test_a_set_list_is_checked_with_the_patches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    set_list = tmp_path / "setlist.yaml"
    set_list.write_text("scenes:\n  - name: A\n    parts: {1: {patch: Violin}}\n  - name: B\n    parts: {1: {patch: Vioin, gain: -3}}\n")
    [checked] = [each for each in check_library(Library(tmp_path, factory_folder())) if each.path == set_list]
    assert checked.faults == "setlist.yaml:5: scenes.2.parts.1.patch: there is no patch Vioin; did you mean Violin?"
    [checked] = check_files([set_list], ())
    assert checked.text == "2 scenes" and not checked.faults
    set_list.write_text("scenes: x")
    assert [each.faults for each in check_files([tmp_path], ())] == ["setlist.yaml:1: scenes: must be a list, each entry beginning with `- name:`"]


def test_controls_that_can_move_nothing_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_decoder(tmp_path / "tiny.onnx")
    good = "1: latent/bow, 2: latent/even, 3: /master/gain, 4: point/dark, 5: /scene/next, 6: patch/select/9, 7: /part/2/gain, 8: chroma/C, 9: hold"
    text = f"name: X\ndecoder: tiny.onnx\nlatents: {{bow: {{neuron: 1}}}}\nmidi:\n  control_changes: {{{good}, 20: gian, 21: patch}}\n"
    (tmp_path / "x.yaml").write_text(text)
    _, checked = check_files([tmp_path / "x.yaml"], ())
    first, second = checked.faults.splitlines()
    assert first.startswith("x.yaml:5: midi.control_changes.20: gian is no address") and "nearest is /oscsynth/part/1/gain" in first
    assert second == "x.yaml:5: midi.control_changes.21: patch takes one text, and no control can move that"
