"""A bounded run of one target: what it costs, what it leaves, and how a finding is told."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets.every import TARGETS

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = Path(__file__).resolve().parent / "corpus"
WORDS = Path(__file__).resolve().parent / "words.dict"
BUILT = ROOT / "build" / "fuzz"
SITE = BUILT / "site"
# Beyond its time a run has this long to read the corpus, and to end.
_GRACE_S = 120
_TAIL_CHARS = 2000
# What the fuzzer says: where an input was written to, how many it tried, and the exception that stopped it.
_WRITTEN = re.compile(r"Test unit written to (\S+)")
_COUNTED = re.compile(r"^stat::number_of_executed_units: (\d+)$", re.MULTILINE)
_FAULT = re.compile(r"=== Uncaught Python exception: ===\n(.*?)\n\n==", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, and what the fuzzer said."""

    name: str
    is_clean: bool
    said: str

    @property
    def findings(self) -> tuple[str, ...]:
        """List the inputs that broke a promise, as paths."""
        return tuple(dict.fromkeys(_WRITTEN.findall(self.said)))

    def tell(self) -> str:
        """Describe the result of a run in a few lines."""
        if self.is_clean:
            counted = _COUNTED.findall(self.said)
            return f"{self.name}: {counted[-1] if counted else 'no'} inputs, no finding\n"
        fault = _FAULT.search(self.said)
        lines = [f"{self.name}: a promise is broken\n", fault[1] if fault else self.said[-_TAIL_CHARS:], "\n"]
        for path in self.findings:
            lines.append(f"replay it: python -m tests.fuzz {self.name} --replay {path}\n")
        return "".join(lines)


def run_fuzzer(name: str, seconds: int, built: Path = BUILT) -> Ended:
    """Fuzz one target, beginning with the corpus and with what earlier runs found new.

    Args:
        seconds: how long; with 0, the corpus is read and nothing else is tried.
        built: where new inputs, findings and the log are kept.
    """
    assert (SITE / "atheris").is_dir(), "the fuzzer is not installed: run tools/install-fuzz"
    found, findings, log = built / "found" / name, built / "findings", built / "log" / f"{name}.txt"
    for folder in (found, findings, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    options = (
        *(f"-max_total_time={seconds}", f"-dict={WORDS}", f"-artifact_prefix={_shown(findings)}/{name}-"),
        *(() if seconds else ("-runs=0",)),
        *("-print_final_stats=1", _shown(found), _shown(CORPUS / TARGETS[name].corpus)),
    )
    command = (sys.executable, "-m", "tests.fuzz.engine", str(SITE), name, *options)
    with log.open("wb") as out:
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdout=out, stderr=out, check=False, timeout=seconds + _GRACE_S
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    return Ended(name, code == 0, log.read_text("utf-8", "replace"))


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
