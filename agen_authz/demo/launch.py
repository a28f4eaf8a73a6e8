"""Starts the demo's parts in the order they need each other, watches over them, and ends all of them."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from agen_authz.demo.plan import HOST, Plan

_READY_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 8.0
_POLL_S = 0.05
_LOG_TAIL = 3


class DemoError(Exception):
    """The demo cannot run; the message is one line for a person."""


@dataclass(slots=True)
class _Part:
    name: str
    process: asyncio.subprocess.Process
    log_file: Path


@dataclass(slots=True)
class Parts:
    """The running parts, in the order they were started."""

    plan: Plan
    running: list[_Part] = field(default_factory=list)

    async def start(self, name: str, *command: str, stdout: Path | None = None) -> None:
        """Start one part; its output goes to a file of the state directory."""
        log_file = self.plan.state / f"{name}.log"
        with log_file.open("ab") as log, (stdout or log_file).open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                # A signal for the terminal's whole group is ours to pass on, in our order.
                start_new_session=True,
            )
        self.running.append(_Part(name, process, log_file))

    def check(self) -> None:
        """Raise if a part has ended."""
        for part in self.running:
            if part.process.returncode is not None:
                raise DemoError(f"{part.name} ended with code {part.process.returncode}: {_tail(part.log_file)}")

    async def watch(self) -> None:
        """Return when a part ends by itself."""
        waits = [asyncio.ensure_future(part.process.wait()) for part in self.running]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.check()

    async def stop(self) -> None:
        """End all parts, the last started first; none is left behind."""
        for part in reversed(self.running):
            with contextlib.suppress(ProcessLookupError):
                part.process.terminate()
        for part in reversed(self.running):
            try:
                await asyncio.wait_for(part.process.wait(), _STOP_TIMEOUT_S)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    part.process.kill()
                await part.process.wait()


def _tail(log_file: Path) -> str:
    lines = log_file.read_text("utf-8", "replace").splitlines()
    return " | ".join(lines[-_LOG_TAIL:]) or f"see {log_file}"


def refuse_taken_ports(plan: Plan) -> None:
    """Check that every port is free.

    Raises:
        DemoError: one is taken, by another demo or by something else.
    """
    for name, port in plan.listeners().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as exc:
                who = "another demo is running" if name == "Envoy" else "something else listens there"
                raise DemoError(f"port {port} for {name} is in use: {who}; end it and start again") from exc


async def await_url(parts: Parts, url: str, statuses: frozenset[int]) -> None:
    """Wait until a URL answers with one of `statuses`.

    Raises:
        DemoError: it did not in time, or a part ended meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + _READY_TIMEOUT_S
    async with httpx.AsyncClient(trust_env=False, timeout=1.0) as client:
        while asyncio.get_running_loop().time() < deadline:
            parts.check()
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code in statuses:
                    return
            await asyncio.sleep(_POLL_S)
    raise DemoError(f"{url} does not answer as it should; the logs are in {parts.plan.state}")


@contextlib.asynccontextmanager
async def stop_on_signals() -> AsyncIterator[asyncio.Event]:
    """Yield an event that SIGINT and SIGTERM set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def own_command(*words: str) -> tuple[str, ...]:
    """Spell a command of this package, run by this Python."""
    return (sys.executable, "-m", *words)
