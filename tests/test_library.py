"""The user's folder over the factory's."""

from __future__ import annotations

from pathlib import Path

import pytest

from oscsynth.library import Library, factory_folder, user_folder


def write(folder: Path, file: str, name: str, decoder: str = "decoders/d.onnx") -> Path:
    (folder / file).write_text(f"name: {name}\ndecoder: {decoder}\n")
    return folder / file


@pytest.fixture
def library(tmp_path):
    for folder in ("user", "factory/decoders"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "factory/decoders/d.onnx").touch()
    return Library(tmp_path / "user", tmp_path / "factory")


def test_patches_are_sorted_by_name_whatever_their_files_are_called(library):
    for file, name in (("a.yaml", "zither"), ("b.yml", "Bell"), ("c.yaml", "air")):
        write(library.factory_folder, file, name)
    library.scan()
    assert list(library.patches) == ["air", "Bell", "zither"]
    assert library.faults == {}


def test_a_users_patch_shadows_the_factorys_of_its_name_and_uses_its_decoder(library):
    write(library.factory_folder, "violin.yaml", "Violin")
    mine = write(library.user_folder, "other.yaml", "Violin")
    library.scan()
    assert library.patches["Violin"].path == str(mine)
    assert library.patches["Violin"].decoder_path == str(library.factory_folder / "decoders/d.onnx")
    assert not library.is_factory(library.patches["Violin"])


def test_a_factory_patch_is_back_when_its_shadow_goes(library):
    factory = write(library.factory_folder, "violin.yaml", "Violin")
    mine = write(library.user_folder, "violin.yaml", "Violin")
    library.scan()
    mine.unlink()
    library.scan()
    assert library.patches["Violin"].path == str(factory)
    assert library.is_factory(library.patches["Violin"])


def test_a_broken_patch_stops_no_other(library):
    write(library.factory_folder, "good.yaml", "Good")
    broken = write(library.user_folder, "broken.yaml", "Broken", "missing.onnx")
    library.scan()
    assert list(library.patches) == ["Good"]
    assert "there is no missing.onnx" in library.faults[broken]


def test_two_patches_of_one_name_in_one_folder_are_a_fault_of_the_second(library):
    write(library.user_folder, "a.yaml", "Same")
    second = write(library.user_folder, "b.yaml", "Same")
    library.scan()
    assert Path(library.patches["Same"].path).name == "a.yaml"
    assert library.faults[second].endswith("b.yaml: name: Same is the name of a.yaml already: give one of them another")


def test_other_files_and_editors_copies_are_left_alone(library):
    for file in (".a.yaml", "b.yaml~", "c.txt", ".#d.yaml"):
        (library.user_folder / file).write_text("[")
    library.scan()
    assert (library.patches, library.faults) == ({}, {})


def test_a_user_folder_need_not_exist(library, tmp_path):
    write(library.factory_folder, "a.yaml", "A")
    for folder in (tmp_path / "absent", None):
        there = Library(folder, library.factory_folder)
        there.scan()
        assert list(there.patches) == ["A"]


def test_a_folder_that_is_a_file_is_a_fault(library, tmp_path):
    (tmp_path / "file").touch()
    library = Library(tmp_path / "file", library.factory_folder)
    library.scan()
    assert "the folder cannot be read" in library.faults[tmp_path / "file"]


def test_decoders_are_found_in_both_folders_and_one_below(library):
    (library.user_folder / "mine.onnx").touch()
    (library.user_folder / "mine.encoder.onnx").touch()  # is none
    assert [file.name for file in library.decoders()] == ["mine.onnx", "d.onnx"]


def test_the_folders_of_this_program():
    assert factory_folder().name == "patches" and factory_folder().is_dir()
    assert user_folder().name == "patches" and "oscsynth" in user_folder().parts
