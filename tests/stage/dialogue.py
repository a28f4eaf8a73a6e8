"""A command that is talked to: what it prints is read line by line, and what a person types is sent to it."""

import os
from tempfile import TemporaryFile

from tests.stage.forked import ended, fork_command


class Dialogue:
    """One run of `agen-authz`; end it with `end`."""

    def __init__(self, *words: str) -> None:
        self._out = TemporaryFile("w+")  # noqa: SIM115 -- `end` closes it
        typed, written = os.pipe()
        said, saying = os.pipe()
        self._typed, self._said = os.fdopen(written, "w"), os.fdopen(said)
        self._process = fork_command(words, [typed, self._out.fileno(), saying])
        os.close(typed)
        os.close(saying)

    def hear(self) -> str:
        """Read a line of its standard error."""
        return self._said.readline()

    def end(self, typed: str = "") -> tuple[int, str, str]:
        """Type the rest, wait for its end; its exit code and what it printed, on standard output and error."""
        with self._out, self._said:
            try:
                with self._typed:
                    self._typed.write(typed)
            except BrokenPipeError:
                pass  # it ended without reading
            code = ended(self._process)
            self._out.seek(0)
            return code, self._out.read(), self._said.read()
