"""YAML that is changed by the program, with everything that a person wrote in it kept: comments, order, quotes, blank lines.

Any thread but audio's; imports ``yaml_file`` alone. One function says what a file shall mean, and only the places that mean something else are
written anew; all other bytes stay.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .yaml_file import parse_yaml

_WIDTH = 110
_STEP = 2  # columns further in
_PLAIN = re.compile(r"[\w/.+-](?:[\w/.+# -]*[\w/.+#-])?")


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def save_yaml(path: Path, data: Mapping[str, Any], head: str = "") -> None:
    """Let a file say ``data`` as `rewritten` does it, whole or not at all; a new one begins with ``head``, lines of comment.

    Raises
    ------
    OSError
        When it cannot be written.
    ValueError
        When it cannot be changed so without harm.
    """
    path = Path(os.path.realpath(path))
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else head
    new = rewritten(text, data)
    if path.exists() and new == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, path.stat().st_mode if path.exists() else 0o644)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def rewritten(text: str, data: Mapping[str, Any]) -> str:
    r"""Return a text that means ``data``, with everything else as it is in ``text``.

    Parameters
    ----------
    text : str
        YAML as `parse_yaml` reads it without a fault, or nothing but comments.
    data : mapping
        Mappings and lists of texts, numbers, true and false; numbers are written with seven digits, which is what OSC knows of them.

    Raises
    ------
    ValueError
        When that cannot be done: the text has faults, or ``data`` holds what YAML would read otherwise.

    >>> rewritten("gain: -6  # soft\nxy: [bow, air]\n", {"gain": -3, "xy": ["bow", "air"], "pan": 0.5})
    'gain: -3  # soft\nxy: [bow, air]\npan: 0.5\n'
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        new = f"{text.rstrip()}\n".lstrip("\n") + _block(data, 0) + "\n"
    else:
        new = text
        for edit in sorted(_merge(text, root, data, False), key=lambda edit: edit.start)[::-1]:
            new = new[: edit.start] + edit.text + new[edit.end :]
    read = parse_yaml(new)
    if read.faults or not _same(read.data, data):
        raise ValueError("it cannot be changed without harm: write it by hand")
    return new


# ---- what differs


def _merge(text: str, node: yaml.Node, value: Any, in_flow: bool) -> Iterator[_Edit]:
    in_flow = in_flow or (isinstance(node, yaml.CollectionNode) and bool(node.flow_style))
    if isinstance(node, yaml.MappingNode) and isinstance(value, Mapping):
        yield from _merge_mapping(text, node, value, in_flow)
    elif isinstance(node, yaml.SequenceNode) and _is_list(value) and 0 < len(node.value) <= len(value):
        for item, new in zip(node.value, value, strict=False):
            yield from _merge(text, item, new, in_flow)
        at, column = _end(text, node.value[-1]), node.start_mark.column
        for new in value[len(node.value) :]:
            yield _Edit(at, at, f", {_flow(new)}") if in_flow else _line(text, at, column, f"- {_block(new, column + 2)}")
    elif not (isinstance(node, yaml.ScalarNode) and _is_scalar(value) and _same(node.value, value)):
        yield _replace(text, node, value)


def _merge_mapping(text: str, node: yaml.MappingNode, value: Mapping[str, Any], in_flow: bool) -> Iterator[_Edit]:
    kept = [pair for pair in node.value if pair[0].value in value]
    if not kept and (node.value or value):
        yield _replace(text, node, value)
        return
    for key, old in kept:
        yield from _merge(text, old, value[key.value], in_flow)
    yield from _remove(text, node, value, in_flow)
    column = node.start_mark.column
    at = _end(text, kept[-1][1]) if kept else 0
    known = {key.value for key, _ in kept}
    for name, new in value.items():
        if name not in known:
            said = f"{_scalar(name)}:"
            yield _Edit(at, at, f", {said} {_flow(new)}") if in_flow else _line(text, at, column, said + _beside(new, column))


def _remove(text: str, node: yaml.MappingNode, value: Mapping[str, Any], in_flow: bool) -> Iterator[_Edit]:
    """Give the edits that take out the keys that are no more; at least one stays."""
    before: yaml.Node | None = None
    pairs = list(node.value)
    for n, (key, old) in enumerate(pairs):
        if key.value in value:
            before = old
            continue
        following = next((after for after, _ in pairs[n + 1 :] if after.value in value), None)
        start, begins = key.start_mark.index, text.rfind("\n", 0, key.start_mark.index) + 1
        if not in_flow and not text[begins:start].strip():
            yield _Edit(begins, min(len(text), _line_end(text, _end(text, old)) + 1), "")
        elif n and pairs[n - 1][0].value not in value:
            continue  # gone with the one before
        elif following is not None:
            yield _Edit(start, following.start_mark.index, "")
        elif before is not None:
            yield _Edit(_end(text, before), _end(text, pairs[-1][1]), "")


def _replace(text: str, node: yaml.Node, value: Any) -> _Edit:
    start, end = node.start_mark.index, _end(text, node)
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    new = _block(value, node.start_mark.column) if is_block and not _is_scalar(value) else _flow(value)
    return _Edit(start, end, new if start < end or text[start - 1 : start].isspace() else f" {new}")


def _line(text: str, after: int, column: int, new: str) -> _Edit:
    """Return a line of its own below the one in which something ends."""
    at = _line_end(text, after)
    return _Edit(at, at, f"\n{' ' * column}{new}")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" and end > at else end


def _end(text: str, node: yaml.Node) -> int:
    """Return where a node ends, without the comments that follow it."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)
    if isinstance(node, yaml.CollectionNode):
        return int(end)
    return int(start) + len(text[start:end].rstrip())


# ---- how it is written


def _block(value: Any, column: int) -> str:
    """Return a value that begins at a column, on lines of its own where it is long."""
    below = "\n" + " " * column
    if isinstance(value, Mapping) and value:
        return below.join(f"{_scalar(key)}:{_beside(item, column)}" for key, item in value.items())
    if _is_list(value) and value:
        return below.join(f"- {_block(item, column + 2)}" for item in value)
    return _flow(value)


def _beside(value: Any, column: int) -> str:
    """Return what comes after a key that stands at a column."""
    items = list(value.values()) if isinstance(value, Mapping) else list(value) if _is_list(value) else []
    is_deep = any(not _is_scalar(item) for item in items)
    if not is_deep and len(short := _flow(value)) <= _WIDTH - column:
        return f" {short}"
    return "\n" + " " * (column + _STEP) + _block(value, column + _STEP)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if _is_list(value):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    text = _text(value)
    is_plain = _PLAIN.fullmatch(text) and not text.startswith(("---", "- ", "...")) and text != "-" and " #" not in text
    if is_plain and text.lower() != "null" and text.isprintable():
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, Mapping) and not _is_list(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same(read: Any, value: Any) -> bool:
    """Say whether what was read, all texts, means a value."""
    if isinstance(value, Mapping):
        return _same_mapping(read, value)
    if _is_list(value):
        return isinstance(read, list) and len(read) == len(value) and all(map(_same, read, value))
    if value is None or read is None:
        return value is read
    return isinstance(read, str) and (read == _text(value) or (isinstance(value, int | float) and _is_number(read, _text(value))))


def _same_mapping(read: Any, value: Mapping[str, Any]) -> bool:
    return isinstance(read, dict) and set(read) == set(map(_text, value)) and all(_same(read[_text(key)], item) for key, item in value.items())


def _is_number(read: str, text: str) -> bool:
    try:
        return float(read) == float(text)
    except ValueError:
        return False
