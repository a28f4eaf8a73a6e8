"""Real servers that packages bring (tools/install-test-services): on loopback, each in a separate folder."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stage.port import HOST, is_listening, reserve_port
from tests.stage.process import STOP_S, Process, running


class PostgresqlServer:
    """PostgreSQL in a folder of its own, on loopback; may be stopped and started again with what it keeps."""

    def __init__(self, folder: Path, *settings: str) -> None:
        # It refuses to run as root; whoever else runs this owns the folder anyway.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder, self._port, self._settings = folder, reserve_port(), settings
        if self._user is not None:
            shutil.chown(folder, self._user)
        self._binaries = _postgresql_binaries()
        self.url = f"postgresql://agen@{HOST}:{self._port}/postgres"
        self.data = folder / "db"
        initdb = [str(self._binaries / "initdb"), "-D", str(self.data), "-A", "trust", "-U", "agen", "--no-sync"]
        subprocess.run([*initdb, "-E", "UTF8"], check=True, capture_output=True, cwd=folder, user=self._user)

    @contextmanager
    def running(self) -> Iterator[Process]:
        """Run it until the block ends."""
        # `-F` and no socket files: nothing of it outlives the test.
        options = ["-h", HOST, "-p", str(self._port), "-F", "-c", "unix_socket_directories="]
        options += [word for each in self._settings for word in ("-c", each)]
        command = [str(self._binaries / "postgres"), "-D", str(self.data), *options]
        asked = [str(self._binaries / "pg_isready"), "-h", HOST, "-p", str(self._port)]
        place, log = self._folder, self._folder / "log"
        with running(command, log, lambda: _has_answered(asked), cwd=place, user=self._user) as process:
            yield process
            # SIGINT is its fast end; SIGTERM waits for its clients.
            process.send_signal(signal.SIGINT)
            process.wait(STOP_S)


@contextmanager
def new_postgresql(*settings: str) -> Iterator[PostgresqlServer]:
    """Make PostgreSQL with an empty database; it does not run yet. `settings` are NAME=VALUE."""
    folder = Path(tempfile.mkdtemp(prefix="agen-postgresql-"))
    try:
        yield PostgresqlServer(folder, *settings)
    finally:
        shutil.rmtree(folder)


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Run PostgreSQL with an empty database; its URL, without a password on loopback."""
    with new_postgresql() as server, server.running():
        yield server.url


def _postgresql_binaries() -> Path:
    # Debian keeps them next to each other by version, away from the PATH.
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = kept[-1] if kept else Path(shutil.which("postgres") or "postgres")
    return found.resolve().parent


@contextmanager
def running_redis() -> Iterator[int]:
    """Run Redis without persistence; its port."""
    port = reserve_port()
    with tempfile.TemporaryDirectory(prefix="agen-redis-") as folder:
        options = ["--bind", HOST, "--port", str(port), "--save", "", "--dir", folder]
        with running(["redis-server", *options], Path(folder) / "log", lambda: is_listening(port)):
            yield port


def _has_answered(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
