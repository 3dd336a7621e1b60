"""Patches from files: what loads, and the sentence for what does not."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from oscsynth import yaml_file
from oscsynth.errors import PatchError
from oscsynth.metadata import Latent, Metadata
from oscsynth.patch import Envelope, LatentControl, Patch
from oscsynth.patch_file import load_patch
from oscsynth.patch_fit import fit
from oscsynth.patch_schema import keys, markdown
from oscsynth.yaml_file import MAX_BYTES, parse_yaml

from .control.catalogue import ORCHESTRA_METADATA

DOCS = Path(__file__).parent.parent / "docs" / "patches.md"
HEAD = "name: Violin\ndecoder: violin.onnx\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "violin.onnx").touch()
    return tmp_path


def load(folder: Path, text: str | bytes, *folders: Path) -> Patch:
    path = folder / "p.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_patch(path, folders)


def faults(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(PatchError) as caught:
        load(folder, text)
    return str(caught.value).splitlines()


def test_everything_a_patch_can_say_is_read(folder):
    patch = load(
        folder,
        """\
name: Violin
decoder: violin.onnx
gate: closed
gain_db: -6
register: 4
seed: 7
envelope: {attack_ms: 5, release_ms: 400}
chroma: A
latents:
  bow: {neuron: 1, default: 0.4, range: [0.1, 0.9], curve: s, slew_ms: 30}
  air: {neuron: 2}
xy: [air, bow]
points:
  sul-tasto: [0.2, 0.7, 0.5]
comment: |
  Two lines,
  of which this is the second.
""",
    )
    assert patch == Patch(
        name="Violin",
        decoder="violin.onnx",
        gate="closed",
        gain_db=-6.0,
        register=4.0,
        seed=7,
        envelope=Envelope(attack_ms=5.0, release_ms=400.0),
        chroma=(0.0,) * 9 + (1.0, 0.0, 0.0),
        latents={"bow": LatentControl(1, 0.4, (0.1, 0.9), "s", 30.0), "air": LatentControl(2)},
        xy=("air", "bow"),
        points={"sul-tasto": (0.2, 0.7, 0.5)},
        comment="Two lines,\nof which this is the second.\n",
        decoder_path=str(folder / "violin.onnx"),
        path=str(folder / "p.yaml"),
    )


def test_what_is_left_out_is_the_dataclass_default(folder):
    patch = load(folder, HEAD)
    assert dataclasses.replace(patch, decoder_path="", path="") == Patch("Violin", "violin.onnx")


def test_xy_is_the_first_two_latents_if_left_out(folder):
    assert load(folder, HEAD + "latents: {a: {neuron: 3}, b: {neuron: 1}, c: {neuron: 2}}").xy == ("a", "b")


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        ("Bb", {10: 1.0}),
        ("f#", {6: 1.0}),
        ("{A: 3, E: 1}", {9: 0.75, 4: 0.25}),
        ("[2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]", {0: 0.5, 7: 0.5}),
    ],
)
def test_chroma_is_a_name_names_with_weights_or_twelve_weights(folder, given, weights):
    chroma = load(folder, HEAD + f"chroma: {given}").chroma
    assert dict(enumerate(chroma)) == {index: weights.get(index, 0.0) for index in range(12)}


@pytest.mark.parametrize("given", ["on", "no", "7:30", "yes", "0o17", "1_0:2", "2024-01-01", "808", "1e3", ".nan", "=", "<<"])
def test_yaml_traps_load_as_the_text_they_are(folder, given):
    assert load(folder, f"decoder: violin.onnx\nname: {given}\nlatents: {{{given}x: {{neuron: 1}}}}").name == given
    assert parse_yaml(f"{given}: {given}").data == {given: given}


@given(st.text("ab1:-#[]{},'\"|>? \n\r\\~&*!", max_size=30))
def test_libyaml_reads_what_python_reads(text: str) -> None:
    """What it is asked first it must not read in another way."""
    quick, document = yaml_file._read_quickly(f"a: {text}"), yaml_file.Document()
    with contextlib.suppress(yaml.YAMLError):
        node = yaml_file._composed(yaml_file._Loader, f"a: {text}", document)
        if quick and node and not document.faults:
            assert yaml_file._build(node, (), document) == quick.data and document.lines == quick.lines


def test_numbers_may_be_written_in_any_usual_way(folder):
    patch = load(folder, HEAD + "gain_db: -1e1\npan: '.5'\nregister: 4\nseed: +2\nwidth: 0")
    assert (patch.gain_db, patch.pan, patch.register, patch.seed, patch.width) == (-10.0, 0.5, 4.0, 2, 0.0)


def test_byte_order_mark_and_windows_lines_are_read(folder):
    assert load(folder, b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode() + "comment: Größe\r\n".encode()).comment == "Größe"


def test_every_fault_is_in_one_message_with_its_line(folder):
    said = faults(
        folder,
        """\
name: Violin
decodr: violin.onnx
gain_db: 99
gate: on
envelope: {attack_ms: no}
latents:
  bow:
    neuron: 1
    slew_ms: -5
  air: {neuron: 0.5, default: 2, zzz: blue}
xy: [bow, ari]
points: {far: [0.5, 7]}
seed: 1.5
name: Twice
""",
    )
    assert said == [
        "p.yaml:1: decoder: is missing: the decoder's file, in this folder or in the factory folder",
        "p.yaml:2: decodr: unknown key; did you mean decoder?",
        "p.yaml:3: gain_db: must be -72 to 12, not 99",
        "p.yaml:4: gate: must be open or closed, not on",
        "p.yaml:5: envelope.attack_ms: must be 0 to 10000, not no",
        "p.yaml:9: latents.bow.slew_ms: must be 0 to 10000, not -5",
        "p.yaml:10: latents.air.default: must be 0 to 1, not 2",
        "p.yaml:10: latents.air.neuron: must be a whole number 1 to 64, not 0.5",
        "p.yaml:10: latents.air.zzz: unknown key; there are neuron, default, range, curve, slew_ms, scale",
        "p.yaml:11: xy.2: there is no latent ari; did you mean air?",
        "p.yaml:12: points.far.2: must be 0 to 1, not 7",
        "p.yaml:13: seed: must be a whole number 0 to 2147483647, not 1.5",
        "p.yaml:14: name: stands twice, in lines 1 and 14",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gain_db: .nan", "gain_db: must be -72 to 12, not .nan"),
        ("gain_db: nan", "gain_db: must be -72 to 12, not nan"),
        ("pan: inf", "pan: must be -1 to 1, not inf"),
        ("gain_db: true", "gain_db: must be -72 to 12, not true"),
        ("glide_ms:", "glide_ms: must be 0 to 10000, not nothing"),
        ("register: 7:30", "register: must be 0 to 9, not 7:30"),
        ("envelope: 3", "envelope: must be keys with values, not 3"),
        ("envelope:", "envelope: must be keys with values, not nothing"),
        ("latents: [bow]", "latents: must be keys with values, not a list of 1"),
        ("latents: {bow: 1}", "latents.bow: must be keys with values, not 1"),
        ("latents: {bow: {}}", "latents.bow.neuron: is missing: which neuron of the decoder, counted from 1"),
        ("latents: {bow: {neuron: 1, range: [0]}}", "latents.bow.range: must be two numbers 0 to 1, not a list of 1"),
        ("latents: {bow: {neuron: 1, slew_ms: fast}}", "latents.bow.slew_ms: must be 0 to 10000 or auto, not fast"),
        (
            "latents: {bow: {neuron: 1, curve: expo}}",
            "latents.bow.curve: must be one of linear, exponential, logarithmic, s, not expo",
        ),
        ("latents: {a: {neuron: 1}, b: {neuron: 1}}", "latents.b.neuron: neuron 1 is already moved by latents.a"),
        ("latents: {1: {neuron: 1}}", "latents.1: a name cannot be a number: /latent/1 is the first neuron"),
        ("latents: {a b: {neuron: 1}}", "latents.a b: a name that is part of an OSC address cannot hold spaces or any of #*,/?[]{}"),
        ("latents: {'': {neuron: 1}}", "latents: a name must be text of 1 to 64 characters, not nothing"),
        ("points: {a/b: [0]}", "points.a/b: a name that is part of an OSC address cannot hold spaces or any of #*,/?[]{}"),
        ("points: {seconds: [0]}", "points.seconds: /point/seconds has a meaning of its own: use another name"),
        ("xy: [a]", "xy: must be two names from latents, not 1"),
        ("xy: a", "xy: must be two names from `latents`, not a"),
        ("chroma: H", "chroma: 'H' is no note name: use one of C C# D D# E F F# G G# A A# B (or Cs, Db ... for the black keys)"),
        ("chroma: {A: loud}", "chroma: must be a note name such as"),
        ("chroma: [1, 2, 3]", "or 12 weights from C to B, not 3 values"),
        ("chroma: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", "not weights below 0, none above 0, or not finite"),
        ("chroma: {A: nan}", "not weights below 0, none above 0, or not finite"),
        ("chroma: {A: -1, B: 2}", "not weights below 0, none above 0, or not finite"),
        ("path: x", "path: unknown key"),
        ("decoder_path: x", "decoder_path: unknown key"),
        ("mode: note", "mode: must be one of drone, notes, resynthesis, not note"),
        ("WIDTH: 1", "WIDTH: unknown key; did you mean width?"),
        ('comment: "\\ud800"', "half a character (a surrogate) stands in it"),
        ("mode: &a drone", "anchors (&a) are not read"),
        ("xy: *a", "aliases (*a) are not read"),
        ("seed: !!python/object/apply:os.system [ls]", "tags (!!python/object/apply:os.system) are not read"),
        ("seed: !!int 3", "tags (!!int) are not read"),
        ("? [a]\n: 1", "a key must be a word, not a list or a mapping"),
        ("pan: 1\n\twidth: 1", "a tab stands where YAML takes only spaces: indent with spaces"),
        ("comment: a: b", "a colon where none may stand"),
        ("pan 1\n", "a key without its colon"),
        ("xy: [a, b", "it is not YAML: expected ',' or ']'"),
        ("---\npan: 1", "a second document begins here"),
        ("midi: {channel: 17}", "midi.channel: must be a whole number 1 to 16, not 17"),
        ("midi: {channel: 0}", "midi.channel: must be a whole number 1 to 16, not 0"),
        ("midi: {channel: all}", "midi.channel: must be a whole number 1 to 16 or omni, not all"),
        ("midi: {control_changes: {128: gain}}", "midi.control_changes: a control must be a whole number 0 to 119, not 128"),
        ("midi: {control_changes: {1: }}", "midi.control_changes.1: must be text of 1 to 128 characters, not nothing"),
        ("midi: {controls: {}}", "midi.controls: unknown key; did you mean control_changes?"),
        ("midi: {mpe: {zone: middle}}", "midi.mpe.zone: must be one of auto, lower, upper, not middle"),
        ("midi: {mpe: {members: 16}}", "midi.mpe.members: must be a whole number 1 to 15, not 16"),
        ("comment: \x07", "a control character stands in it"),
        ("xy: " + "[" * 1000, "more than 16 brackets or levels inside one another"),
    ],
)
def test_each_fault_is_a_sentence(folder, text, sentence):
    assert sentence in "\n".join(faults(folder, HEAD + text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "p.yaml: it is empty: it must hold keys with values, such as `name: Violin`"),
        (b"# only a comment\n", "p.yaml: it is empty: it must hold keys with values, such as `name: Violin`"),
        (b"- a\n- b\n", "p.yaml:1: it must hold keys with values, such as `name: Violin`, not a list"),
        (b"Violin\n", "p.yaml:1: it must hold keys with values, such as `name: Violin`, not a text"),
        (HEAD.encode("utf-16"), "p.yaml: it is not UTF-8 text: save it as UTF-8"),
        (b"name: \xff", "p.yaml: it is not UTF-8 text: save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), f"p.yaml: it is {MAX_BYTES + 1} bytes large; at most {MAX_BYTES} (256 KiB) are read"),
    ],
)
def test_files_that_are_no_patches(folder, text, sentence):
    assert faults(folder, text) == [sentence]


def test_a_missing_file_and_a_folder_are_named(folder):
    for path in (folder / "absent.yaml", folder):
        with pytest.raises(PatchError, match="there is no such file"):
            load_patch(path)


def test_an_alias_bomb_is_refused_at_once(folder):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert any("aliases (*a28) are not read" in fault for fault in faults(folder, HEAD + "\n".join(lines)))


def test_a_decoder_is_looked_for_beside_the_patch_then_in_the_other_folders(folder, tmp_path_factory):
    factory = tmp_path_factory.mktemp("factory")
    (factory / "decoders").mkdir()
    (factory / "decoders" / "flute.onnx").touch()
    assert load(folder, "name: F\ndecoder: decoders/flute.onnx", folder, factory).decoder_path == str(factory / "decoders" / "flute.onnx")
    (folder / "decoders").mkdir()
    (folder / "decoders" / "flute.onnx").touch()
    assert load(folder, "name: F\ndecoder: decoders\\flute.onnx", folder, factory).decoder_path == str(folder / "decoders" / "flute.onnx")


@pytest.mark.parametrize(
    "decoder", ["../violin.onnx", "a/../../violin.onnx", "..\\violin.onnx", "/etc/violin.onnx", "C:\\violin.onnx", "\\\\host\\share\\violin.onnx"]
)
def test_a_decoder_path_that_leaves_the_folder_is_refused(folder, decoder):
    inner = folder / "inner"
    inner.mkdir()
    (said,) = faults(inner, f"name: V\ndecoder: {decoder}")
    assert said.startswith(f"inner/p.yaml:2: decoder: {decoder} leaves the folder")


@pytest.mark.parametrize("decoder", ["violn.onnx", "x" * 5000, '"a\\0b"', "."])
def test_a_missing_decoder_is_named_with_where_it_was_looked_for(folder, decoder):
    said = faults(folder, f"name: V\ndecoder: {decoder}")
    assert all(" decoder: there is no " in line and " in ." in line for line in said)


def test_the_nearest_decoder_is_named(folder):
    assert faults(folder, "name: V\ndecoder: violn.onnx") == ["p.yaml:2: decoder: there is no violn.onnx in .; did you mean violin.onnx?"]


def test_what_would_move_the_cursor_of_a_terminal_is_written_out(folder):
    assert faults(folder, HEAD + 'gate: "\\e[2J"') == ["p.yaml:3: gate: must be open or closed, not \\x1b[2J"]


METADATA = Metadata("Tiny", "frame", 44100, 4096, 1024, (Latent(0, 0.5, 1),) * 3, 60, 71, (4,) * 12)


def test_fit_names_what_the_decoder_does_not_have(folder):
    patch = load(folder, HEAD + "latents:\n  far: {neuron: 5}\npoints:\n  near: [0, 1]\n  good: [0, 1, 0]\n")
    assert fit(patch, METADATA) == [
        "p.yaml:4: latents.far.neuron: violin.onnx has 3 latents, so it must be 1 to 3, not 5",
        "p.yaml:6: points.near: violin.onnx has 3 latents, so it must be a list of 3, not of 2",
    ]


def test_fit_names_latents_that_no_controller_can_move(folder):
    text = "latents: {bow: {neuron: 1}}\nmidi:\n  control_changes: {1: latent/bow, 2: latent/3, 3: gain, 4: latent/baw}\n  mpe: {timbre: air}\n"
    assert fit(load(folder, HEAD + text), METADATA) == [
        "p.yaml:5: midi.control_changes.4: there is no latent baw; did you mean bow?",
        "p.yaml:6: midi.mpe.timbre: there is no latent air",
    ]


def test_fit_says_nothing_of_what_fits(folder):
    assert fit(load(folder, HEAD + "latents: {a: {neuron: 3}}\npoints: {p: [0, 1, 0.5]}"), METADATA) == []


_WORDS = st.sampled_from("name latents xy chroma decoder points violin.onnx neuron range A 0.5 -1 [ ] { }".split())
_MARKS = st.sampled_from([": ", "\n", "\n  ", "- ", ", ", "&a", "*a", "!t", "|", ">", '"', "'", "#", "\t", "?", "---", "%", "\\x", "\x85", "\ufeff"])


@given(st.lists(_WORDS | _MARKS | st.text(max_size=4), max_size=30).map("".join))
def test_no_text_raises_anything_but_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(PatchError, match=r"any\.yaml"):
        load_patch(path)


_VALUES = st.recursive(
    st.none() | st.sampled_from(["0.5", "1", "A", "nan", "1e999", "x", "", "\ud800", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["neuron", "bow", "range", "A", "1"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*keys(Patch), "path", "odd"]), _VALUES, max_size=6))
def test_no_data_raise_anything_but_a_sentence(tmp_path_factory, data):
    import json  # JSON is YAML

    path = tmp_path_factory.getbasetemp() / "data.yaml"
    path.write_text(json.dumps(data))
    with pytest.raises(PatchError, match=r"data\.yaml"):
        load_patch(path)


def test_the_tables_of_the_page_are_those_of_the_code():
    assert markdown() in DOCS.read_text("utf-8")


def test_every_example_of_the_page_loads(folder):
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.S)
    assert len(blocks) >= 3
    (folder / "decoders").mkdir()
    for name in ("violin.onnx", "my-strings.onnx", "orchestra.onnx"):
        (folder / "decoders" / name).touch()
    for block in blocks:
        whole = block if "name:" in block.splitlines()[0] else "name: Example\ndecoder: decoders/violin.onnx\n" + block
        assert load(folder, whole).name


def test_every_message_of_the_page_is_what_is_said(folder):
    page = DOCS.read_text("utf-8")
    (broken,) = re.findall(r"```text broken\n(.*?)```", page, re.S)
    (said,) = re.findall(r"```text said\n(.*?)```", page, re.S)
    (folder / "decoders").mkdir()
    (folder / "decoders" / "violin.onnx").touch()
    (folder / "patches").mkdir()
    (folder / "patches" / "mine.yaml").write_text(broken)
    with pytest.raises(PatchError) as caught:
        load_patch(folder / "patches" / "mine.yaml", (folder,))
    assert str(caught.value) == said.rstrip("\n")


def test_a_patch_that_listens_names_its_track_or_the_live_input(folder):
    listens = HEAD + "mode: resynthesis\nphase: input\n"
    assert load(folder, listens + "input: live\n").track_path == ""
    (folder / "night.wav").touch()
    patch = load(folder, listens + "input: night.wav\nfollow: off\nplay: off\nloop: off\nlatents: {bow: {neuron: 1, scale: 1.5}}\n")
    assert (patch.track_path, patch.follow, patch.latents["bow"].scale) == (str(folder / "night.wav"), "off", 1.5)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mode: resynthesis", "input: is missing: in resynthesis it is `live`, the audio input, or a sound file such as `tracks/night.flac`"),
        ("mode: resynthesis\ninput: nigth.wav", "input: there is no nigth.wav in .; did you mean night.wav?"),
        (
            "mode: resynthesis\ninput: ../night.wav",
            "input: ../night.wav leaves the folder: put the track into the patch's folder and name it from there",
        ),
        ("phase: input", "phase: is for `mode: resynthesis` alone"),
        ("loop: off", "loop: is for `mode: resynthesis` alone"),
        ("input: live", "input: is for `mode: resynthesis` alone"),
        ("mode: resynthesis\ninput: live\nlatents: {bow: {neuron: 1, scale: 3}}", "latents.bow.scale: must be 0 to 2, not 3"),
    ],
)
def test_each_fault_of_one_that_listens_is_a_sentence(folder, text, sentence):
    (folder / "night.wav").touch()
    (said,) = faults(folder, HEAD + text + "\n")
    assert said.partition(": ")[2] == sentence


def test_a_patch_that_listens_needs_an_encoder():
    latents = (Latent(0.0, 0.5, 1.0),)
    metadata = Metadata("test", "frame", 44100, 4096, 1024, latents, 48, 72, (4,) * 12)
    patch = Patch("P", "violin.onnx", mode="resynthesis", input="live")
    (said,) = fit(patch, metadata)
    assert said.endswith("mode: violin.onnx has no encoder, so no sound can be played through it: `oscsynth train encoder` makes one")
    assert fit(patch, dataclasses.replace(metadata, encoder="violin.encoder.onnx")) == []


def test_instruments_are_given_by_name_or_with_weights(folder):
    assert load(folder, HEAD + "timbre: flute\n").timbre == {"flute": 1.0}
    patch = load(folder, HEAD + "timbre: {flute: 0.5, cello: 1}\ntransfer: 0.25\ntransfer_to: flute\nbrightness: 0.6\nspread: 1.5\n")
    assert patch.timbre == {"flute": 0.5, "cello": 1.0} and fit(patch, ORCHESTRA_METADATA) == []
    assert (patch.transfer, patch.transfer_to, patch.brightness, patch.spread) == (0.25, "flute", 0.6, 1.5)


def test_a_note_decoder_is_played_in_notes_unless_the_file_says_otherwise(folder):
    left_out, said = load(folder, HEAD), load(folder, HEAD + "mode: drone\n")
    assert left_out.suited_to("note").mode == "notes" and left_out.suited_to("frame").mode == "drone"
    assert said.suited_to("note").mode == "drone"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("timbre: flut\n", "p.yaml:3: timbre.flut: there is no instrument flut; did you mean flute?"),
        ("transfer_to: oboe\n", "p.yaml:3: transfer_to: there is no instrument oboe"),
        ("timbre: {flute: 0}\n", "p.yaml:3: timbre: must give at least one instrument some weight"),
    ],
)
def test_strange_instruments_are_refused(folder, text, sentence):
    assert fit(load(folder, HEAD + text), ORCHESTRA_METADATA) == [sentence]


@pytest.mark.parametrize("key", ["timbre: flute", "transfer: 0.5", "transfer_from: flute", "brightness: 0.6", "spread: 0.5"])
def test_instruments_need_a_decoder_that_knows_some(folder, key):
    [sentence] = fit(load(folder, HEAD + key + "\n"), METADATA)
    assert sentence.endswith("violin.onnx knows no instruments, as only decoders of kind note do: leave it out")
