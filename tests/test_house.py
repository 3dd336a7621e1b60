"""Imports go downward only: the table of the house, held against the syntax trees."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUND = {"errors", "units", "metadata", "parameters", "patch", "scene", "link", "schedule"}
FILES = {"yaml_file", "patch_schema", "patch_faults", "patch_file", "patch_fit", "library"}

# What each part of the house may import from the rest of it; what is not named here may not be there.
HOUSE: dict[str, set[str]] = {
    "errors": set(),
    "units": set(),
    "patch": set(),
    "scene": set(),
    "metadata": {"errors"},
    "parameters": {"units"},
    "link": {"parameters", "patch"},
    "schedule": set(),
    "real_time": set(),
    "tap": set(),
    "analysis": {"real_time", "tap"},
    "recorder": {"errors", "audio", "real_time", "tap"},
    "studio": {"control", "tap"},
    "timed_state": {"link", "parameters", "schedule"},
    "yaml_file": set(),
    "yaml_write": {"yaml_file"},
    "patch_schema": {"patch"},
    "patch_faults": {"errors", "yaml_file"},
    "patch_file": {"errors", "units", "metadata", "patch", "patch_faults", "patch_schema", "yaml_file"},
    "patch_fit": {"metadata", "parameters", "patch", "patch_faults", "yaml_file"},
    "library": {"errors", "metadata", "patch", "patch_file"},
    "probe": {"", "errors", "metadata", "library", "real_time", "sound"},  # sound only in the process of its own
    "check": {"errors", "metadata", "patch", "patch_faults", "patch_file", "patch_fit", "yaml_file", "library", "probe", "setlist", "control"},
    "audio": {"errors", "units"},
    "sound": {"errors", "units", "metadata", "parameters", "patch", "link"},
    "control": {"", "lan", "analysis", "tap", *GROUND},
    "client": {"errors"},
    "monitor": {"errors", "units", "parameters", "client"},
    "keys": {"errors", "units", "parameters", "client"},
    "options": set(),
    "screen": {"", "errors", "units", "parameters", "link", "keys", "lan", "qr", "options"},
    "renderer": {"link", "real_time", "timed_state", "tap", "audio", "sound"},
    "tracks": {"errors", "patch", "sound"},
    "loader": {"errors", "link", "renderer", "sound", "tracks"},
    "engine_input": {"errors", "patch", "audio", "sound", "tracks"},
    "engine_watch": {"errors", "link", "real_time", "audio", "renderer", "engine_input"},
    "engine_process": {"errors", "link", "real_time", "tap", "audio", "sound", "renderer", "loader", "engine_input", "engine_watch"},
    "folder_watch": set(),
    "librarian": {"errors", "check", "folder_watch", "patch", "patch_fit", "library", "probe", "control", "setlist", "scene"},
    "session": {"errors"},
    "keeper": {"control", "session"},
    "setlist": {"control", "errors", "parameters", "patch_faults", "scene", "units", "yaml_file", "yaml_write"},
    "lan": set(),
    "qr": set(),
    "layouts": {"errors", "units"},
    "atlas": {"", "real_time", "control", "sound"},  # sound only in the process of its own
    "doors": {*GROUND, "atlas", "tap", "control"},
    "midi_systems": {"errors", "audio"},
    "midi_ports": {"audio", "midi_systems"},
    "midi_door": {"errors", "patch", "library", "yaml_file", "yaml_write", "control", "midi_ports", "midi_systems"},
    "news": {"control", "parameters"},
    "control_process": {
        *GROUND,
        "news",
        "options",
        "midi_door",
        "analysis",
        "library",
        "librarian",
        "doors",
        "control",
        "lan",
        "keeper",
        "session",
        "real_time",
        "tap",
        "studio",
    },
    "choices": set(),
    "child": {"tap"},
    "recording_child": {"child", "tap"},
    "daemon": {"errors", "link", "tap", "audio", "screen", "choices", "child", "recording_child", "options"},
    "score": {"errors", "client", "control"},
    "render": {"", *GROUND, *FILES, "score", "setlist", "audio", "control", "sound", "tracks"},
    "tour": {"client", "score"},
    "demo": {"client", "daemon", "errors", "options", "render", "score", "screen", "tour"},
    "doctor": {"", "audio", "choices", "client", "errors", "lan", "library", "midi_systems", "real_time", "session"},
    "tables": {"errors", "control"},
    "training_door": {"errors", "training"},
    "__main__": {"", "errors", "audio", "check", "choices", "tables", "training_door"}
    | {"client", "doctor", "daemon", "demo", "options", "midi_systems", "lan", "layouts", "library", "monitor", "render"},
    "": set(),  # __init__
    "training": {"metadata", "errors", "units", "patch", "patch_file", "library", "sound"},  # sound: what is measured is what is heard
}

# What the islands may not know of the world outside.
STRANGERS: dict[str, set[str]] = {
    "control": {"numpy", "onnxruntime", "soundfile", "pyaudio", "sounddevice", "yaml"},
    "sound": {"yaml", "socket", "asyncio", "time", "pydantic", "pythonosc", "pyaudio", "sounddevice", "soundfile", "typer", "rich"},
    "audio": {"yaml", "asyncio", "pydantic", "onnxruntime", "pythonosc", "typer", "rich"},
    "daemon": {"numpy", "onnxruntime", "yaml", "pydantic"},
    "child": {"numpy", "onnxruntime", "yaml", "pydantic"},
    "recording_child": {"numpy", "onnxruntime", "yaml", "pydantic"},
}
LAZY = {
    "pydantic",
    "onnxruntime",
    "platformdirs",
    "watchfiles",
    "aiohttp",
    "zeroconf",
    "ifaddr",
    "py2tosc",
    "segno",
}  # and numpy, outside of sound and audio: only inside functions


@dataclass(frozen=True)
class Import:
    """One imported module, absolute; ``lazy`` when it stands inside a function."""

    by: str
    module: str
    lazy: bool

    @property
    def layer(self) -> str:
        return layer(self.by)


def layer(module: str) -> str:
    """Return the part of the house that a module is in: ``oscsynth.control.osc`` is in ``control``, ``training.models`` in ``training``."""
    first, _, rest = module.partition(".")
    return "training" if first == "training" else rest.partition(".")[0]


def modules() -> dict[str, Path]:
    found = {}
    for package in ("oscsynth", "training"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert len(found) > 20
    return found


MODULES = modules()


def imports(name: str) -> Iterator[Import]:
    """Give what a module imports while it runs, so not under TYPE_CHECKING."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (above, node.module)))
            # `from . import daemon` names a module, `from .errors import OscsynthError` a thing in one.
            yield from (Import(name, f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base, lazy) for alias in node.names)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, lazy or inside)

    yield from visit(ast.parse(path.read_text("utf-8")), False)


IMPORTS = [found for name in MODULES for found in imports(name)]


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("oscsynth", "training")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_below(name):
    assert layer(name) in HOUSE, f"{name} has no place in the house: give it a row in the table above and in oscsynth/__init__.py"
    allowed = HOUSE[layer(name)] | {layer(name)}
    wrong = {found.module for found in imports(name) if is_ours(found.module) and layer(found.module) not in allowed}
    assert not wrong, f"{name} may not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("part", STRANGERS)
def test_an_island_knows_nothing_of(part):
    wrong = {(found.by, found.module) for found in IMPORTS if found.layer == part and found.module.partition(".")[0] in STRANGERS[part]}
    assert not wrong


NUMPY = {"sound", "audio", "training", "engine_process", "renderer", "timed_state", "recorder", "render", "tracks"}  # what knows arrays all through


def test_what_is_slow_to_import_is_imported_inside_functions():
    wrong = []
    for found in IMPORTS:
        first = found.module.partition(".")[0]
        if not found.lazy and first in LAZY | {"numpy"} and not (first == "numpy" and found.layer in NUMPY):
            wrong.append((found.by, found.module))
    assert not wrong


def test_training_names_its_own_modules_relatively():
    wrong = [
        f"{name}: {ast.unparse(node)}"
        for name in MODULES
        for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] == "training")
        or (isinstance(node, ast.Import) and any(alias.name.partition(".")[0] == "training" for alias in node.names))
    ]
    assert not wrong, "in a wheel the package is oscsynth.training"


def test_there_are_no_cycles():
    below = {name: {found.module for found in imports(name) if found.module in MODULES and not found.lazy} - {name} for name in MODULES}
    done: set[str] = set()

    def follow(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for other in sorted(below[name]):
                # A package's own modules may import the package that they are in, which is not yet whole then.
                follow(other, (*way, name))
            done.add(name)

    for name in sorted(MODULES):
        follow(name, ())


def test_every_part_of_the_house_is_on_its_map():
    import oscsynth

    assert oscsynth.__doc__ is not None
    missing = {layer(name) for name in MODULES} - {"", "training"} - set(re.findall(r"\w+", oscsynth.__doc__))
    assert not missing


def loaded(code: str) -> set[str]:
    """Return the outermost names of what is loaded after running some code in a Python of its own."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.partition(".")[0] for name in run.stdout.split()}


HEAVY = {
    "numpy",
    "onnxruntime",
    "pydantic",
    "yaml",
    "rich",
    "typer",
    "platformdirs",
    "watchfiles",
    "pythonosc",
    "soundfile",
    "aiohttp",
    "zeroconf",
    "py2tosc",
}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import oscsynth", set()),
        ("import oscsynth.daemon", set()),
        ("import oscsynth.patch, oscsynth.link, oscsynth.metadata", set()),
        ("import oscsynth.library, oscsynth.probe, oscsynth.check", {"yaml"}),
        ("import oscsynth.control.instrument, oscsynth.control.addresses", set()),
        ("import oscsynth.__main__", {"typer", "rich"}),
    ],
)
def test_what_an_import_brings_in(code, allowed):
    assert loaded(code) & HEAVY <= allowed
