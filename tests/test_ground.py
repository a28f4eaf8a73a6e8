"""The tree itself: lock files, commands that pages name, sizes, words that do not belong here."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import coverage_thresholds, mutate, proto, shape

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements/server.txt", "requirements/dev.txt")
PAGES = ("README.md", "CONTRIBUTING.md", "AGENTS.md")
MADE_BY_TOOLS = {"build", "dist", "__pycache__", "node_modules"}
SCREEN_LINES = 70

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Character classes keep the patterns from matching themselves.
FOREIGN = {
    "a path of one machine": re.compile(r"(?<![\w.$}])/(wor[k]|roo[t]|hom[e]/\w+)/|(?<![\w.$}])/tm[p]/\w"),
    "a package index": re.compile(
        r"py[p]i\.org|pytho[n]hosted|registry\.npm[j]s|crate[s]\.io|proxy\.golan[g]|--(extra-)?inde[x]-url\s*=?\s*http"
    ),
    "a conflict marker": re.compile(r"^(<{7}|>{7}) ", re.MULTILINE),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVAT[E] KEY-----\s+[A-Za-z0-9+/]{40}"),
}


def tree() -> Iterator[Path]:
    """Walk over what is checked in: no hidden folders but .ci, nothing that tools made."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(
            name
            for name in folders
            if (name not in MADE_BY_TOOLS or (name == "build" and Path(folder) != ROOT))
            and not name.endswith(".egg-info")
            and (name[0] != "." or name == ".ci")
        )
        # `.git` is a file where a second working tree of one clone is.
        kept = (name for name in sorted(files) if name != ".git" and not name.startswith(".coverage"))
        yield from (Path(folder) / name for name in kept)


def read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None  # a binary file


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def locked(lock: str) -> dict[str, str]:
    """Lead from each locked package to its block: the pin and its hashes."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(block.partition("==")[0].strip()): block for block in blocks if "==" in block}


def direct_requirements(*extras: str) -> set[str]:
    project = PYPROJECT["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in extras for line in project["optional-dependencies"][extra]),
    ]
    return {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_pin_and_hashes(lock):
    pin = re.compile(r"[\w.-]+==[\w.!+]+( ; .+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")
    assert [name for name, block in locked(lock).items() if not pin.match(block)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_address_no_path_and_no_pip_option(lock):
    text = (ROOT / lock).read_text()
    assert re.findall(r"^.*(?:://|^ *-(?!-hash=)|@ ).*$", text, re.MULTILINE) == []


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        pytest.param("requirements/server.txt", ("server", "postgres"), id="server"),
        pytest.param("requirements/dev.txt", ("server", "postgres", "demo", "dev"), id="dev"),
    ],
)
def test_lock_holds_every_direct_requirement(lock, extras):
    assert direct_requirements(*extras) - locked(lock).keys() == set()


def test_both_locks_agree_on_every_pin():
    server, dev = ({name: block.split()[0] for name, block in locked(lock).items()} for lock in LOCKS)
    assert {name: pin for name, pin in server.items() if dev.get(name) != pin} == {}


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_pages_name_exist_in_the_makefile(page):
    named = set(re.findall(r"(?:`|^ *)make ([a-z][a-z-]*)", (ROOT / page).read_text(), re.MULTILINE))
    assert named - make_targets() == set()


def test_every_make_target_is_phony_and_has_help():
    makefile = (ROOT / "Makefile").read_text()
    (listed,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    phony = set(listed.replace("\\\n", " ").split())
    helped = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert (phony, make_targets() - helped) == (make_targets(), {"fmt-check", "proto-check"})


def test_readme_opens_with_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    assert re.findall(r"^    make (\S+)", readme, re.MULTILINE)[:2] == ["run", "test"]


def test_map_fits_one_screen_and_names_every_room():
    page = (ROOT / "AGENTS.md").read_text()
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and next(path.iterdir(), None)}
    rooms = {name for name in folders if name[0] != "." and name not in MADE_BY_TOOLS and ".egg-info" not in name}
    rooms |= {
        path.name.removesuffix(".py")
        for path in (ROOT / "agen_authz").iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    } - {"__init__"}
    missing = sorted(room for room in rooms if not re.search(rf"(?<![\w/]){re.escape(room)}(/|\.py)", page))
    assert (missing, page.count("\n") <= SCREEN_LINES) == ([], True)


def test_nothing_foreign_is_written_anywhere():
    texts = ((path, read_text(path)) for path in tree() if path.name != "LICENSE")
    found = [
        f"{path.relative_to(ROOT)}: {what}: {match[0]!r}"
        for path, text in texts
        if text is not None
        for what, pattern in FOREIGN.items()
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_sizes_and_names_are_within_the_limits():
    assert shape.check_tree(ROOT, shape.load_limits(ROOT / "pyproject.toml", ROOT / "tools" / "words.toml")) == []


def test_every_decision_record_is_in_the_index():
    folder = ROOT / "docs" / "adr"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    numbers = [name.partition("-")[0] for name in records]
    linked = sorted(re.findall(r"\]\(([0-9]{4}-[^)]+)\)", (folder / "README.md").read_text()))
    assert (linked, numbers) == (records, sorted(set(numbers)))


LIMITS = shape.Limits(
    file_lines=6,
    function_lines=3,
    refused_words={"info": "what it is", "do": "what it does"},
    allowed_words={},
    exceptions={},
    shared_names={"Known": "one idea", "Gone": "shared no more"},
)


@pytest.mark.parametrize(
    ("place", "source", "expected"),
    [
        pytest.param("agen_authz/a.py", "def f():\n    x = 1\n    return x\n", [], id="within"),
        pytest.param(
            "agen_authz/a.py",
            "async def f():\n    x = 1\n    y = 2\n    return x\n",
            ["agen_authz/a.py:1: `f` has 4 lines, 3 at most; split it, or list it with its ADR"],
            id="long function",
        ),
        pytest.param(
            "agen_authz/a.py",
            "x = 1\n" * 7,
            ["agen_authz/a.py: 7 lines, 6 at most; split it, or list it with its ADR"],
            id="long file",
        ),
        pytest.param(
            "agen_authz/info.py",
            "class DoIt: ...\nclass Information: ...\ndef domain(): ...\n",
            [
                "agen_authz/info.py:1: `info` has the word `info`; say what it is",
                "agen_authz/info.py:1: `DoIt` has the word `do`; say what it does",
            ],
            id="names",
        ),
    ],
)
def test_shape_reports_what_is_beyond_the_limits(place, source, expected):
    assert list(shape.check_source(place, source, LIMITS)) == expected


def test_class_name_of_two_ideas_is_found_and_so_is_a_list_that_is_out_of_date():
    of_two = "class Twice: pass\nclass Known: pass\nclass _Own: pass\n"
    sources = {
        "agen_authz/a.py": of_two,
        "agen_authz/b.py": of_two,
        "agen_authz/demo/issuer/c.py": "class Alone: pass\n",
    }
    sources["agen_authz/d.py"] = "class Alone: pass\n"
    assert list(shape.check_shared_names(sources, LIMITS)) == [
        "agen_authz/a.py: `Twice` is a class in agen_authz/b.py too; one word is one idea, so rename one",
        "pyproject.toml: `Gone` is listed as shared and is not; remove it",
    ]


def test_coverage_needs_the_threshold_of_each_room():
    def entry(covered: int, missing: int) -> dict[str, dict[str, float]]:
        total = covered + missing
        counts = {"covered_lines": covered, "num_statements": total, "missing_lines": missing}
        return {"summary": counts | {"percent_covered": 100 * covered / total}}

    report = {
        "files": {
            "agen_authz/core/a.py": entry(9, 1),
            "agen_authz/core/b.py": entry(10, 0),
            "agen_authz/facts.py": entry(9, 1),
        }
    }
    rooms = coverage_thresholds.measure(report)
    assert (rooms, coverage_thresholds.find_gaps(rooms, {"default": 90, "core": 100})) == (
        [
            coverage_thresholds.Room("core", 19, 20, ("agen_authz/core/a.py 90.0 %",)),
            coverage_thresholds.Room("facts", 9, 10, ("agen_authz/facts.py 90.0 %",)),
        ],
        [coverage_thresholds.Room("core", 19, 20, ("agen_authz/core/a.py 90.0 %",))],
    )


def test_generated_imports_lead_into_our_package():
    source = (
        "from agen.envoy.v1 import a_pb2 as _a\nimport agen.envoy.v1.a_pb2 as _b\n"
        "from google.protobuf import descriptor\nfrom agency import x\n"
    )
    assert proto.rewrite_imports(source, {"agen"}) == (
        "from agen_authz._pb.agen.envoy.v1 import a_pb2 as _a\n"
        "import agen_authz._pb.agen.envoy.v1.a_pb2 as _b\n"
        "from google.protobuf import descriptor\nfrom agency import x\n"
    )


def classes_of(place: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """Walk over the classes of a file or folder."""
    found = ROOT / place
    for path in [found] if found.is_file() else sorted(found.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield path.relative_to(ROOT).as_posix(), node


def methods_of(found: ast.ClassDef) -> set[str]:
    return {each.name for each in found.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def names_in(found: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(found) if isinstance(node, ast.Name)}


def taken_from_rigs(suite: ast.Module) -> Iterator[ast.stmt]:
    """Walk over what a contract suite imports from the files next to it: some make their fakes there."""
    for taken in suite.body:
        if isinstance(taken, ast.ImportFrom) and (taken.module or "").startswith("tests.adapters."):
            rig = ast.parse((ROOT / f"{str(taken.module).replace('.', '/')}.py").read_text())
            wanted = {each.name for each in taken.names}
            yield from (each for each in rig.body if getattr(each, "name", None) in wanted)


def named_in_suites() -> dict[str, set[str]]:
    """Lead from each port to the names in its contract suite, which is the one whose first line has the port."""
    named: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests" / "adapters").glob("test_contract_*.py")):
        suite = ast.parse(path.read_text())
        names = names_in(suite).union(*map(names_in, taken_from_rigs(suite)))
        for port in re.findall(r"`(\w+)`", ast.get_docstring(suite) or ""):
            assert named.setdefault(port, names) is names, f"`{port}` has two contract suites"
    return named


FAKES = ("tests/fakes.py", "tests/approval_fakes.py", "tests/console/rig.py")


def test_every_fake_of_a_port_is_in_the_contract_suite_of_its_port():
    ports = {port.name: methods_of(port) for _, port in classes_of("agen_authz/ports") if methods_of(port)}
    family = {each.name for file in FAKES for _, each in classes_of(file)}
    suites = named_in_suites()
    fakes = [
        (place, each.name, port)
        for place, each in classes_of("tests")
        for port, needed in ports.items()
        # A test may derive from a fake, to break it.
        if needed <= methods_of(each) and not family & {ast.unparse(base) for base in each.bases}
    ]
    assert [each for each in fakes if each[0] not in FAKES] == []
    assert [each for each in fakes if each[1] not in suites.get(each[2], ())] == []
    # The check looks where it should: these have a fake.
    assert {"KeySource", "TaskStore", "ApprovalStore", "Outbox", "Notifier", "IdentityProvider"} <= {
        port for _, _, port in fakes
    }


def imported_by(place: str) -> Iterator[tuple[str, str]]:
    """Walk over the modules of this tree that files of a folder import: the file, and the module."""
    for path in sorted((ROOT / place).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            yield from ((path.relative_to(ROOT).as_posix(), name) for name in names)


def test_benchmarks_import_the_stage_of_the_tests_and_only_their_own_tests_import_them():
    taken = {name for _, name in imported_by("bench") if name.split(".")[0] == "tests"}
    users = {place for place, name in imported_by("tests") if name.split(".")[0] == "bench"}
    assert {name for name in taken if not name.startswith("tests.stage.")} == set()
    assert {place for place in users if not place.startswith("tests/bench/")} == set()


def test_only_the_stage_looks_for_ports_and_starts_processes():
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    texts |= {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "bench").rglob("*.py")}
    patterns = {
        "a free port": r"def _?free_(port|address)|prob[e]\.bind",
        "a sidecar": r'"agen_authz", "serv[e]"',
    }
    begun = r"\bPope[n]\(|create_subproces[s]"
    found = {
        (place, what) for place, text in texts.items() for what, pattern in patterns.items() if re.search(pattern, text)
    }
    found |= {
        (place, "a process") for place, text in texts.items() if place.startswith("tests/") and re.search(begun, text)
    }
    assert {each for each in found if not each[0].startswith("tests/stage/")} == set()


def test_what_is_mutated_and_what_should_notice_exist():
    named = {path for part in mutate.PARTS for path in (*part.modules, *part.tests)}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
