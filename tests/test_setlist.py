"""setlist.yaml: every fault in one message, and what the program stores beside what a person wrote."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oscsynth.scene import PartScene, Scene
from oscsynth.setlist import SetListError, load_set_list, missing_patches, store_scene
from oscsynth.units import PITCH_CLASSES

ROOT = Path(__file__).parent.parent
FRIDAY = """\
# Friday
scenes:
  - name: Opening
    note: wait for the lights
    fade_seconds: 2
    parts:
      1:
        patch: Violin
        gate: open          # at once
        latent/bow: 0.4
        chroma: A
      2: {patch: Nave, gain: -6, latents: [0.1, 0.2], chroma: [1, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0, 0], gate: closed}
  - name: "On"
    parts: {1: {patch: Quartz}}
"""
OPENING = Scene(
    "Opening",
    {
        1: PartScene("Violin", {"gate": (1,), "latent/bow": (0.4,), "chroma/name": ("A",)}),
        2: PartScene(
            "Nave", {"gain": (-6.0,), "latents": (0.1, 0.2), "chroma": (1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), "gate": (0,)}
        ),
    },
    "wait for the lights",
    2.0,
)


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "setlist.yaml"
    file.write_text(FRIDAY)
    return file


def test_scenes_in_their_order(file):
    assert load_set_list(file) == [OPENING, Scene("On", {1: PartScene("Quartz")})]


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "scenes:\n", "scenes: []\n"])
def test_no_scenes(file, text):
    file.write_text(text) if text is not None else file.unlink()
    assert load_set_list(file) == [] == missing_patches(file, [])


def test_every_fault_in_one_message(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    file.write_text("""\
scene: 1
scenes:
  - name: A
    fade: 2
    fade_seconds: long
    parts:
      1: {patch: Violin, gain: 50, latnt/1: 0.5, latent/0: 1, latent/65: 1, chroma: H, chroma/weight/H: 1, pan: [1, 2], gate: ajar}
      9: {patch: Violin}
      2: {gain: -6}
      3: {patch: Violin, patch/next: 1, latents: [0.5, x], point: 7, gain:}
  - name: A
    parts: {}
  - just a text
  - note: [a]
""")
    with pytest.raises(SetListError) as caught:
        load_set_list(file)
    assert str(caught.value).splitlines() == [
        "setlist.yaml:1: scene: unknown key; did you mean scenes?",
        "setlist.yaml:4: scenes.1.fade: unknown key; there are name, note, fade_seconds, parts",
        "setlist.yaml:5: scenes.1.fade_seconds: must be 0 to 600, not long",
        "setlist.yaml:7: scenes.1.parts.1.chroma/weight/H: is no value of a part; did you mean chroma/weight/C?",
        f"setlist.yaml:7: scenes.1.parts.1.chroma: 'H' is no note name: use one of {' '.join(PITCH_CLASSES)} (or Cs, Db ... for the black keys)",
        "setlist.yaml:7: scenes.1.parts.1.gain: must be -72 to 12 dB, not 50",
        "setlist.yaml:7: scenes.1.parts.1.gate: must be a whole number 0 to 1, not ajar",
        "setlist.yaml:7: scenes.1.parts.1.latent/0: is no value of a part; did you mean latent/1?",
        "setlist.yaml:7: scenes.1.parts.1.latent/65: is no value of a part; did you mean latent/1?",
        "setlist.yaml:7: scenes.1.parts.1.latnt/1: is no value of a part; did you mean latent/1?",
        "setlist.yaml:7: scenes.1.parts.1.pan: takes a number -1 to 1, not 2",
        "setlist.yaml:8: scenes.1.parts.9: a part is a number from 1 to 8, not 9",
        "setlist.yaml:9: scenes.1.parts.2: needs a patch, such as `patch: Violin`",
        "setlist.yaml:10: scenes.1.parts.3.gain: must be a number -72 to 12 dB",
        "setlist.yaml:10: scenes.1.parts.3.latents: must be 1 to 64 numbers 0 to 1, not x",
        "setlist.yaml:10: scenes.1.parts.3.patch/next: is no value of a part; docs/osc.md lists them",
        "setlist.yaml:11: scenes.2.name: A is the name of scene 1 already: give one of them another",
        "setlist.yaml:12: scenes.2.parts: needs parts, such as `parts: {1: {patch: Violin}}`",
        "setlist.yaml:13: scenes.3: must be a scene with a name and parts",
        "setlist.yaml:14: scenes.4.note: must be a text",
        "setlist.yaml:14: scenes.4: needs a name, one line of printable text",
        "setlist.yaml:14: scenes.4: needs parts, such as `parts: {1: {patch: Violin}}`",
    ]


@pytest.mark.parametrize("text", ["scenes: {a: 1}", "scenes: [", "- a", "\tscenes: []", "a: *b"])
def test_what_is_no_set_list_is_said(file, text):
    file.write_text(text)
    with pytest.raises(SetListError, match=r"setlist\.yaml"):
        load_set_list(file)


@given(st.text("scen:-\n {}[]namprts1: gaiVoln0.5", max_size=80))
def test_any_text_is_scenes_or_faults(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "setlist.yaml"
    file.write_text(text)
    try:
        assert all(isinstance(scene, Scene) for scene in load_set_list(file))
    except SetListError as error:
        assert str(error)


def test_a_patch_that_there_is_not_is_named_with_its_line(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert missing_patches(file, ["Violin", "Quarts", "Nave"]) == [
        "setlist.yaml:14: scenes.2.parts.1.patch: there is no patch Quartz; did you mean Quarts?"
    ]


def test_a_new_scene_comes_last_and_nothing_else_moves(file):
    store_scene(file, Scene("End", {1: PartScene("Nave", {"gate": (1,), "latent/air": (0.30000001192092896,), "chroma/name": ("F#",)})}, "out", 0.5))
    assert file.read_text() == FRIDAY + (
        "  - name: End\n    note: out\n    fade_seconds: 0.5\n    parts:\n      1: {patch: Nave, gate: open, latent/air: 0.3, chroma: F#}\n"
    )
    assert load_set_list(file)[2].parts[1].values == {"gate": (1,), "latent/air": (0.3,), "chroma/name": ("F#",)}


def test_a_scene_that_is_stored_again_keeps_what_is_beside_it(file):
    store_scene(file, Scene("Opening", {1: PartScene("Violin", {"gate": (1,), "latent/bow": (0.9,)})}, "wait for the lights", 2.0))
    assert file.read_text() == FRIDAY.replace("bow: 0.4", "bow: 0.9").replace("        chroma: A\n", "").replace(
        next(line for line in FRIDAY.splitlines(True) if "Nave" in line), ""
    )


def test_the_first_scene_makes_the_file(tmp_path):
    file = tmp_path / "patches" / "setlist.yaml"
    store_scene(file, OPENING)
    assert load_set_list(file) == [OPENING] and file.read_text().startswith("# The scenes of a show")


def test_what_cannot_be_read_is_not_written_over(file):
    file.write_text("scenes: [\n")
    with pytest.raises(SetListError):
        store_scene(file, OPENING)
    assert file.read_text() == "scenes: [\n"


@settings(max_examples=40)
@given(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12),
    st.text("ab #:'\"é", max_size=9),
    st.floats(0, 600, width=32),
    st.floats(0, 1, width=32),
)
def test_whatever_is_stored_is_read(tmp_path_factory, name, note, seconds, value):
    file = tmp_path_factory.getbasetemp() / "stored.yaml"
    file.unlink(missing_ok=True)
    scene = Scene(name, {2: PartScene(name, {"latent/1": (value,), "latents": (value, 1.0)})}, note, seconds)
    store_scene(file, scene)
    store_scene(file, Scene("another", {1: PartScene("x")}))
    read = load_set_list(file)[0]
    assert (read.name, read.note, read.parts[2].patch) == (name, note, name)
    assert read.fade_seconds == pytest.approx(seconds, rel=1e-6) and read.parts[2].values["latent/1"][0] == pytest.approx(value, rel=1e-6)


def test_the_example_of_the_docs_is_a_set_list(file):
    [example] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "scenes.md").read_text("utf-8"), re.S)
    file.write_text(example)
    opening, storm = load_set_list(file)
    assert opening.fade_seconds == 4 and opening.parts[2].values["chroma/name"] == ("A",) and storm.parts[1].values == {"gate": (0,)}
