"""The whole demo from start to end: what `agen-authz demo` does."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agen_authz.config import load
from agen_authz.demo.issuer.client import DEMO_SECRET
from agen_authz.demo.launch import DemoError, Parts, await_url, own_command, refuse_taken_ports, stop_on_signals
from agen_authz.demo.pin import pin_all
from agen_authz.demo.plan import HOST, RESOURCES, DemoPorts, Plan, render_config
from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import TcpAddress, Unusable, Upstream
from agen_authz.envoy.render import render_sidecar
from agen_authz.envoy.settings import Placement, from_config

_KEY_BYTES = 32
_ENVOY_OPTIONS = ("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning", "--drain-time-s", "1")


@asynccontextmanager
async def running(plan: Plan) -> AsyncIterator[Parts]:
    """Run every part of the demo; ready on entry, all ended on exit.

    Raises:
        DemoError: a port is taken, a binary is missing, or a part did not start.
    """
    refuse_taken_ports(plan)
    binary = find_binary()
    if isinstance(binary, Unusable):
        raise DemoError(str(binary))
    write_files(plan)
    parts = Parts(plan)
    try:
        await _start_all(parts, binary)
        yield parts
    finally:
        await parts.stop()


def write_files(plan: Plan) -> None:
    """Write the sidecar's configuration and Envoy's, rendered from it."""
    for name in RESOURCES:
        _write_key(plan.keys_dir(name), f"{name}-1")
        plan.descriptions_dir(name).mkdir(parents=True, exist_ok=True)
    # What the console signs in with is known to the issuer, too; what the store encrypts with is not.
    _write_file(plan.keys_dir("people"), "console", DEMO_SECRET)
    if not (plan.keys_dir("people") / "store").exists():
        _write_key(plan.keys_dir("people"), "store")
    plan.config_file.write_text(render_config(plan), "utf-8")
    loaded = load(plan.config_file, environ=os.environ)
    ports = plan.ports
    upstreams = {
        "crm": Upstream(TcpAddress(HOST, ports.crm)),
        "billing": Upstream(TcpAddress(HOST, ports.billing)),
    }
    placement = Placement(listener=TcpAddress(HOST, ports.envoy), upstreams=upstreams)
    sidecar = from_config(loaded.config, loaded.secrets.metadata_key, placement)
    if isinstance(sidecar, Unusable):
        raise DemoError(str(sidecar))
    plan.envoy_file.write_text(render_sidecar(sidecar), "utf-8")


def _write_key(folder: Path, key_id: str) -> None:
    _write_file(folder, key_id, secrets.token_hex(_KEY_BYTES))


def _write_file(folder: Path, name: str, content: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    file.touch(mode=0o600)
    file.write_bytes(content.encode("ascii") + b"\n")


async def _start_all(parts: Parts, binary: Path) -> None:
    plan, ports = parts.plan, parts.plan.ports
    resources = [word for name in ("crm", "billing") for word in ("--resource", plan.url_of(name))]
    issuer = own_command("agen_authz.demo.issuer", "--port", str(ports.issuer), *resources)
    await parts.start("issuer", *issuer)
    listening = ["--crm", str(ports.crm), "--billing", str(ports.billing)]
    keys = [word for name in RESOURCES for word in (f"--{name}-keys", str(plan.keys_dir(name)))]
    told = [word for name in RESOURCES for word in (f"--{name}-descriptions", str(plan.descriptions_dir(name)))]
    backend = own_command("agen_authz.demo.backend", *listening, *keys, *told)
    await parts.start("backend", *backend)
    await parts.start("envoy", str(binary), "--config-path", str(plan.envoy_file), *_ENVOY_OPTIONS)
    # Started when its provider answers: the first fetch of keys then finds them.
    await await_url(parts, f"{plan.issuer}/jwks", frozenset({200}))
    sidecar = own_command("agen_authz", "serve", "--config", str(plan.config_file))
    await parts.start("sidecar", *sidecar, stdout=plan.audit_file)
    await await_url(parts, f"http://{HOST}:{ports.ops}/readyz", frozenset({200}))
    await await_url(
        parts, f"{plan.url_of('crm').replace('/crm', '/.well-known/oauth-protected-resource/crm')}", frozenset({200})
    )
    await pin_all(plan)


async def run_demo(
    state: Path | None,
    ports: DemoPorts,
    play: Callable[[Parts], Awaitable[bool]] | None,
    show: Callable[[Plan], None],
) -> bool:
    """Run the demo until it is stopped, or until `play` is over.

    Args:
        state: the directory for its files. If None, a new one, which is removed at the end; after a tour its
            evidence stays.
        ports: where the parts listen.
        play: what to do with the running demo; its answer is returned.
        show: called once, when the tools are pinned and a call through Envoy was allowed.
    """
    folder = Path(tempfile.mkdtemp(prefix="agen-demo-")) if state is None else state
    folder.mkdir(parents=True, exist_ok=True)
    try:
        async with stop_on_signals() as stopped, running(Plan(folder.resolve(), ports)) as parts:
            show(parts.plan)
            return await _until(stopped, parts, play)
    finally:
        if state is None:
            _clean_up(folder, keeps_evidence=play is not None)


def _clean_up(folder: Path, *, keeps_evidence: bool) -> None:
    if not keeps_evidence:
        shutil.rmtree(folder)
        return
    evidence = Plan(folder.resolve()).audit_file.name
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != evidence:
            path.unlink()


async def _until(stopped: asyncio.Event, parts: Parts, play: Callable[[Parts], Awaitable[bool]] | None) -> bool:
    watch = asyncio.create_task(parts.watch())
    ending = asyncio.create_task(_wait(stopped))
    playing = None if play is None else asyncio.create_task(_play(play, parts))
    tasks: list[asyncio.Task[None] | asyncio.Task[bool]] = [watch, ending]
    if playing is not None:
        tasks.append(playing)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if not watch.cancelled():
        watch.result()
    return playing is None or (not playing.cancelled() and playing.result())


async def _play(play: Callable[[Parts], Awaitable[bool]], parts: Parts) -> bool:
    return await play(parts)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
