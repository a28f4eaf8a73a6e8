"""Renders the parts of docs/policies.md that the code knows better; `make golden` writes them.

A part is between `<!-- from code: WORDS -->` and `<!-- end -->`; everything else on the page is written by hand.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from agen_authz.authoring.draft import build_draft
from agen_authz.authoring.scenario import decide_scenario
from agen_authz.authoring.test import Case, read_cases
from agen_authz.cli.main import app
from agen_authz.config import load
from agen_authz.core.cel.condition import Condition
from agen_authz.core.model import StepUp
from agen_authz.core.policy.attribute import ATTRIBUTES
from agen_authz.core.policy.table import environment
from agen_authz.core.stage import Judged
from agen_authz.wire.refusal import render_step_up

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "policies.md"
_EXAMPLES = Path("docs/examples/policies")
_PART = re.compile(r"(<!-- from code: (?P<words>[^\n]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "# ---- the example\n"
_NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)

# The values that the examples are evaluated with; every example is true of them.
SAMPLE: Mapping[str, object] = {
    "args": {"amount": 12.5, "n": 3, "list": [1, 6], "name": "Ann Lee", "due": "2026-12-24T00:00:00Z", "flag": "true"},
    "user.roles": ["analyst", "support"],
    "user.subject": "u-1001",
    "request.time": _NOON,
    "request.user_agent": "Desk/2 (iPhone)",
}
FUNCTIONS: tuple[tuple[str, str, str], ...] = (
    ("`==` `!=`", "equal, not equal; numbers of every kind are compared by value", "args.n == 3.0"),
    ("`<` `<=` `>` `>=`", "order of numbers, texts, timestamps and durations", "args.amount > 10.0"),
    ("`&&` `||` `!`",
     "and, or, not; an operand that decides the result decides it even if the other is an error",
     "args.nosuch == 1 || args.n == 3"),
    ("`c ? a : b`", "a if c is true, else b", "(args.n > 5 ? 10.0 : 20.0) > args.amount"),
    ("`+` `-` `*` `/` `%`", "arithmetic; `+` joins texts and lists too", "args.n * 2 + 1 == 7"),
    ("`x in list`", "x is an element of the list, or a key of the object", '"analyst" in user.roles'),
    ("`list[i]` `object[key]` `.name`", "an element, a member", 'args["name"] == args.name && args.list[0] == 1'),
    ("`has(object.name)`", "true if the object has the member", "!has(args.nosuch)"),
    ("`size(x)` `x.size()`", "length of a text, list or object", "size(user.roles) == 2"),
    ("`t.startsWith(p)`", "t begins with p", 'user.subject.startsWith("u-")'),
    ("`t.endsWith(p)`", "t ends with p", 'args.name.endsWith("Lee")'),
    ("`t.contains(p)`", "t contains p", 'args.name.contains("n L")'),
    ("`t.matches(pattern)`", "contains a match of an RE2 pattern; the pattern is checked when the configuration loads",
     'request.user_agent.matches("(?i)iphone|android")'),
    ("`list.exists(x, …)`", "true for at least one element", "args.list.exists(n, n > 5)"),
    ("`list.exists_one(x, …)`", "true for exactly one element", "args.list.exists_one(n, n > 5)"),
    ("`list.all(x, …)`", "true for every element; an empty list gives true", 'user.roles.all(role, role != "admin")'),
    ("`list.filter(x, …)`", "the list of the elements for which it is true", "args.list.filter(n, n > 5) == [6]"),
    ("`list.map(x, …)`", "the list of the results, one for each element", "args.list.map(n, n * 2) == [2, 12]"),
    ("`timestamp(t)`", "a point in time, written as in RFC 3339", 'timestamp(args.due) > request.time'),
    ("`duration(t)`",
     "a length of time, such as 90s, 15m, 24h", 'timestamp(args.due) - request.time > duration("24h")'),
    ("`getFullYear()` `getMonth()` `getDate()`", "a part of a timestamp; months count from 0, dates from 1",
     "request.time.getMonth() == 11 && request.time.getDate() == 1"),
    ("`getDayOfWeek()` `getDayOfYear()` `getDayOfMonth()`",
     "a day of a timestamp, counted from 0; Sunday is 0", "request.time.getDayOfWeek() == 2"),
    ("`getHours()` `getMinutes()` `getSeconds()` `getMilliseconds()`",
     "a part of a timestamp, in UTC; "
     "each takes a time zone, as in `getHours(\"Europe/Berlin\")` or `getHours(\"+01:00\")`",
     'request.time.getHours("+01:00") == 13'),
    ("`int(x)` `uint(x)` `double(x)` `bool(x)`", "conversion; an error if x cannot be converted", "bool(args.flag)"),
    ("`string(x)` `bytes(x)`", "conversion", 'string(args.n) == "3"'),
    ("`type(x)`",
     "the type of x, to compare with `int`, `double`, `string`, `bool`, `list`, `map` or `null_type`",
     "type(args.n) == int"),
    ("`dyn(x)`", "x, with a type that is known only when the call comes", "dyn(args.n) == 3"),
)  # fmt: skip
# Known from elsewhere, and not part of the language here.
ABSENT = (
    '"a".lowerAscii() == "a"',
    '"a,b".split(",") == ["a", "b"]',
    '"a".replace("a", "b") == "b"',
    "math.greatest(1, 2) == 2",
    "sets.contains([1], [1])",
    'ip("192.0.2.1").family() == 4',
    "optional.of(1).hasValue()",
    "args.?n == 3",
)


def render() -> str:
    """Render the page as it should be, from the page as it is."""
    with chdir(ROOT):
        return _PART.sub(lambda part: f"{part[1]}{_render_part(part['words'])}{part[3]}", PAGE.read_text("utf-8"))


def _render_part(words: str) -> str:
    kind, _, rest = words.partition(" ")
    return _PARTS[kind](rest)


def _variables(_: str) -> str:
    rows = [f"| `{each.name}` | {each.kind} | {_describe(each.name)} |\n" for each in ATTRIBUTES.values()]
    return "| variable | type | what it is |\n|---|---|---|\n" + "".join(rows)


def _describe(name: str) -> str:
    attribute = ATTRIBUTES[name]
    claim = "" if attribute.claim is None else f" From `providers[].claims.{attribute.claim}`."
    return attribute.meaning + claim


def is_true(text: str) -> bool:
    """True if an example compiles and is true of the sample."""
    compiled = environment().compile(text)
    return isinstance(compiled, Condition) and compiled.evaluate(environment().activate(SAMPLE)) is True


def _functions(_: str) -> str:
    wrong = [example for _, _, example in FUNCTIONS if not is_true(example)]
    if wrong:
        raise ValueError(f"not true of the sample: {wrong}")
    cells = [(name, meaning, f"`{example}`") for name, meaning, example in FUNCTIONS]
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in cells]
    return "| spelling | meaning | for example |\n|---|---|---|\n" + "".join(rows)


def _absent(_: str) -> str:
    known = [text for text in ABSENT if isinstance(environment().compile(text), Condition)]
    if known:
        raise ValueError(f"part of the language after all: {known}")
    return "".join(f"- `{text}`\n" for text in ABSENT)


def _run(words: str) -> str:
    told = CliRunner().invoke(app, ["policy", *_split(words)], terminal_width=120)
    # The key of digests is of one run: any that has been shown stands for all of them.
    output = re.sub(r"digest [0-9a-f]{12}\b", "digest 5a0b83e19c57", told.output)
    lines = [f"$ agen-authz policy {words}", *output.rstrip().splitlines()]
    if told.exit_code:
        lines += ["$ echo $?", str(told.exit_code)]
    return "```console\n" + "\n".join(line.rstrip() for line in lines) + "\n```\n"


def _split(words: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', words)]


def _file(name: str) -> str:
    return f"```yaml\n{Path(name).read_text('utf-8').rstrip()}\n```\n"


def _example(name: str) -> str:
    folder = _EXAMPLES / name
    whole = (folder / "agen.yaml").read_text("utf-8")
    head, _, shown = whole.partition(_HEAD)
    rows = "".join(_case_row(case) for case in _cases(folder))
    return (
        f"{head.splitlines()[0].removeprefix('# ')}. In full: [agen.yaml](examples/policies/{name}/agen.yaml), "
        f"[cases](examples/policies/{name}/cases/cases.yaml).\n\n```yaml\n{shown.rstrip()}\n```\n\n"
        f"| case | decision |\n|---|---|\n{rows}"
    )


def _cases(folder: Path) -> Iterator[Case]:
    for found in read_cases(folder / "cases"):
        if not isinstance(found, tuple):
            raise ValueError(str(found))
        yield found[1]


def _case_row(case: Case) -> str:
    reason = "" if case.expect.reason is None else f" (`{case.expect.reason}`)"
    return f"| {case.name} | {case.expect.decision}{reason} |\n"


def _challenge(words: str) -> str:
    name, _, wanted = words.partition(" ")
    folder = _EXAMPLES / name
    draft = build_draft(load(folder / "agen.yaml", secrets=False, environ={}))
    case = next(each for each in _cases(folder) if each.name == wanted)
    decided = decide_scenario(draft, case, now=_NOON.timestamp())
    ended = decided.ended
    if not isinstance(ended, Judged) or not isinstance(ended.decision, StepUp):
        raise ValueError(f"no step-up is asked for: {words}")
    answer = render_step_up(ended.decision, ended.stage)
    # A call that authors try has no id.
    body = answer.body.replace('"request_id":""', '"request_id":"6f1c…"')
    challenge = dict(answer.headers)["www-authenticate"].replace(", ", ",\n  ")
    return f"```http\nHTTP/1.1 {answer.status}\nwww-authenticate: {challenge}\n\n{body}\n```\n"


_PARTS: Mapping[str, Callable[[str], str]] = {
    "variables": _variables,
    "functions": _functions,
    "absent": _absent,
    "run": _run,
    "file": _file,
    "example": _example,
    "challenge": _challenge,
}
