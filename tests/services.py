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
from tests.stage.process import STOP_S, running


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Run PostgreSQL with an empty database; its URL, without a password on loopback."""
    # It refuses to run as root; whoever else runs this owns the folder anyway.
    user = "postgres" if os.geteuid() == 0 else None
    folder, port = Path(tempfile.mkdtemp(prefix="agen-postgresql-")), reserve_port()
    if user is not None:
        shutil.chown(folder, user)
    binaries = _postgresql_binaries()
    try:
        initdb = [
            str(binaries / "initdb"),
            "-D",
            str(folder / "db"),
            "-A",
            "trust",
            "-U",
            "agen",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, user=user)
        # `-F` and no socket files: nothing of it outlives the test.
        options = ["-h", HOST, "-p", str(port), "-F", "-c", "unix_socket_directories="]
        command = [str(binaries / "postgres"), "-D", str(folder / "db"), *options]
        asked = [str(binaries / "pg_isready"), "-h", HOST, "-p", str(port)]
        with running(command, folder / "log", lambda: _has_answered(asked), cwd=folder, user=user) as process:
            yield f"postgresql://agen@{HOST}:{port}/postgres"
            # SIGINT is its fast end; SIGTERM waits for its clients.
            process.send_signal(signal.SIGINT)
            process.wait(STOP_S)
    finally:
        shutil.rmtree(folder)


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
