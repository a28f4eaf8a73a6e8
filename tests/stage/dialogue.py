"""A command that is talked to: what it prints is read line by line, and what a person types is sent to it."""

import subprocess
import sys

from tests.stage.process import BOUND_S


class Dialogue:
    """One run of `agen-authz`; end it with `end`."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-m", "agen_authz", *words]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def hear(self) -> str:
        """Read a line of its standard error."""
        assert self._process.stderr is not None
        return self._process.stderr.readline()

    def end(self, typed: str = "") -> tuple[int, str, str]:
        """Type the rest, wait for its end; its exit code and what it printed, on standard output and error."""
        try:
            out, err = self._process.communicate(typed, timeout=BOUND_S)
        finally:
            if self._process.poll() is None:
                self._process.kill()
        return self._process.returncode, out, err
