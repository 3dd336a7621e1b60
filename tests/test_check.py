"""What ships passes its own check."""

from __future__ import annotations

from pathlib import Path

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
    assert used == {path.name for path in (factory_folder() / "decoders").glob("*.onnx")}


@pytest.mark.parametrize("patch", shipped(), ids=lambda patch: patch.name)
def test_a_patch_that_ships_teaches(patch):
    text = Path(patch.path).read_text("utf-8")
    assert text.startswith("# ") and text.count("#") >= 5, "its comments say what it is and what each line does"
    assert len(patch.latents) >= 2 and len(patch.xy) == 2
    assert Path(patch.path).stem == patch.name.lower().replace(" ", "-")


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
