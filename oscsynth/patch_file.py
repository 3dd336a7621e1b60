"""A YAML file becomes a `Patch`, or a message with everything that is wrong with it.

Any thread but audio's, any process but the engine's. Sentences are made from the annotations of `patch`: a bound that is changed there is
changed here and in docs/patches.md. pydantic is imported when the first patch is read.
"""

from __future__ import annotations

import functools
import math
import os
import typing
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from .errors import PatchError, shown
from .metadata import ENCODER_SUFFIX
from .patch import LIVE, TRACKS, Control, Name, Patch
from .patch_faults import Fault, fault_at, fault_line, nearest
from .patch_schema import bare, doc, keys, takes
from .units import PITCH_CLASSES, pitch_class_index
from .yaml_file import Location, read_yaml

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# OSC gives these a meaning inside an address.
_RESERVED = " #*,/?[]{}"
_RESERVED_POINTS = ("name", "seconds")


def load_patch(path: Path, folders: Sequence[Path] = ()) -> Patch:
    """Read and check one patch.

    Parameters
    ----------
    path : Path
        The file.
    folders : sequence of Path
        Where decoders may lie besides the file's own folder: the user's and the factory's.

    Raises
    ------
    PatchError
        With every fault, a line each, as ``patches/violin.yaml:7: latents.bow.slew_ms: must be 0 to 10000, not -5``.
    """
    document = read_yaml(path)
    if document.faults and not document.data:
        raise PatchError("\n".join(fault_line(path, line, sentence) for line, sentence in document.faults))
    data, faults = _without_hidden(document.data)
    data, more = _with_weights(data)
    faults += more
    if isinstance(data.get("timbre"), str) and data["timbre"]:
        data = {**data, "timbre": {data["timbre"]: 1.0}}
    decoder, more = _find(("decoder",), data.get("decoder"), (path.parent, *folders), (".onnx",))
    faults += more
    track, more = _find(("input",), "" if data.get("input") == LIVE else data.get("input"), (path.parent, *folders), TRACKS)
    faults += more
    patch, more = _validate(data)
    faults += more + _cross_checks(data)
    said = [(document.line(fault.location), fault_at(fault.location, fault.sentence)) for fault in faults] + document.faults
    if patch is None or said:
        raise PatchError("\n".join(fault_line(path, line, sentence) for line, sentence in sorted(dict.fromkeys(said))))
    patch = replace(patch, decoder_path=decoder, track_path=track, path=str(path))
    return replace(patch, xy=patch.xy or tuple(patch.latents)[:2], has_mode="mode" in data)


def _without_hidden(data: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    hidden = [key for key in data if key in (f.name for f in fields(Patch)) and key not in keys(Patch)]
    return {key: value for key, value in data.items() if key not in hidden}, [Fault((key,), _unknown(key, keys(Patch))) for key in hidden]


def _with_weights(data: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """Turn a note name, or notes with weights, into twelve weights with a sum of 1."""
    if "chroma" not in data:
        return data, []
    given, weights = data["chroma"], [0.0] * 12
    try:
        if isinstance(given, str):
            given = {given: 1}
        if isinstance(given, dict):
            for name, weight in given.items():
                weights[pitch_class_index(name)] += float(weight)
        else:
            weights = [float(weight) for weight in given]
    except (TypeError, ValueError) as error:
        sentence = str(error) if "note name" in str(error) else _must("chroma", given)
        return {key: value for key, value in data.items() if key != "chroma"}, [Fault(("chroma",), sentence)]
    if len(weights) != len(PITCH_CLASSES) or not all(0 <= weight < 1e9 for weight in weights) or not sum(weights) > 0:
        wrong = f"{len(weights)} values" if len(weights) != len(PITCH_CLASSES) else "weights below 0, none above 0, or not finite"
        sentence = f"must be {takes(keys(Patch)['chroma'])}, not {wrong}"
        return {key: value for key, value in data.items() if key != "chroma"}, [Fault(("chroma",), sentence)]
    return {**data, "chroma": tuple(weight / math.fsum(weights) for weight in weights)}, []


def _find(location: Location, given: object, folders: Iterable[Path], suffixes: Sequence[str]) -> tuple[str, list[Fault]]:
    """Return the file that a key names, in the patch's own folder or the others."""
    if not isinstance(given, str) or not given:
        return "", []  # said by the general check
    # A patch from another system is read too: both slashes part folders, and a drive is none of ours.
    named = PureWindowsPath(given)
    inside = PurePosixPath(os.path.normpath(named.as_posix()).replace(os.sep, "/"))
    if named.drive or named.root or inside.parts[:1] == ("..",):
        return "", [Fault(location, f"{given} leaves the folder: put the {_what(location)} into the patch's folder and name it from there")]
    looked = list(dict.fromkeys(Path(os.path.abspath(folder)) for folder in folders))
    for folder in looked:
        if os.path.isfile(folder / inside):
            return str(folder / inside), []
    found = {file.relative_to(folder).as_posix() for folder in looked for depth in ("*", "*/*") for file in folder.glob(depth)}
    there = sorted(name for name in found if name.lower().endswith(tuple(suffixes)) and not name.endswith(ENCODER_SUFFIX))
    sentence = f"there is no {inside} in {' or '.join(shown(folder) or '.' for folder in looked)}"
    return "", [Fault(location, sentence + nearest(str(inside), there))]


def _what(location: Location) -> str:
    return "decoder" if location == ("decoder",) else "track"


def _cross_checks(data: dict[str, Any]) -> list[Fault]:
    """Find what no single key shows: names that cannot be addresses, axes without latents, neurons with two faders."""
    latents = data["latents"] if isinstance(data.get("latents"), dict) else {}
    points = data["points"] if isinstance(data.get("points"), dict) else {}
    faults = [
        Fault((kind, name), f"a name that is part of an OSC address cannot hold spaces or any of {_RESERVED[1:]}")
        for kind, names in (("latents", latents), ("points", points))
        for name in names
        if any(character in _RESERVED or not character.isprintable() for character in name)
    ]
    faults += [Fault(("latents", name), "a name cannot be a number: /latent/1 is the first neuron") for name in latents if name.isdigit()]
    faults += [Fault(("points", name), f"/point/{name} has a meaning of its own: use another name") for name in points if name in _RESERVED_POINTS]
    if isinstance(data.get("name"), str) and not data["name"].isprintable():
        faults.append(Fault(("name",), "must be one line of printable text"))
    axes = data.get("xy")
    if isinstance(axes, list) and all(isinstance(axis, str) for axis in axes):
        if len(axes) not in (0, 2):
            faults.append(Fault(("xy",), f"must be two names from latents, not {len(axes)}"))
        unknown = [(index, axis) for index, axis in enumerate(axes) if axis not in latents]
        faults += [Fault(("xy", index), f"there is no latent {axis}{nearest(axis, latents)}") for index, axis in unknown]
    return faults + _strange_latents(data, latents) + _shared_neurons(latents) + _strange_input(data)


def _strange_input(data: dict[str, Any]) -> list[Fault]:
    """Find what only resynthesis knows where there is none, and resynthesis of nothing."""
    if data.get("mode") == "resynthesis":
        given = data.get("input")
        return [] if given else [Fault(("input",), f"is missing: in resynthesis it is {takes(keys(Patch)['input'])}")]
    alone = [key for key in ("input", "follow", "play", "loop") if key in data] + ["phase"] * (data.get("phase") == "input")
    return [Fault((key,), "is for `mode: resynthesis` alone") for key in alone]


def _strange_latents(data: dict[str, Any], latents: dict[str, Any]) -> list[Fault]:
    """Find what a stroke or pressure is to move and is not there."""
    faults = []
    for key in ("velocity", "pressure"):
        given = data.get(key)
        amounts = given.get("latents") if isinstance(given, dict) else None
        unknown = [name for name in amounts if name not in latents] if isinstance(amounts, dict) else []
        faults += [Fault((key, "latents", name), f"there is no latent {name}{nearest(name, latents)}") for name in unknown]
    return faults


def _shared_neurons(latents: dict[str, Any]) -> list[Fault]:
    faults, owners = [], dict[str, str]()
    for name, latent in latents.items():
        neuron = latent.get("neuron") if isinstance(latent, dict) else None
        if isinstance(neuron, str) and owners.setdefault(neuron, name) != name:
            faults.append(Fault(("latents", name, "neuron"), f"neuron {neuron} is already moved by latents.{owners[neuron]}"))
    return faults


@functools.cache
def _adapter() -> TypeAdapter[Patch]:
    from pydantic import TypeAdapter  # heavy: only where patches are read

    return TypeAdapter(Patch)


def _validate(data: dict[str, Any]) -> tuple[Patch | None, list[Fault]]:
    from pydantic import ValidationError

    try:
        return _adapter().validate_python(data), []
    except ValidationError as error:
        return None, list(dict.fromkeys(_fault(list(found["loc"]), found["type"], data) for found in error.errors()))


def _fault(steps: list[str | int], kind: str, data: Any) -> Fault:
    """Turn one of pydantic's errors into a sentence, by following its steps through the types and the data."""
    annotation: Any = Patch
    if steps[-1] == "[key]":
        wanted = f"a control must be {takes(Control)}" if "control_changes" in steps else f"a name must be {takes(Name)}"
        return Fault(tuple(steps[:-2]), f"{wanted}, not {_show(steps[-2])}")
    value, location = data, list[str | int]()
    for step in steps:
        cls: Any = bare(annotation)
        if is_dataclass(cls):
            known, annotation = keys(bare(annotation)), keys(bare(annotation)).get(str(step))
            if annotation is None:
                return Fault((*location, step), _unknown(str(step), known))
            if kind == "missing" and step == steps[-1]:
                said = doc(annotation)
                return Fault((*location, step), f"is missing: {said.text if said else takes(annotation)}")
        elif typing.get_origin(cls) in (dict, tuple) and not (kind == "missing" and step == steps[-1]):
            annotation = typing.get_args(cls)[1 if typing.get_origin(cls) is dict else 0]
        else:
            break  # pydantic's name for one branch of a union
        location.append(step)
        value = value[step]
    branches = typing.get_args(bare(annotation)) if doc(annotation) and not _is_words(value) else ()
    wanted = next((takes(branch) for branch in branches if bare(branch) in (int, float)), takes(annotation))
    return Fault(tuple(location), f"must be {wanted}, not {_show(value)}")


def _is_words(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return True
    return False


def _must(key: str, value: object) -> str:
    return f"must be {takes(keys(Patch)[key])}, not {_show(value)}"


def _unknown(key: str, known: Iterable[str]) -> str:
    return "unknown key" + (nearest(key, known) or f"; there are {', '.join(known)}")


def _show(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'a mapping'} of {len(value)}"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
