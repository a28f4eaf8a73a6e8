"""Check sizes and names: `[tool.agen-authz.shape]` in pyproject.toml, and the words of words.toml next to this file."""

import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "agen_authz"
GENERATED = "_pb"
OTHERS = ("agen_authz/demo/issuer/", "agen_authz/demo/backend/")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file, a function and a name may be.

    Args:
        refused_words: leads from a word, or several joined by `_`, to what a name says instead.
        allowed_words: leads from a word and a place or name, with a blank between, to the reason why it is right there.
        exceptions: leads from a place to its ADR.
        shared_names: classes of one name that several files have, each with the reason.
    """

    file_lines: int
    function_lines: int
    refused_words: Mapping[str, str]
    allowed_words: Mapping[str, str]
    exceptions: Mapping[str, str]
    shared_names: Mapping[str, str]


def load_limits(pyproject: Path, words: Path) -> Limits:
    """Read the limits from pyproject.toml, and the words from words.toml."""
    table = tomllib.loads(pyproject.read_text())["tool"]["agen-authz"]["shape"]
    spoken = tomllib.loads(words.read_text())
    return Limits(
        file_lines=table["file_lines"],
        function_lines=table["function_lines"],
        refused_words=spoken["refused"],
        allowed_words=spoken["allowed"],
        exceptions=table.get("exceptions", {}),
        shared_names=table.get("shared_names", {}),
    )


def words_of(name: str) -> list[str]:
    """Split a snake_case or CamelCase name into lower-case words."""
    return [word.lower() for word in re.findall(r"[A-Z][A-Z0-9]*(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def check_source(place: str, source: str, limits: Limits) -> Iterator[str]:
    """Yield one finding per file, function or name that is beyond the limits."""
    lines = source.count("\n")
    if lines > limits.file_lines and place not in limits.exceptions:
        yield f"{place}: {lines} lines, {limits.file_lines} at most; split it, or list it with its ADR"
    tree = ast.parse(source)
    for line, name in (1, Path(place).stem), *sorted(set(_list_names(tree))):
        for word in find_refused(name, limits):
            if _find_allowance(word, name, place, limits) is None:
                yield f"{place}:{line}: `{name}` has the word `{word}`; say {limits.refused_words[word]}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _check_length(place, node, limits)


def _list_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """List what a module names: classes, functions, arguments, and what is assigned to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def find_refused(name: str, limits: Limits) -> Iterator[str]:
    """Yield the refused words that a name has, as whole parts."""
    joined = f"_{'_'.join(words_of(name))}_"
    return (word for word in limits.refused_words if f"_{word}_" in joined)


def _find_allowance(word: str, name: str, place: str, limits: Limits) -> str | None:
    for allowed in limits.allowed_words:
        which, _, where = allowed.partition(" ")
        if which == word and (where in (name, place) or (where.endswith("/") and place.startswith(where))):
            return allowed
    return None


def _check_length(place: str, node: ast.FunctionDef | ast.AsyncFunctionDef, limits: Limits) -> Iterator[str]:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > limits.function_lines and f"{place}:{node.name}" not in limits.exceptions:
        yield (
            f"{place}:{node.lineno}: `{node.name}` has {lines} lines, {limits.function_lines} at most;"
            " split it, or list it with its ADR"
        )


def check_allowances(sources: Mapping[str, str], limits: Limits) -> Iterator[str]:
    """Yield one finding per allowed word that no name needs any more."""
    used = {
        _find_allowance(word, name, place, limits)
        for place, source in sources.items()
        for name in {Path(place).stem, *(name for _, name in _list_names(ast.parse(source)))}
        for word in find_refused(name, limits)
    }
    for allowed in sorted(limits.allowed_words.keys() - used):
        yield f"tools/words.toml: `{allowed}` is allowed and nothing is called so; remove it"


def check_exceptions(root: Path, limits: Limits) -> Iterator[str]:
    """Yield one finding per exception whose file or ADR does not exist."""
    for place, adr in limits.exceptions.items():
        if not (root / place.partition(":")[0]).is_file():
            yield f"pyproject.toml: the exception `{place}` names no file; remove it"
        if not list((root / "docs" / "adr").glob(f"{adr}-*.md")):
            yield f"pyproject.toml: the exception `{place}` names ADR `{adr}`, which is not in docs/adr"


def check_shared_names(sources: Mapping[str, str], limits: Limits) -> Iterator[str]:
    """Yield one finding per class name that two files have for two ideas, and per listed name that is not shared.

    The demo's issuer and servers are other parties and have their own words.
    """
    places: dict[str, list[str]] = {}
    for place, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not place.startswith(OTHERS):
                places.setdefault(node.name, []).append(place)
    shared = {name: found for name, found in places.items() if len(found) > 1}
    for name in sorted(shared.keys() - limits.shared_names.keys()):
        yield f"{shared[name][0]}: `{name}` is a class in {shared[name][1]} too; one word is one idea, so rename one"
    for name in sorted(limits.shared_names.keys() - shared.keys()):
        yield f"pyproject.toml: `{name}` is listed as shared and is not; remove it"


def check_tree(root: Path, limits: Limits) -> list[str]:
    """Check every module of the package but the generated ones."""
    paths = [path for path in sorted((root / PACKAGE).rglob("*.py")) if GENERATED not in path.parts]
    sources = {path.relative_to(root).as_posix(): path.read_text() for path in paths}
    findings = [finding for place, source in sources.items() for finding in check_source(place, source, limits)]
    listed = (check_shared_names(sources, limits), check_allowances(sources, limits), check_exceptions(root, limits))
    return [*findings, *itertools.chain(*listed)]


def main() -> int:
    """Print every finding and exit 1 when there is one."""
    findings = check_tree(ROOT, load_limits(ROOT / "pyproject.toml", ROOT / "tools" / "words.toml"))
    print("\n".join(findings) if findings else "shape: sizes and names are within the limits")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
