"""What is learned goes into the patch's file, and everything else in it stays."""

from pathlib import Path

import pytest

from oscsynth.errors import OscsynthError
from oscsynth.library import Library
from oscsynth.midi_door import keep_controls
from oscsynth.patch_file import load_patch

from .decoders import tiny_decoder

TEXT = "# mine\nname: Violin   # the best\ndecoder: tiny.onnx\nmidi:\n  channel: 3  # left hand\n  control_changes: {1: latent/1}  # the wheel\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for folder in ("own", "factory"):
        (tmp_path / folder).mkdir()
        tiny_decoder(tmp_path / folder / "tiny.onnx")
    return Library(tmp_path / "own", tmp_path / "factory")


def written(folder: Path, text: str = TEXT) -> Path:
    path = folder / "violin.yaml"
    path.write_text(text)
    return path


def test_comments_order_and_all_else_stay(library: Library) -> None:
    path = written(library.user_folder)  # type: ignore[arg-type]
    assert keep_controls(load_patch(path), {74: "gain", 1: "latent/2"}, library) == path
    assert path.read_text() == TEXT.replace("{1: latent/1}", "{1: latent/2, 74: gain}")
    keep_controls(load_patch(path), {74: "", 1: ""}, library)
    assert load_patch(path).midi.control_changes == {} and "# left hand" in path.read_text()


def test_a_patch_that_says_nothing_of_midi_gets_the_key(library: Library) -> None:
    path = written(library.user_folder, TEXT.partition("midi")[0])  # type: ignore[arg-type]
    keep_controls(load_patch(path), {7: "/master/gain"}, library)
    assert path.read_text().startswith(TEXT.partition("midi")[0]) and load_patch(path).midi.control_changes == {7: "/master/gain"}


def test_a_factory_patch_becomes_ones_own_and_shadows_it(library: Library) -> None:
    path = written(library.factory_folder)
    assert library.user_folder is not None
    written(library.user_folder, "name: Another\ndecoder: tiny.onnx\n")  # has the file's name already
    own = keep_controls(load_patch(path), {5: "gain"}, library)
    assert own == library.user_folder / "violin-2.yaml" and path.read_text() == TEXT
    library.scan()
    assert library.patches["Violin"].midi.control_changes == {1: "latent/1", 5: "gain"} and "# the best" in own.read_text()


def test_a_file_that_has_become_broken_is_left_as_it_is(library: Library) -> None:
    path = written(library.user_folder)  # type: ignore[arg-type]
    patch = load_patch(path)
    path.write_text("name: [")
    with pytest.raises(OscsynthError, match="it is not YAML"):
        keep_controls(patch, {5: "gain"}, library)
    assert path.read_text() == "name: ["
