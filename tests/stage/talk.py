"""Processes that print what a test waits for, and may be asked: lines or bytes, bounded in time."""

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.stage.process import START_S, STOP_S, Process, end, tail

_CHUNK_BYTES = 65536


class Talk:
    """A process whose standard input and output are the test's; its errors are in a log.

    Every method raises AssertionError if the process ends or says nothing for too long, with the last lines of its log.
    """

    def __init__(self, process: Process, log: Path) -> None:
        assert process.stdin is not None and process.stdout is not None
        self.process = process
        self.log = log
        self._stdin: IO[bytes] = process.stdin
        self._stdout: IO[bytes] = process.stdout
        self._heard = b""

    def say(self, raw: bytes) -> None:
        """Write to its input."""
        self._stdin.write(raw)
        self._stdin.flush()

    def read_line(self) -> str:
        """Read the next line that it prints, without its end."""
        while b"\n" not in self._heard:
            assert self._hear(), self._describe_end()
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode("utf-8")

    def read_lines(self) -> Iterator[str]:
        """Read the lines that it prints, until it ends; what is not a whole line by then is left out."""
        while self._hear():
            *lines, self._heard = self._heard.split(b"\n")
            for line in lines:
                yield line.decode("utf-8")

    def read(self, length: int) -> bytes:
        """Read so many bytes."""
        while len(self._heard) < length:
            assert self._hear(), self._describe_end()
        taken, self._heard = self._heard[:length], self._heard[length:]
        return taken

    def read_rest(self) -> tuple[int, str, str]:
        """Wait for its end; its exit status, what it printed until then, and its log."""
        while self._hear():
            pass
        return self.process.wait(STOP_S), self._heard.decode("utf-8"), self.log.read_text("utf-8")

    def _hear(self) -> bool:
        ready, _, _ = select.select([self._stdout], [], [], START_S)
        assert ready, f"{self.log.stem} said nothing for {START_S:g} s:\n{tail(self.log)}"
        more = os.read(self._stdout.fileno(), _CHUNK_BYTES)
        self._heard += more
        return bool(more)

    def _describe_end(self) -> str:
        return f"{self.log.stem} ended with code {self.process.wait(STOP_S)}:\n{tail(self.log)}"


@contextmanager
def talking(command: list[str], log: Path, **options: Any) -> Iterator[Talk]:
    """Run a command to talk with, ended on exit; its messages call it by the name of its log.

    Args:
        options: those of Popen.
    """
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, **options) as process,
    ):
        try:
            yield Talk(process, log)
        finally:
            end(process)
