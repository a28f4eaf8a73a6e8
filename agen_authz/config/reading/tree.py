"""YAML to plain values that remember their lines; what YAML can do beyond JSON is refused.

No anchors, aliases, tags or merge keys; no key twice; only `true` and `false` are booleans, so that `on`, `off`
and `no` are words. The parser's events are walked here: nothing is constructed, and depth is bounded before
anything recurses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from agen_authz.core.errors import Problem

Path: TypeAlias = tuple[str | int, ...]
MAX_FILE_BYTES = 4 << 20
_MAX_DEPTH = 24
_MAX_KEY_CHARS = 256
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(slots=True)
class Tree:
    """Plain values and where each one stands.

    Args:
        lines: the line of every key and item.
        broken: where a value stands that could not be read; it is None in `value`.
        is_readable: whether the whole file was read; otherwise `value` means nothing.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    is_readable: bool = False

    def line_of(self, path: Path) -> int | None:
        """Find the line of a path, or of the nearest part above it that was written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def spell(path: Path) -> str:
    """Spell a path as people read it: `resources[0].url`."""
    spelt = ""
    for part in path:
        spelt += f"[{part}]" if isinstance(part, int) else f".{part}" if spelt else part
    return spelt


def find_parser() -> Any:
    """Find PyYAML's parser in C, which reads 10,000 rules ten times as fast; a build of PyYAML may lack it."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_tree(text: str, file: str, parser: Any = None) -> Tree:
    """Read one YAML document; what is wrong with it is in `problems`, and nothing raises."""
    tree = Tree()
    try:
        _Reader(tree, file, yaml.parse(text, Loader=parser or find_parser())).read()
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark is not None else None
        # Where the parser quotes the line, that may be a secret.
        message = re.sub(r"\s*'[^']{6,}.*", "", exc.problem or "", flags=re.DOTALL) or "it cannot be read"
        tree.problems.append(Problem(file, line, "", f"not valid YAML: {message}", "correct the line"))
    except (yaml.YAMLError, ValueError):
        tree.problems.append(Problem(file, None, "", "not valid YAML", "write UTF-8 text without control characters"))
    except _TooDeep as exc:
        tree.problems.append(Problem(file, exc.line, "", "nested too deeply", "no key of this file is this deep"))
    return tree


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__("nested too deeply")
        self.line = line


class _Reader:
    def __init__(self, tree: Tree, file: str, events: Iterator[Any]) -> None:
        self._tree = tree
        self._file = file
        self._events = events

    def read(self) -> None:
        tree = self._tree
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if tree.is_readable:
                    self._note(event, (), "a second document starts here", "keep one document a file")
                    break
                tree.value = self._value(next(self._events), ())
                tree.is_readable = True
        if (tree.is_readable and tree.value is None and not tree.problems) or not tree.lines:
            tree.is_readable = False
            tree.problems.append(Problem(self._file, None, "", "the file is empty", "name at least the required keys"))

    def _note(self, event: Any, path: Path, message: str, cure: str) -> None:
        line = event.start_mark.line + 1
        self._tree.problems.append(Problem(self._file, line, spell(path), message, cure))

    def _value(self, event: Any, path: Path) -> Any:
        self._tree.lines.setdefault(path, event.start_mark.line + 1)
        if len(path) > _MAX_DEPTH:
            raise _TooDeep(event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            self._break(event, path, "aliases are not read", "write the value out")
            return None
        if event.anchor is not None:
            self._note(event, path, "anchors are not read", "remove it: nothing can refer to it")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, path)
        return self._scalar(event, path)

    def _break(self, event: Any, path: Path, message: str, cure: str) -> None:
        self._note(event, path, message, cure)
        self._tree.broken.add(path)

    def _refuse_tag(self, event: Any, path: Path) -> None:
        if event.tag is not None:
            self._break(event, path, "tags are not read", "write the plain value")

    def _sequence(self, start: Any, path: Path) -> list[Any]:
        self._refuse_tag(start, path)
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, start: Any, path: Path) -> dict[str, Any]:
        self._refuse_tag(start, path)
        members: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None or key in members:
                if key is not None:
                    self._note(event, (*path, key), "the key appears twice", "keep one of the two")
                self._skip(next(self._events))
                continue
            inner = (*path, key)
            self._tree.lines[inner] = event.start_mark.line + 1
            members[key] = self._value(next(self._events), inner)
        return members

    def _key(self, event: Any, path: Path) -> str | None:
        if isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None:
            key: str = event.value
            is_text = not _is_plain(event) or isinstance(_read_plain(key), str)
            if is_text and key != "<<" and key.isprintable() and 0 < len(key) <= _MAX_KEY_CHARS:
                return key
        cure = "write keys as words, and quote one that is a number; there are no merges"
        self._note(event, path, "a key is not a plain word", cure)
        if not isinstance(event, yaml.ScalarEvent):
            self._skip(event)
        return None

    def _skip(self, event: Any) -> None:
        """Pass over one value; the depth is bounded here too: parsers slow down with it."""
        depth = 0
        while True:
            if depth > _MAX_DEPTH:
                raise _TooDeep(event.start_mark.line + 1)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(self._events)

    def _scalar(self, event: Any, path: Path) -> Any:
        self._refuse_tag(event, path)
        value: str = event.value
        if any("\ud800" <= char <= "\udfff" for char in value):
            self._break(event, path, "half a character stands here", "write the character itself")
            return None
        return _read_plain(value) if _is_plain(event) else value


def _is_plain(event: Any) -> bool:
    """True if a scalar is written without quotes and without a tag."""
    return bool(event.implicit[0])


def _read_plain(text: str) -> str | int | float | bool | None:
    """Read a word that is not quoted, as JSON would."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
