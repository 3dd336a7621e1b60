"""setlist.yaml, the scenes of a show: read with every fault in one message, and written with the performer's comments kept.

Control process, or any without sound; imports ``control`` for the table of addresses, since what a scene holds is what could be sent.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .control.actions import CLASSES
from .control.addresses import PART_ROWS
from .control.row import Refused, Row
from .errors import OscsynthError
from .parameters import MAX_LATENTS, MAX_PARTS, PART
from .patch_faults import fault_at, fault_line
from .scene import MAX_FADE_SECONDS, Arguments, PartScene, Scene
from .units import pitch_class_index
from .yaml_file import Location, read_yaml
from .yaml_write import save_yaml

HEAD = """\
# The scenes of a show, in their order. A scene holds patches, and beside each what could be sent to its part
# (docs/scenes.md); /oscsynth/scene/store NAME adds one. Comments are kept.
"""
_KEYS = ("name", "note", "fade_seconds", "parts")
_GATES = {"open": "1", "closed": "0"}  # as patches say it
_NO_PART_OF_IT = ("patch", "patch/index")


class SetListError(OscsynthError):
    """A set list has faults; the message holds every one, a line each."""


@dataclass(frozen=True, slots=True)
class _Fault:
    location: Location
    sentence: str


def load_set_list(path: Path) -> list[Scene]:
    """Read the scenes of a file, none if it is not there.

    Raises
    ------
    SetListError
        With every fault, a line each, as ``setlist.yaml:7: scenes.2.parts.1.gain: must be -72 to 12 dB, not 50``.
    """
    return _load(path)[0]


def missing_patches(path: Path, patches: Iterable[str]) -> list[str]:
    """Return a sentence for each place in a file without faults that names a patch that there is not."""
    scenes, lines = _load(path)
    names = list(patches)
    sentences = []
    for index, scene in enumerate(scenes):
        for number, part in scene.parts.items():
            if part.patch not in names:
                place: Location = ("scenes", index, "parts", str(number), "patch")
                sentence = f"there is no patch {part.patch}{_nearest(part.patch, names)}"
                sentences.append(fault_line(path, lines.get(place, 0), fault_at(place, sentence)))
    return sentences


def _load(path: Path) -> tuple[list[Scene], dict[Location, int]]:
    if not path.exists():
        return [], {}
    document = read_yaml(path)
    if not document.data and [line for line, _ in document.faults] == [0] and "it is empty" in document.faults[0][1]:
        return [], {}  # nothing but comments
    scenes: list[Scene] = []
    faults = list(_read(document.data, scenes))
    said = [(document.line(fault.location), fault_at(fault.location, fault.sentence)) for fault in faults]
    said = document.faults if document.faults and not document.data else said + document.faults
    if said:
        raise SetListError("\n".join(fault_line(path, line, sentence) for line, sentence in sorted(dict.fromkeys(said))))
    return scenes, document.lines


# ---- reading: each function gives the faults, and fills what it is given


def _read(data: Mapping[str, Any], scenes: list[Scene]) -> Iterator[_Fault]:
    yield from _unknown((), data, ("scenes", "comment"))
    items = data.get("scenes")
    if items is None:
        return
    if not isinstance(items, list):
        yield _Fault(("scenes",), "must be a list, each entry beginning with `- name:`")
        return
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        place: Location = ("scenes", index)
        if not isinstance(item, dict):
            yield _Fault(place, "must be a scene with a name and parts")
            continue
        scene = yield from _read_scene(place, item)
        if (other := first.setdefault(scene.name, index)) != index and scene.name:
            yield _Fault((*place, "name"), f"{scene.name} is the name of scene {other + 1} already: give one of them another")
        scenes.append(scene)


def _read_scene(place: Location, item: dict[str, Any]) -> Any:
    yield from _unknown(place, item, _KEYS)
    name, note = item.get("name"), item.get("note")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        yield _Fault((*place, "name") if "name" in item else place, "needs a name, one line of printable text")
    if not isinstance(note, str | None):
        yield _Fault((*place, "note"), "must be a text")
    seconds = _number(item.get("fade_seconds", "0"))
    if seconds is None or not 0 <= seconds <= MAX_FADE_SECONDS:
        yield _Fault((*place, "fade_seconds"), f"must be 0 to {MAX_FADE_SECONDS:g}, not {item['fade_seconds']}")
    parts: dict[int, PartScene] = {}
    given = item.get("parts")
    if not isinstance(given, dict) or not given:
        yield _Fault((*place, "parts") if "parts" in item else place, "needs parts, such as `parts: {1: {patch: Violin}}`")
        given = {}
    for number, part in given.items():
        yield from _read_part((*place, "parts", number), number, part, parts)
    return Scene(str(name or ""), parts, str(note or ""), seconds or 0.0)


def _read_part(place: Location, number: str, part: Any, parts: dict[int, PartScene]) -> Iterator[_Fault]:
    if not number.isdecimal() or not 1 <= int(number) <= MAX_PARTS:
        yield _Fault(place, f"a part is a number from 1 to {MAX_PARTS}, not {number}")
        return
    if not isinstance(part, dict) or not isinstance(part.get("patch"), str) or not part["patch"]:
        yield _Fault(place, "needs a patch, such as `patch: Violin`")
        return
    values: dict[str, Arguments] = {}
    for address, value in part.items():
        if address != "patch":
            try:
                values |= _read_value(address, value)
            except Refused as refused:
                yield _Fault((*place, address), str(refused))
    parts[int(number)] = PartScene(part["patch"], values)


def _read_value(address: str, value: Any) -> dict[str, Arguments]:
    if address == "gate" and isinstance(value, str):
        value = _GATES.get(value, value)
    if address == "chroma" and isinstance(value, str):  # as patches say it
        address = "chroma/name"
    row = _row(address)
    items = value if isinstance(value, list) else [value]
    if any(not isinstance(item, str) for item in items):
        raise Refused(f"must be {row.takes}")
    numbers = [item if row.types[:1] == "s" else _number(item) for item in items]
    if None in numbers:
        raise Refused(f"must be {row.takes}, not {items[numbers.index(None)] or 'nothing'}")
    if row.path == "chroma/name":
        _check_note(items[0])
    arguments = row.coerce([number for number in numbers if number is not None])
    if row.parameter is not None:
        for number in arguments:
            if not row.parameter.minimum <= number <= row.parameter.maximum:
                raise Refused(f"must be {row.range}, not {number:g}")
    return {address: tuple(arguments)}


def _check_note(name: str) -> None:
    try:
        pitch_class_index(name)
    except ValueError as error:
        raise Refused(str(error)) from error


def _row(address: str) -> Row:
    rows = [row for row in PART_ROWS if row.write is not None and row.path not in _NO_PART_OF_IT and not row.path.startswith("midi/")]
    for row in rows:
        before, braces, after = row.path.partition("{}")
        if not braces and row.path == address:
            return row
        label = address[len(before) : len(address) - len(after)]
        if braces and label and address == before + label + after and "/" not in label and _may_be(row, label):
            return row
    known = [row.path.replace("{}", "1" if row.placeholder == "K" else row.placeholder) for row in rows]
    raise Refused(f"is no value of a part{_nearest(address, known) or '; docs/osc.md lists them'}")


def _may_be(row: Row, label: str) -> bool:
    if row.placeholder == "C":
        return label in CLASSES
    return not label.isdecimal() or 1 <= int(label) <= MAX_LATENTS


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _unknown(place: Location, item: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[_Fault]:
    for key in item:
        if key not in known:
            yield _Fault((*place, key), "unknown key" + (_nearest(key, known) or f"; there are {', '.join(known)}"))


def _nearest(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(words), 1, 0.6)
    return f"; did you mean {close[0]}?" if close else ""


# ---- writing


def store_scene(path: Path, scene: Scene) -> None:
    """Put a scene into a file, in the place of the one of that name or as the last; all else in the file stays as it is.

    Raises
    ------
    SetListError
        When the file has faults: what cannot be read is not written over.
    OSError
        When it cannot be written.
    """
    scenes = load_set_list(path)
    document = read_yaml(path)
    items = list(document.data.get("scenes") or []) if scenes else []
    names = [each.name for each in scenes]
    if scene.name in names:
        items[names.index(scene.name)] = _item(scene)
    else:
        items.append(_item(scene))
    try:
        save_yaml(path, {**document.data, "scenes": items}, HEAD)
    except ValueError as error:
        raise SetListError(f"{path}: {error}") from error


def _item(scene: Scene) -> dict[str, Any]:
    item: dict[str, Any] = {"name": scene.name}
    if scene.note:
        item["note"] = scene.note
    if scene.fade_seconds:
        item["fade_seconds"] = scene.fade_seconds
    return item | {"parts": {str(number): {"patch": part.patch, **_said(part.values)} for number, part in sorted(scene.parts.items())}}


def _said(values: Mapping[str, Arguments]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for address, arguments in values.items():
        if address == PART["gate"].name:
            said[address] = "open" if arguments[0] else "closed"
        else:
            said["chroma" if address == "chroma/name" else address] = arguments[0] if len(arguments) == 1 else list(arguments)
    return said
