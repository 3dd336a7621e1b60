"""YAML as musicians write it: a file becomes plain texts, lists and mappings, with the line of each.

Any thread but audio's; imports nothing of the house. Every scalar stays the text it is, so YAML 1.1's traps (``on``, ``no``, ``7:30``) are
closed by themselves: what a text means, a number or a note, is decided by whoever knows the key. Only ``null``, ``~`` and nothing are None.
Anchors and tags are refused: patches travel between strangers, and an alias can make gigabytes out of a line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
_DISPUTED = "\t\ufeff"  # libyaml takes them where PyYAML does not
_NULLS = {"", "~", "null", "Null", "NULL"}
_EXAMPLE = "it must hold keys with values, such as `name: Violin`"
# PyYAML's words, and what a musician can do.
_HINTS = (
    ("'\\t'", "a tab stands where YAML takes only spaces: indent with spaces"),
    ("mapping values are not allowed", "a colon where none may stand: put a text with a colon in quotes, and indent alike what belongs together"),
    ("could not find expected ':'", "a key without its colon: write `key: value`"),
    ("but found another document", "a second document begins here (`---`): one file holds one patch"),
    ("special characters", "a control character stands in it: write it again with a plain text editor"),
)

Location = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """What a file says, where each part of it stands (lines from 1), and what is wrong with its form (line and sentence)."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Location, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def line(self, location: Location) -> int:
        """Return the line of a location, or of the nearest thing around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


def read_yaml(path: Path) -> Document:
    """Read one file; whatever is wrong is in ``faults``, and then ``data`` holds what could be read of it.

    Line 0 stands for the file as a whole.
    """
    try:
        if not path.is_file():
            return Document(faults=[(0, "there is no such file")])
        if path.stat().st_size > MAX_BYTES:
            return Document(faults=[(0, f"it is {path.stat().st_size} bytes large; at most {MAX_BYTES} (256 KiB) are read")])
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return Document(faults=[(0, "it is not UTF-8 text: save it as UTF-8")])
    except OSError as error:
        return Document(faults=[(0, f"it cannot be read: {error.strerror}")])
    return parse_yaml(text)


def parse_yaml(text: str) -> Document:
    r"""Do what `read_yaml` does, for a text.

    >>> parse_yaml("gate: on\nxy: [bow, no]").data
    {'gate': 'on', 'xy': ['bow', 'no']}
    """
    if quick := _read_quickly(text):
        return quick
    document = Document()
    try:
        node = _composed(_Loader, text, document)
    except yaml.MarkedYAMLError as error:
        document.faults.append((_line(error.problem_mark or error.context_mark), _sentence(error)))
        return document
    except yaml.reader.ReaderError as error:
        document.faults.append((text.count("\n", 0, error.position) + 1, _sentence(error)))
        return document
    if node is None:
        document.faults.append((0, f"it is empty: {_EXAMPLE}"))
    elif not isinstance(node, yaml.MappingNode):
        document.faults.append((_line(node.start_mark), f"{_EXAMPLE}, not {'a list' if isinstance(node, yaml.SequenceNode) else 'a text'}"))
    else:
        document.data = _build(node, (), document)
    return document


def _read_quickly(text: str) -> Document | None:
    """Read what has no fault with libyaml, where PyYAML has it: a quarter of the time. Nothing where there is one: PyYAML's words tell more of it."""
    if _QuickLoader is None or any(character in text for character in _DISPUTED):
        return None
    document = Document()
    try:
        node = _composed(_QuickLoader, text, document)
    except (yaml.YAMLError, UnicodeError):
        return None
    if document.faults or not isinstance(node, yaml.MappingNode):
        return None
    document.data = _build(node, (), document)
    return None if document.faults else document


def _composed(kind: Callable[[str], _Nodes], text: str, document: Document) -> yaml.Node | None:
    loader = kind(text)
    loader.document = document
    node: yaml.Node | None = loader.get_single_node()
    return node


class _Nodes(Composer):
    """Composes nodes and no objects; what their tags would make of them is left aside."""

    document: Document
    peek_event: Callable[[], Any]  # of the parser that it is put together with
    get_event: Callable[[], Any]
    _depth = 0

    def resolve(self, kind: object, value: object, implicit: object) -> str:
        return ""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self.get_event()
            self.document.faults.append((line, f"aliases (*{event.anchor}) are not read: write it out"))
            return yaml.ScalarNode("", "", None, None)
        if event.anchor is not None:
            self.document.faults.append((line, f"anchors (&{event.anchor}) are not read: leave it out"))
            event.anchor = None
        if event.tag is not None:
            self.document.faults.append((line, f"tags ({event.tag.replace('tag:yaml.org,2002:', '!!')}) are not read: leave it out"))
        if self._depth == MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_DEPTH} brackets or levels inside one another", problem_mark=event.start_mark)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Loader(_Nodes, yaml.SafeLoader):
    """Reads with Python alone."""


_QuickLoader: Callable[[str], _Nodes] | None = None

if yaml.__with_libyaml__:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _QuickNodes(_Nodes, CParser, Resolver):
        """Composes what libyaml finds."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            Resolver.__init__(self)

    _QuickLoader = _QuickNodes


def _build(node: yaml.Node, location: Location, document: Document) -> Any:
    document.lines.setdefault(location, _line(node.start_mark))
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, location, document)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*location, index), document) for index, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    if not _is_text(node.value):
        document.faults.append((_line(node.start_mark), "half a character (a surrogate) stands in it: write the whole one"))
        return ""
    return None if not node.style and node.value in _NULLS else node.value


def _build_mapping(node: yaml.MappingNode, location: Location, document: Document) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode) or not _is_text(key.value):
            document.faults.append((line, "a key must be a word, not a list or a mapping"))
        elif key.value in mapping:
            first = document.line((*location, key.value))
            document.faults.append((line, f"{'.'.join(map(str, (*location, key.value)))}: stands twice, in lines {first} and {line}"))
        else:
            document.lines[(*location, key.value)] = line
            mapping[key.value] = _build(value, (*location, key.value), document)
    return mapping


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark is not None else 1


def _sentence(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", "it is not YAML"))
    context = str(getattr(error, "context", "") or "")
    hint = next((hint for word, hint in _HINTS if word in problem), None)
    if hint:
        return hint
    where = f" ({context} that begins in line {_line(error.context_mark)})" if context and isinstance(error, yaml.MarkedYAMLError) else ""
    return f"it is not YAML: {problem}{where}"
