"""Check sizes and names of files and functions: `[tool.agen-authz.shape]` in pyproject.toml."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "agen_authz"
GENERATED = "_pb"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file, a function and a name may be.

    Args:
        exceptions: leads from a place to its ADR.
        shared_names: classes of one name that stand in several files, each with the reason.
    """

    file_lines: int
    function_lines: int
    banned_words: frozenset[str]
    exceptions: Mapping[str, str]
    shared_names: Mapping[str, str]


def load_limits(pyproject: Path) -> Limits:
    """Read the limits from pyproject.toml."""
    table = tomllib.loads(pyproject.read_text())["tool"]["agen-authz"]["shape"]
    return Limits(
        file_lines=table["file_lines"],
        function_lines=table["function_lines"],
        banned_words=frozenset(table["banned_words"]),
        exceptions=table.get("exceptions", {}),
        shared_names=table.get("shared_names", {}),
    )


def words_of(name: str) -> set[str]:
    """Split a snake_case or CamelCase name into lower-case words."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def check_source(place: str, source: str, limits: Limits) -> Iterator[str]:
    """Yield one finding per file, function or name that is beyond the limits."""
    lines = source.count("\n")
    if lines > limits.file_lines and place not in limits.exceptions:
        yield f"{place}: {lines} lines, {limits.file_lines} at most; split it, or list it with its ADR"
    yield from _check_name(place, Path(place).stem, limits)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _check_length(place, node, limits)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _check_name(f"{place}:{node.lineno}", node.name, limits)


def _check_length(place: str, node: ast.FunctionDef | ast.AsyncFunctionDef, limits: Limits) -> Iterator[str]:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > limits.function_lines and f"{place}:{node.name}" not in limits.exceptions:
        yield (
            f"{place}:{node.lineno}: `{node.name}` has {lines} lines, {limits.function_lines} at most;"
            " split it, or list it with its ADR"
        )


def _check_name(place: str, name: str, limits: Limits) -> Iterator[str]:
    for word in sorted(words_of(name) & limits.banned_words):
        yield f"{place}: `{name}` has the word `{word}`, which says nothing; name what it is or does"


def check_exceptions(root: Path, limits: Limits) -> Iterator[str]:
    """Yield one finding per exception whose file or ADR does not exist."""
    for place, adr in limits.exceptions.items():
        if not (root / place.partition(":")[0]).is_file():
            yield f"pyproject.toml: the exception `{place}` names no file; remove it"
        if not list((root / "docs" / "adr").glob(f"{adr}-*.md")):
            yield f"pyproject.toml: the exception `{place}` names ADR `{adr}`, which is not in docs/adr"


def check_shared_names(sources: Mapping[str, str], limits: Limits) -> Iterator[str]:
    """Yield one finding per class name that two files have for two ideas, and per listed name that is not shared.

    The demo's issuer and servers are other parties and have words of their own.
    """
    places: dict[str, list[str]] = {}
    for place, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and "/demo/" not in place:
                places.setdefault(node.name, []).append(place)
    shared = {name: found for name, found in places.items() if len(found) > 1}
    for name in sorted(shared.keys() - limits.shared_names.keys()):
        yield f"{shared[name][0]}: `{name}` is a class in {shared[name][1]} too; one word is one idea, so name one anew"
    for name in sorted(limits.shared_names.keys() - shared.keys()):
        yield f"pyproject.toml: `{name}` is listed as shared and is not; remove it"


def check_tree(root: Path, limits: Limits) -> list[str]:
    """Check every module of the package but the generated ones."""
    paths = [path for path in sorted((root / PACKAGE).rglob("*.py")) if GENERATED not in path.parts]
    sources = {path.relative_to(root).as_posix(): path.read_text() for path in paths}
    findings = [finding for place, source in sources.items() for finding in check_source(place, source, limits)]
    return [*findings, *check_shared_names(sources, limits), *check_exceptions(root, limits)]


def main() -> int:
    """Print every finding and exit 1 when there is one."""
    findings = check_tree(ROOT, load_limits(ROOT / "pyproject.toml"))
    print("\n".join(findings) if findings else "shape: sizes and names are within the limits")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
