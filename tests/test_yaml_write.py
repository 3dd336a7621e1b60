"""What the program writes into a file that a person wrote: it means what it shall, and nothing else has moved."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscsynth.yaml_file import parse_yaml
from oscsynth.yaml_write import rewritten, save_yaml

SET_LIST = """\
# Friday, in the church

scenes:
  # before the lights go down
  - name: "Opening"   # slow
    note: 'wait for the lights'
    parts:
      1:
        patch: Violin
        latent/bow: 0.50   # not more
        # the quiet one
        gain: -6

  - name: Storm
    parts: {1: {patch: Nave, gain: -3}, 2: {patch: Quartz}}
# that is all
"""


def data():
    return parse_yaml(SET_LIST).data


def test_nothing_new_is_nothing_written():
    assert rewritten(SET_LIST, data()) == SET_LIST


def test_a_number_that_is_the_same_stays_as_it_was_written():
    new = data()
    new["scenes"][0]["parts"]["1"]["latent/bow"] = 0.5
    assert rewritten(SET_LIST, new) == SET_LIST


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (lambda new: new["scenes"][0]["parts"]["1"].update({"latent/bow": 0.7}), "latent/bow: 0.50   # not", "latent/bow: 0.7   # not"),
        (lambda new: new["scenes"][0].update(note="go: now"), "note: 'wait for the lights'", 'note: "go: now"'),
        (lambda new: new["scenes"][0]["parts"]["1"].update(pan=0.25), "        gain: -6\n", "        gain: -6\n        pan: 0.25\n"),
        (lambda new: new["scenes"][0]["parts"]["1"].pop("gain"), "        gain: -6\n", ""),
        (lambda new: new["scenes"][0]["parts"]["1"].pop("latent/bow"), "        latent/bow: 0.50   # not more\n", ""),
        (lambda new: new["scenes"][1]["parts"]["1"].pop("gain"), "Nave, gain: -3}", "Nave}"),
        (lambda new: new["scenes"][1]["parts"]["1"].pop("patch"), "{patch: Nave, gain: -3}", "{gain: -3}"),
        (lambda new: new["scenes"][1]["parts"].update({"3": {"patch": "Undertow"}}), "Quartz}}", "Quartz}, 3: {patch: Undertow}}"),
        (lambda new: new["scenes"][0].update(fade_seconds=2.0), "gain: -6\n", "gain: -6\n    fade_seconds: 2\n"),
        (lambda new: new.update(comment="x"), "Quartz}}\n", "Quartz}}\ncomment: x\n"),
        (
            lambda new: new["scenes"].append({"name": "End", "parts": {1: {"patch": "Violin", "gate": 1}}}),
            "{patch: Quartz}}\n",
            "{patch: Quartz}}\n  - name: End\n    parts:\n      1: {patch: Violin, gate: 1}\n",
        ),
    ],
)
def test_one_change_is_one_place(change, before, after):
    new = data()
    change(new)
    assert SET_LIST.count(before) == 1 and rewritten(SET_LIST, new) == SET_LIST.replace(before, after)


FIRST = ["", "# only a comment\n", "# only a comment", "scenes: []\n", "scenes:\n", "scenes: # none yet\n", "scenes: [] # none\n"]


@pytest.mark.parametrize("text", FIRST)
def test_a_first_entry(text):
    new = {"scenes": [{"name": "A", "parts": {"1": {"patch": "Violin"}}}]}
    written = rewritten(text, new)
    assert written.count("#") == text.count("#") and parse_yaml(written).data == new


def test_windows_line_ends_stay():
    text = SET_LIST.replace("\n", "\r\n")
    new = data()
    new["scenes"][0]["parts"]["1"]["latent/bow"] = 0.7
    assert rewritten(text, new) == text.replace("0.50", "0.7")


# ---- any file


PLAIN = st.text("abcÄ0 1.:#-{}[],'\"?&*!|>%@`\\\t~/", max_size=8) | st.sampled_from(["null", "~", "on", "7:30", "- x", "---", "1e3", "", " x "])
KEYS = st.text("abcd/1 #:", min_size=1, max_size=4)
VALUES = st.recursive(
    PLAIN | st.integers(-99, 99) | st.floats(-1e6, 1e6, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
DATA = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def as_text(value):
    """Return what reading gives for a value."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def with_comments(text):
    """Return a text with a comment above each line, which stands in no other place."""
    return "".join(f"# {n} above\n{line}\n" for n, line in enumerate(text.splitlines()))


@given(DATA)
def test_what_is_written_is_what_is_read(new):
    assert parse_yaml(rewritten("", new)).data == as_text(new)


@given(DATA, DATA)
def test_any_file_becomes_any_other(old, new):
    assert parse_yaml(rewritten(rewritten("", old), new)).data == as_text(new)


@given(DATA, KEYS, VALUES)
def test_comments_above_what_stays_stay(old, key, value):
    text = with_comments(rewritten("", old))
    new = rewritten(text, {**parse_yaml(text).data, key: value})
    if key not in old:
        assert all(line in new for line in text.splitlines())
    assert new.startswith("# 0 above\n")


# ---- files


def test_a_file_is_replaced_whole_with_its_rights_and_through_a_link(tmp_path):
    file, link = tmp_path / "real.yaml", tmp_path / "setlist.yaml"
    file.write_text("a: 1 # one\n")
    file.chmod(0o600)
    link.symlink_to(file)
    save_yaml(link, {"a": 2})
    assert file.read_text() == "a: 2 # one\n" and link.is_symlink() and file.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["real.yaml", "setlist.yaml"]


def test_a_new_file_has_its_head(tmp_path):
    save_yaml(tmp_path / "deep" / "new.yaml", {"a": 1}, "# mine\n")
    assert (tmp_path / "deep" / "new.yaml").read_text() == "# mine\na: 1\n"


def test_what_cannot_be_written_leaves_the_old(tmp_path, monkeypatch):
    file = tmp_path / "a.yaml"
    file.write_text("a: 1\n")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_yaml(file, {"a": 2})
    assert file.read_text() == "a: 1\n" and os.listdir(tmp_path) == ["a.yaml"]
