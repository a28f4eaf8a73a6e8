"""Foreign YAML or JSON, read into nodes that remember their lines.

More lenient than our own configuration, for these files are not ours: anchors, aliases, several documents and
both spellings of protobuf's names (`failureModeAllow` is `failure_mode_allow`) are read. What cannot be read with
certainty is a problem, never a silent gap. The reader walks parser events with its own stack, so that no
depth of nesting exhausts Python's, and counts what aliases stand for, so that few lines cannot stand for millions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

Scalar: TypeAlias = str | int | float | bool | None
MAX_DEPTH = 200
MAX_NODES = 2_000_000
_HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]")
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?[0-9]{1,18}\.[0-9]{0,18}\Z")
# Envoy's parser and those of Kubernetes read all of these as booleans.
_BOOLEANS = {
    word: truth for truth, words in ((True, "true yes on y"), (False, "false no off n")) for word in words.split()
}
_NULLS = ("", "~", "null", "Null", "NULL")
_PLAIN_TAGS = {None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str"}


@dataclass(slots=True)
class Node:
    """A value and its line; an alias shares the node that it stands for."""

    value: "dict[str, Node] | list[Node] | Scalar"
    line: int
    size: int = 1


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the file that could not be read with certainty."""

    line: int
    why: str


@dataclass(slots=True)
class Source:
    """All documents of one file, and what of it was not read."""

    documents: list[Node] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def canonical(key: str) -> str:
    """Spell a key as protobuf's text names do: `failureModeAllow` is `failure_mode_allow`."""
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", key)


def read_source(text: str, first_line: int = 1) -> Source:
    """Read every document of a file; what is wrong with it is in `unread`, and nothing raises."""
    source = Source()
    builder = _Builder(source, first_line)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line if exc.problem_mark is not None else 0
        source.unread.append(Unread(first_line + line, "not valid YAML from here on"))
    except (yaml.YAMLError, ValueError, OverflowError):
        source.unread.append(Unread(first_line, "not valid YAML: not UTF-8 text, or it has control characters"))
    except _TooMuch as exc:
        source.unread.append(Unread(exc.line, str(exc)))
    return source


def _events(text: str) -> Iterator[Any]:
    # libyaml, where it was compiled in: a dump of a configuration may have megabytes.
    return yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class _TooMuch(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end was not seen yet."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_line: int = 0
    is_key_next: bool = True


class _Builder:
    def __init__(self, source: Source, first_line: int) -> None:
        self._source = source
        self._first_line = first_line
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def take(self, event: Any) -> None:
        line = self._first_line + event.start_mark.line
        match event:
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case yaml.AliasEvent():
                node = self._aliased(event.anchor, line)
                self._count += node.size
                self._place(node, line)
            case yaml.ScalarEvent():
                node = Node(self._scalar(event, line), line)
                self._remember(event.anchor, node)
                self._place(node, line, spelt=event.value)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._enter(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                ended = self._stack.pop()
                self._remember(ended.anchor, ended.node)
                self._place(ended.node, ended.node.line)
            case _:
                pass  # the stream's and the documents' ends say nothing

    def _enter(self, event: Any, line: int) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise _TooMuch("nested too deeply from here on", line)
        if event.tag not in _PLAIN_TAGS:
            self._note(line, "a tag is not read")
        value: dict[str, Node] | list[Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(Node(value, line), event.anchor))

    def _remember(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _aliased(self, anchor: str | None, line: int) -> Node:
        node = self._anchors.get(anchor or "")
        if node is None:
            # Also an alias within what it names: a circle.
            self._note(line, "an alias names no finished anchor")
            return Node(None, line)
        return node

    def _place(self, node: Node, line: int, spelt: str | None = None) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise _TooMuch("more values than can be checked", line)
        if not self._stack:
            self._source.documents.append(node)
            return
        parent = self._stack[-1]
        parent.node.size += node.size
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        elif isinstance(parent.node.value, dict):
            self._place_member(parent, parent.node.value, node, line, spelt=spelt)

    def _place_member(
        self, parent: _Open, members: dict[str, Node], node: Node, line: int, *, spelt: str | None
    ) -> None:
        parent.is_key_next = not parent.is_key_next
        if parent.is_key_next:
            if parent.key is not None:
                # A member stands where its key does, also when it is an alias.
                members[parent.key] = Node(node.value, parent.key_line, node.size)
            return
        parent.key_line = line
        parent.key = None if spelt is None or spelt == "<<" else canonical(spelt)
        if parent.key is None:
            self._note(line, "a merge, or a key that is not a word, is not read")
        elif parent.key in members:
            # Parsers differ in which of the two counts.
            self._note(line, f"the key `{_short(parent.key)}` appears twice")

    def _scalar(self, event: Any, line: int) -> Scalar:
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self._note(line, "a tag is not read")
            return None
        # Quotes make text; libyaml says "" where the Python parser says None.
        is_text = event.tag is not None or event.style
        return str(event.value) if is_text else _plain(str(event.value))

    def _note(self, line: int, why: str) -> None:
        self._source.unread.append(Unread(line, why))


def _plain(text: str) -> Scalar:
    if text in _NULLS:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


def _short(text: str) -> str:
    return text if len(text) <= 40 and text.isprintable() else "…"
