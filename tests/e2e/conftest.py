"""One world for all tests of a module, one for all attacks, one for all answers: starting it takes seconds."""

from collections.abc import Iterator

import pytest

from tests.e2e.told import Told, told_world
from tests.stage.world import World, running_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("attacked")) as running:
        yield running


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with told_world(tmp_path_factory.mktemp("told")) as running:
        yield running
