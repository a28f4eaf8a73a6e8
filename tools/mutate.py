"""Changes one line at a time and asks the nearest tests whether they notice: `make mutate`.

Each part of the tree has a session of cosmic-ray (build/mutate/PART), which tries its mutations in random order. A run
is bounded in time and continues where the last one stopped, until the sources or tests of the part change. What is
mutated is a copy of the tree.
"""

import argparse
import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "mutate"
COPY = HOME / "tree"
COPIED = ("agen_authz", "tests", "docs", "envoy", "pyproject.toml", "AGENTS.md", "README.md", "Makefile")
TEST_TIMEOUT_S = 120
_END_S = 20


@dataclass(frozen=True)
class Part:
    """Modules that are mutated, and the tests that should notice; paths are relative to the tree."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its session is kept."""
        return HOME / self.name


_WHOLE_CHECK = ("tests/core", "tests/check", "tests/wire", "tests/properties")
PARTS = (
    Part("core", ("agen_authz/core",), _WHOLE_CHECK),
    Part("wire", ("agen_authz/wire",), _WHOLE_CHECK),
    Part("facts", ("agen_authz/facts.py",), _WHOLE_CHECK),
    Part("obligations", ("agen_authz/obligations",), _WHOLE_CHECK),
    Part("audit", ("agen_authz/adapters/audit",), ("tests/adapters",)),
    Part("verify", ("agen_authz/verify",), ("tests/verify", "tests/signing/test_vectors.py")),
    Part("jwks", ("agen_authz/adapters/jwks",), ("tests/adapters",)),
)


def main() -> int:
    """Run the parts that were asked for, and print their scores."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(part.name for part in PARTS))
    parser.add_argument("--seconds", type=float, default=600.0, help="for each part; 0 only prints what is known")
    asked = parser.parse_args()
    parts = [part for part in PARTS if not asked.parts or part.name in asked.parts]
    if len(parts) < len(set(asked.parts)):
        parser.error(f"there are {', '.join(part.name for part in PARTS)}")
    for part in parts:
        if asked.seconds > 0:
            _renew_copy()
            _prepare(part)
            _run(part, asked.seconds)
    print(f"{'part':<14}{'mutations':>10}{'tried':>8}{'killed':>8}{'score':>8}")
    for part in parts:
        print(_row(part))
    print(f"What survived: {HOME.relative_to(ROOT)}/PART/survivors.diff")
    return 0


def _renew_copy() -> None:
    # A run that was cut off leaves its last mutation behind.
    shutil.rmtree(COPY, ignore_errors=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            COPY.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, COPY / name)


def _prepare(part: Part) -> None:
    """Begin a session, unless there is one of these very sources and tests."""
    part.folder.mkdir(parents=True, exist_ok=True)
    stamp, current = part.folder / "sources.txt", _digest(part)
    if stamp.exists() and stamp.read_text("utf-8") == current and (part.folder / "session.sqlite").exists():
        return
    shutil.rmtree(part.folder)
    part.folder.mkdir()
    tests = " ".join(part.tests)
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider {tests}"
    modules = json.dumps(list(part.modules))
    (part.folder / "config.toml").write_text(
        f"[cosmic-ray]\nmodule-path = {modules}\ntimeout = {TEST_TIMEOUT_S}.0\nexcluded-modules = []\n"
        f'test-command = {json.dumps(command)}\n\n[cosmic-ray.distributor]\nname = "local"\n',
        "utf-8",
    )
    _cosmic_ray("init", part)
    _check_baseline(command)
    stamp.write_text(current, "utf-8")


def _digest(part: Part) -> str:
    digest = hashlib.sha256()
    for name in (*part.modules, *part.tests):
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else (path,):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _check_baseline(command: str) -> None:
    # Tests that fail by themselves would count every mutation as noticed.
    done = subprocess.run(command.split(), cwd=COPY, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the tests fail without any mutation:\n{done.stdout[-2000:]}")


def _cosmic_ray(verb: str, part: Part) -> "subprocess.Popen[bytes]":
    binary = HOME / "venv" / "bin" / "cosmic-ray"
    process = subprocess.Popen([binary, verb, part.folder / "config.toml", part.folder / "session.sqlite"], cwd=COPY)
    if verb == "init" and process.wait():
        sys.exit("cosmic-ray cannot read the sources")
    return process


def _run(part: Part, seconds: float) -> None:
    process = _cosmic_ray("exec", part)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        process.kill()
        process.wait()


def _row(part: Part) -> str:
    session = part.folder / "session.sqlite"
    if not session.exists():
        return f"{part.name:<14}{'not tried yet':>34}"
    binary = HOME / "venv" / "bin" / "cosmic-ray"
    dumped = subprocess.run([binary, "dump", session], capture_output=True, text=True, check=True).stdout
    rows = [json.loads(line) for line in dumped.splitlines()]
    results = [result for _, result in rows if result is not None]
    survivors = [result["diff"] or "" for result in results if result["test_outcome"] == "survived"]
    (part.folder / "survivors.diff").write_text("\n".join(sorted(survivors)), "utf-8")
    killed = len(results) - len(survivors)
    score = f"{killed / len(results):.1%}" if results else "-"
    return f"{part.name:<14}{len(rows):>10}{len(results):>8}{killed:>8}{score:>8}"


if __name__ == "__main__":
    sys.exit(main())
