"""YAML to plain values that remember their lines; what YAML can do beyond JSON is refused.

No anchors, aliases, tags or merge keys; no key twice; only `true` and `false` are booleans, so that `on`, `off`
and `no` are words.
"""

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from agen_authz.core.errors import Problem

Path: TypeAlias = tuple[str | int, ...]
MAX_FILE_BYTES = 4 << 20
_MAX_DEPTH = 32


class _Loader(yaml.SafeLoader):
    """SafeLoader with the booleans, numbers and nulls of YAML 1.2's JSON schema."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:null|~|)\Z"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z"), list("-0123456789")
)
_SCALARS = {"bool", "null", "int", "float", "str"}


@dataclass(slots=True)
class Tree:
    """Plain values and where each one stands; `lines` has the line of every key and item."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

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


def read_tree(text: str, file: str) -> Tree:
    """Read one YAML document; what is wrong with it stands in `problems`, and nothing raises."""
    tree = Tree()
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark is not None else None
        # The parser's own text may quote the line, which may be a secret: only its first words are kept.
        problem = (exc.problem or "cannot be read").split("'")[0].strip() or "cannot be read"
        tree.problems.append(Problem(file, line, "", f"not valid YAML: {problem}", "correct the line"))
        return tree
    except (yaml.YAMLError, ValueError, RecursionError):
        tree.problems.append(Problem(file, None, "", "not valid YAML", "write UTF-8 text without control characters"))
        return tree
    if node is None:
        tree.problems.append(Problem(file, None, "", "the file is empty", "start from `contract/minimal.yaml`"))
        return tree
    _Reader(tree, file).read(node, ())
    return tree


class _Reader:
    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._file = file
        self._seen: set[int] = set()

    def read(self, node: yaml.Node, path: Path) -> None:
        self._tree.value = self._value(node, path)

    def _note(self, node: yaml.Node, path: Path, message: str, cure: str) -> None:
        self._tree.problems.append(Problem(self._file, node.start_mark.line + 1, spell(path), message, cure))

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._tree.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._note(node, path, "aliases are not read", "write the value out")
            return None
        self._seen.add(id(node))
        if len(path) > _MAX_DEPTH:
            self._note(node, path, "nested too deeply", "no key of this file is this deep")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(key, str) or key == "<<":
                self._note(key_node, path, "a key is not a plain word", "write keys as words; there are no merges")
                continue
            inner = (*path, key)
            if key in members:
                self._note(key_node, inner, "the key stands twice", "keep one of the two")
                continue
            self._tree.lines[inner] = key_node.start_mark.line + 1
            members[key] = self._value(value_node, inner)
        return members

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        kind = node.tag.rpartition(":")[2]
        if not node.tag.startswith("tag:yaml.org,2002:") or kind not in _SCALARS:
            self._note(node, path, "tags are not read", "write the plain value")
            return None
        match kind:
            case "bool":
                return node.value == "true"
            case "null":
                return None
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
            case _:
                return node.value
