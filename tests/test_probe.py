"""Decoders checked in a process of their own, and remembered."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from oscsynth.probe import Report, probe_decoders

from .decoders import BROKEN, tiny_decoder

SENTENCES = {
    "missing": "there is no such file",
    "not_onnx": "it is no ONNX file, or only a part of one",
    "empty": "it is no ONNX file, or only a part of one",
    "truncated": "it is no ONNX file, or only a part of one",
    "too_large": "at most 134217728 (128 MiB) are allowed",
    "external_data": "it keeps its weights in another file",
    "custom_operator": "it uses operators of its own (custom operators)",
    "wrong_shape": "magnitude has the shape ['voices', 1025]",
    "wrong_latents": "latent has the shape ['voices', 2]",
    "wrong_type": "magnitude is of type tensor(double)",
    "wrong_names": "its graph gives sound",
    "nan_producing": "it gives NaN",
    "infinite": "it gives infinity",
    "negative": "it gives negative magnitudes",
    "all_zero": "it gives silence",
    "no_metadata": "it has no 'oscsynth' metadata",
    "bad_metadata": "Invalid JSON",
    "unfit_metadata": "sample_rate_hz",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def probe(*paths: Path, seconds: float = 20.0) -> list[Report]:
    return list(probe_decoders(paths, cache=Path("cache") / "decoders.json", check_seconds=seconds))


@pytest.fixture
def crashing(monkeypatch):
    """Let the checking process die, or never answer, on files of these names: what a hostile file can do to a library in C."""
    code = (
        "import os, time, oscsynth.probe as p; real = p._check\n"
        "def check(path):\n"
        "    if path.stem == 'crash': os.abort()\n"
        "    if path.stem == 'hang': time.sleep(60)\n"
        "    return real(path)\n"
        "p._check = check; p.main()"
    )
    monkeypatch.setattr("oscsynth.probe.COMMAND", code)


def test_each_broken_kind_is_named_and_the_good_one_goes_on(folder):
    assert set(SENTENCES) == set(BROKEN)
    paths = {name: build(folder / f"{name}.onnx") for name, build in BROKEN.items()}
    good = tiny_decoder(folder / "good.onnx", registers=(3, 4))
    reports = {report.path: report for report in probe(*paths.values(), good)}
    assert reports[good].error == "" and reports[good].metadata.registers == (3, 4)
    for name, path in paths.items():
        assert reports[path].metadata is None
        assert reports[path].error.startswith(f"{name}.onnx: ") and SENTENCES[name] in reports[path].error


def test_a_second_time_is_from_memory(folder):
    good, bad = tiny_decoder(folder / "good.onnx"), BROKEN["nan_producing"](folder / "bad.onnx")
    first = probe(good, bad)
    begun = time.perf_counter()
    assert probe(good, bad) == first
    assert time.perf_counter() - begun < 0.15  # starting a process and ONNX Runtime takes longer


def test_a_file_that_has_changed_is_checked_again(folder):
    path = tiny_decoder(folder / "d.onnx")
    assert probe(path)[0].metadata
    BROKEN["nan_producing"](path)
    assert "it gives NaN" in probe(path)[0].error


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"PATH": 3}', '{"PATH": {"version": VERSION, "metadata": "{}"}}', "[" * 100_000])
def test_a_cache_that_makes_no_sense_is_written_anew(folder, text):
    from oscsynth.probe import _version

    path, cache = tiny_decoder(folder / "d.onnx"), folder / "cache" / "decoders.json"
    cache.parent.mkdir()
    version = str(_version(path)).replace("'", '"')
    cache.write_text(text.replace("PATH", str(path)).replace("VERSION", version))
    assert probe(path)[0].metadata
    assert str(path) in cache.read_text()
    assert os.listdir(cache.parent) == ["decoders.json"]


def test_a_cache_that_cannot_be_written_only_costs_time(folder):
    (folder / "cache").touch()
    assert probe(tiny_decoder(folder / "d.onnx"))[0].metadata


def test_a_file_that_takes_the_process_down_is_named_and_the_rest_goes_on(folder, crashing):
    paths = [tiny_decoder(folder / f"{name}.onnx") for name in ("a", "crash", "b")]
    a, crash, b = probe(*paths)
    assert a.metadata and b.metadata
    assert crash.error == "crash.onnx: is not a decoder: checking it ended the checking process (exit code -6)"


def test_a_file_that_never_ends_is_named_and_the_rest_goes_on(folder, crashing):
    paths = [tiny_decoder(folder / f"{name}.onnx") for name in ("hang", "b")]
    hang, b = probe(*paths, seconds=1.0)
    assert b.metadata
    assert hang.error == "hang.onnx: is not a decoder: checking it did not end within 1 s"


def test_a_crash_is_not_remembered(folder, crashing, monkeypatch):
    path = tiny_decoder(folder / "crash.onnx")
    assert probe(path)[0].error
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert probe(path)[0].metadata


def test_no_decoders_start_no_process(folder):
    begun = time.perf_counter()
    assert probe() == []
    assert time.perf_counter() - begun < 0.1
