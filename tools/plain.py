"""Finds words that slow a reader down, in pages, records, `--help`, the Makefile, messages, docstrings and comments.

A machine finds only some of them; the rest is for the reviewer. `python -m tools.plain` prints all that it finds.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import typer

from agen_authz.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "AGENTS.md", "Makefile", "docs/*.md", "docs/adr/*.md")
# Folders with docstrings, messages and comments, and the modules there that are not read.
SOURCES, GENERATED = ("agen_authz", "tools", "bench"), "_pb"

# What to write, and what is found. A pattern matches the riddle only, never a good use of its words.
INSTEAD: Mapping[str, re.Pattern[str]] = {
    words: re.compile(pattern, re.IGNORECASE)
    for words, pattern in {
        "`is in`, `is listed under`, `appears`": (
            r"\bst(?:ands?|ood) (?:in|under|on|at|once|twice|beside|above|below|there|alone)\b"
        ),
        "`if`, `if there is none`": r"\bwhere (?:there (?:is|are)|none|nobody|nothing|not)\b",
        "`besides`, `next to` or `with`": r"\bbeside\b",
        "`the caller`, `another caller` or `anyone`": r"\b(?!(?-i:NOBODY))(?:nobody|somebody|whoever)\b",
        "`is not a`": r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|later\b)",
        "`invalid`, or what it must be": r"\bthat (?:is|are) none\b",
        "`is sent`, `is reported` or `is shown`": r"\b(?:is|are|be|was|were) (?:told|said)\b(?! apart)",
        "`its own` or `a separate`": (
            r"\bof (?:its|his|their|our|your|one's) own(?=[^\w\s]|\s*$|\s+(?:that|which|for|and|in|to)\b)"
        ),
        "`cannot be fetched` or `is unavailable`": r"\bto be had\b",
        "`True if`, or the fact itself": r"\A(?:say|tell) whether\b|(?:\A|\| )whether\b",
        "`at once`": r"\bin one go\b",
        "`without`": r"\bfor want of\b",
        "`anyway`": r"\ball the same\b",
        "`the result of`": r"\bwhat (?:came|comes|has come) of\b",
        "`is about` or `names`": r"\b(?:speaks?|spoken) of\b",
        "`unless asked`, or name what is missing": r"\bunasked\b",
        "`again`, or `rewrite`": r"\banew\b",
        "`searched for`": r"\blooked for\b",
        "`continues`, or `stays in use`": r"\bgoes on\b",
        "`sometimes`": r"\bnow and then\b",
        "`any number`": r"\bas (?:it|they|he|she) likes?\b",
        "`without success`, or what happened": r"\bin vain\b",
        "`thousands of`": r"\bby the (?:dozen|hundred|thousand)s?\b",
    }.items()
}  # fmt: skip


# What is left to mend, by part. A number may only shrink; a part that is not here has none.
LEFT: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text, and where it is."""

    place: str
    text: str


def find(texts: Iterable[Text]) -> list[str]:
    """List what is found: place, the words, and what to write instead."""
    return [
        f"{text.place}: `{' '.join(match[0].split())}`: write {words}"
        for text in texts
        for words, pattern in INSTEAD.items()
        for match in pattern.finditer(text.text)
    ]


def pages() -> Iterator[Text]:
    """Yield every page, line by line with the next one, so that words at a line's end are read with what follows."""
    for name in sorted({path for pattern in PAGES for path in ROOT.glob(pattern)}):
        yield from _lines(name.relative_to(ROOT).as_posix(), name.read_text("utf-8"))


def _lines(place: str, text: str) -> Iterator[Text]:
    for number, paragraph in _paragraphs(text):
        yield Text(f"{place}:{number}", paragraph)


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    number = 1
    for block in re.split(r"(\n\s*\n|\n(?=\s*[|#]))", text):
        if block.strip():
            yield number, block
        number += block.count("\n")


def commands() -> Iterator[Text]:
    """Yield what `--help` prints, a text for each command, option and argument."""
    yield from _command(typer.main.get_command(app), "agen-authz")


def _command(command: Any, name: str) -> Iterator[Text]:
    yield Text(f"{name} --help", command.help or "")
    for each in command.params:
        yield Text(f"{name} {each.name}", getattr(each, "help", None) or "")
    for child, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, f"{name} {child}")


def source(path: Path) -> Iterator[Text]:
    """Yield every docstring, message and comment of a module. A text without a space is a name, not a message."""
    text, place = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Text(f"{place}:{node.lineno}", node.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Text(f"{place}:{token.start[0]}", token.string)


def sources() -> Iterator[Text]:
    """Yield what `source` yields, for every module that is written by hand; this one holds the riddles themselves."""
    for path in sorted(chain.from_iterable((ROOT / folder).rglob("*.py") for folder in SOURCES)):
        if GENERATED not in path.parts and path != Path(__file__).resolve():
            yield from source(path)


def everything() -> Iterator[Text]:
    """Yield all that is read: pages, commands and modules."""
    return chain(pages(), commands(), sources())


def part_of(finding: str) -> str:
    """Name the part that a finding is in: a page, a folder, or `--help`."""
    place = finding.partition(":")[0]
    return place if place.endswith((".md", "Makefile")) else place.partition("/")[0] if "/" in place else "--help"


def more_than_left(findings: Iterable[str], left: Mapping[str, int]) -> dict[str, list[str]]:
    """Lead from each part with more findings than are left in it to these findings."""
    parts: dict[str, list[str]] = {}
    for each in findings:
        parts.setdefault(part_of(each), []).append(each)
    return {part: found for part, found in parts.items() if len(found) > left.get(part, 0)}


def main() -> int:
    """Print what is found; 1 if anything is."""
    found = find(everything())
    for each in found:
        print(each)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
