"""The sidecar as it is run, `agen-authz serve`, on a configuration that is written already."""

import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.stage.process import Process, await_true, end, is_answering

COMMAND = (sys.executable, "-m", "agen_authz", "serve", "--config")


def start_sidecar(config_file: Path, ops: str, events: "IO[bytes] | int", log: Path | None = None) -> Process:
    """Start it and wait until calls are welcome; the caller ends it.

    Args:
        ops: host and port of its operations.
        events: what its events are written to.
        log: where its log goes; by default `sidecar.log` next to the configuration.

    Raises:
        AssertionError: it ended, or took too long; with the last lines of its log.
    """
    log = log or config_file.parent / "sidecar.log"
    process = spawn_sidecar(config_file, events, log)
    try:
        await_sidecar(process, ops, log)
    except BaseException:
        end(process)
        raise
    return process


def spawn_sidecar(config_file: Path, events: "IO[bytes] | int", log: Path) -> Process:
    """Start it, and wait for nothing."""
    with log.open("ab") as errors:
        command = [*COMMAND, str(config_file)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=events, stderr=errors)


def await_sidecar(process: Process, ops: str, log: Path) -> None:
    """Wait until calls are welcome."""
    await_true(process, "the sidecar", lambda: is_answering(f"http://{ops}/readyz"), log)
