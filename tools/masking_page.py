"""Renders the parts of docs/masking.md that the code knows better; `make golden` writes them.

A part is between `<!-- from code: WORDS -->` and `<!-- end -->`; everything else on the page is written by hand.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

from agen_authz.cli.main import app
from agen_authz.core.masking import work
from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.document import MAX_NESTED
from agen_authz.core.masking.row import THRESHOLD, Detector, Preset, Style
from agen_authz.core.masking.style import Masker, MaskingKeys
from agen_authz.core.masking.view import MAX_UNESCAPES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "masking.md"
_PART = re.compile(r"(<!-- from code: (?P<words>[^\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ABOUT: Mapping[Preset, str] = {
    Preset.PII: "what identifies a person, of any country",
    Preset.GDPR: "what identifies a person, with devices and places, and special categories (Art. 9) and convictions "
    "(Art. 10)",
    Preset.PHI: "the identifiers of HIPAA's Safe Harbor, as far as they can be found",
    Preset.PCI: "cards, what authenticates a payment, and bank accounts",
    Preset.SECRETS: "passwords, tokens and keys",
}
# What a value is, and of which detector; each style is shown with all of them.
EXAMPLES = (
    ("jane.doe@example.com", "email"),
    ("4111 1111 1111 1111", "credit_card"),
    ("1958-03-14", "date_of_birth"),
    ("+44 20 7946 0018", "phone"),
)
_MAX_SHOWN = 30
_KEYS = MaskingKeys((("2026-11", bytes(32)),))
_BY_NUMBERING_PLAN = "phone"


def render() -> str:
    """Render the page as it should be, from the page as it is."""
    with chdir(ROOT):
        return _PART.sub(lambda part: f"{part[1]}{_render_part(part['words'])}{part[3]}", PAGE.read_text("utf-8"))


def _render_part(words: str) -> str:
    kind, _, rest = words.partition(" ")
    return _PARTS[kind](rest)


def _presets(_: str) -> str:
    rows = [
        f"| `{preset}` | {_ABOUT[preset]} | {sum(preset in row.presets for row in CATALOG.values())} |\n"
        for preset in Preset
    ]
    return "| preset | what it finds | detectors |\n|---|---|---|\n" + "".join(rows)


def _detectors(_: str) -> str:
    rows = [
        f"| `{row.id}` | {row.title} | {', '.join(each for each in Preset if each in row.presets) or 'none'} | "
        f"{row.style} | {describe(row)} |\n"
        for row in CATALOG.values()
    ]
    head = "| detector | what it finds | presets | style | found by |\n|---|---|---|---|---|\n"
    return f"{len(CATALOG)} detectors:\n\n{head}{''.join(rows)}"


def describe(row: Detector) -> str:
    """Say how a detector finds its values."""
    forms = (*row.direct, *row.forms)
    sure = [form for form in forms if form.score >= THRESHOLD]
    ways = []
    if row.id == _BY_NUMBERING_PLAN:
        ways.append("numbering plan")
    if sure:
        ways.append("form and check" if all(form.check is not None for form in sure) else "form")
    elif forms:
        checked = " and check" if all(form.check is not None for form in forms) else ""
        ways.append(f"form{checked} with a word near it")
    if row.labels:
        ways.append("label")
    if row.fields:
        ways.append("member")
    return ", ".join(ways)


def _aliases(_: str) -> str:
    rows = [
        f"| `{row.id}` | {', '.join(f'`{alias}`' for alias in row.aliases)} |\n"
        for row in CATALOG.values()
        if row.aliases
    ]
    return "| detector | other names |\n|---|---|\n" + "".join(rows)


def _styles(_: str) -> str:
    masker = Masker(_KEYS, "acme")
    head = (
        "| style | " + " | ".join(f"`{value}`" for value, _ in EXAMPLES) + " |\n" + "|---" * (len(EXAMPLES) + 1) + "|\n"
    )
    rows = []
    for style in Style:
        cells = [masker.mask(value, detector, style) for value, detector in EXAMPLES]
        rows.append(f"| `{style}` | " + " | ".join(map(_show, cells)) + " |\n")
    return head + "".join(rows)


def _show(cell: str) -> str:
    if not cell:
        return "left out"
    return f"`{cell}`" if len(cell) <= _MAX_SHOWN else f"`{cell[:_MAX_SHOWN]}`..."


def _limits(_: str) -> str:
    return (
        "| what | at most | beyond it |\n|---|---|---|\n"
        f"| cost of a message's search | {work._AT_LEAST / 1000:g} ms, {work._BY_CHAR:g} us more a character, "
        f"{work._BY_VALUE / 1000:g} ms more a value | refused |\n"
        f"| JSON in a text, one in another | {MAX_NESTED} | `[NESTED]` |\n"
        f"| encodings, one in another | {MAX_UNESCAPES} | `[ENCODED]` |\n"
    )


def _run(words: str) -> str:
    command, _, name = words.partition(" < ")
    told = CliRunner().invoke(app, ["mask", *command.split()], input=Path(name).read_bytes(), terminal_width=120)
    shown = f"agen-authz mask {command} < {Path(name).name}"
    return "```console\n" + "\n".join([f"$ {shown}", *told.output.rstrip().splitlines()]) + "\n```\n"


_PARTS: Mapping[str, Callable[[str], str]] = {
    "presets": _presets,
    "detectors": _detectors,
    "aliases": _aliases,
    "styles": _styles,
    "limits": _limits,
    "run": _run,
}
