"""Real servers that packages bring (tools/install-test-services): on loopback, each in a folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
START_S = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Run PostgreSQL with an empty database; its URL, without a password on loopback."""
    # It refuses to run as root; whoever else runs this owns the folder anyway.
    user = "postgres" if os.geteuid() == 0 else None
    folder, port = Path(tempfile.mkdtemp(prefix="agen-postgresql-")), _free_port()
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
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, user=user)
        try:
            _await_port(port, process, folder / "log")
            _await_answer([str(binaries / "pg_isready"), "-h", HOST, "-p", str(port)], process)
            yield f"postgresql://agen@{HOST}:{port}/postgres"
        finally:
            # SIGINT is its fast end; SIGTERM waits for its clients.
            process.send_signal(signal.SIGINT)
            process.wait(START_S)
    finally:
        shutil.rmtree(folder)


def _postgresql_binaries() -> Path:
    # Debian keeps them beside each other by version, away from the PATH.
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = kept[-1] if kept else Path(shutil.which("postgres") or "postgres")
    return found.resolve().parent


@contextmanager
def running_redis() -> Iterator[int]:
    """Run Redis without persistence; its port."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="agen-redis-") as folder:
        options = ["--bind", HOST, "--port", str(port), "--save", "", "--dir", folder]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(["redis-server", *options], stdout=output, stderr=output)
        try:
            _await_port(port, process, log)
            yield port
        finally:
            process.terminate()
            process.wait(START_S)


def _await_port(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"it does not listen: {log.read_text('utf-8', 'replace')[-500:]}")


def _await_answer(command: list[str], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError("it listens and does not answer")
