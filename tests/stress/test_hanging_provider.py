"""A provider that hangs, seen by clients behind a real Envoy: its new keys wait, everything else continues."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp

from tests import builders as build
from tests.stage.process import START_S
from tests.stage.world import Provider, World, modern, running_world, tool_call

pytestmark = pytest.mark.envoy
STRANGERS = 40


@dataclass
class Hanging:
    """An issuer that takes requests and answers none until it is let go."""

    app: ASGIApp
    asked: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.set()
        await asyncio.to_thread(self.released.wait, START_S)
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("hanging")) as running:
        yield running


@contextmanager
def hanging(provider: Provider) -> Iterator[Hanging]:
    """Let a provider hang; on entry the sidecar waits for it already (it refreshes keys every second)."""
    real = provider.app
    provider.app = held = Hanging(real)
    try:
        assert held.asked.wait(START_S)
        yield held
    finally:
        provider.app = real
        held.released.set()


def status_of(world: World, token: str) -> tuple[int, int | None]:
    answer = world.post(token, tool_call(), **modern())
    return answer.status_code, answer.json().get("error", {}).get("code")


def test_provider_that_hangs_denies_only_callers_who_need_its_answer(world: World):
    forger = build.ec_key("forger")
    with hanging(world.one), ThreadPoolExecutor(STRANGERS) as pool:
        unknown = [world.one.mint(world.crm, private=forger, kid=f"unknown-{n}") for n in range(STRANGERS)]
        strangers = [pool.submit(status_of, world, token) for token in unknown]
        good = set()
        while not all(each.done() for each in strangers):
            good |= {status_of(world, provider.mint(world.crm)) for provider in (world.one, world.two)}
    # Not 401: nobody can tell whether their keys are published.
    assert {each.result() for each in strangers} == {(503, 50300)}
    assert good == {(200, None)}


def test_provider_that_answers_again_is_asked_again(world: World):
    token = world.one.mint(world.crm, private=build.ec_key("forger"), kid="unknown")
    deadline = time.monotonic() + START_S
    while (seen := status_of(world, token)) == (503, 50300) and time.monotonic() < deadline:
        continue
    assert seen[0] == 401
    assert status_of(world, world.one.mint(world.crm)) == (200, None)
