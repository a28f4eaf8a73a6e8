"""Runs of `agen-authz` that are forked from one process, which has imported its modules already.

An import takes seconds, which each process that is started spends again. A run has its own words, environment, standard
streams and exit code. The sidecars that tests start are processes of their own (sidecar.py).
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from agen_authz.cli.main import main
from tests.stage.process import BOUND_S

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.stage.forked", "agen_authz.app.run"])


@dataclass(frozen=True)
class _Handed:
    """A file that the run gets a duplicate of; it is made while the process starts."""

    number: int

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any]]:
        return _detach, (DupFd(self.number),)


def _detach(duplicate: Any) -> int:
    return int(duplicate.detach())


def fork_command(words: Sequence[str], streams: Sequence[int]) -> ForkServerProcess:
    """Run `agen-authz` on three files: its standard input, output and error. The caller ends it."""
    handed = [_Handed(stream) for stream in streams]
    process = _CONTEXT.Process(target=_run, args=(list(words), dict(os.environ), handed))
    process.start()
    return process


def _run(words: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["agen-authz", *words]
    main()


def ended(process: ForkServerProcess) -> int:
    """Wait for the end of a run; its exit code."""
    process.join(BOUND_S)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def run_command(*words: str) -> tuple[int, str, str]:
    """Run `agen-authz` with nothing typed; its exit code and what it printed, on standard output and error."""
    with Path(os.devnull).open() as nothing, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        process = fork_command(words, [nothing.fileno(), out.fileno(), err.fileno()])
        code = ended(process)
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()
