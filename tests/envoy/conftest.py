"""One Envoy for each module."""

from collections.abc import Iterator

import pytest

from tests.envoy.stand import Stand, run_stand


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Run the plain stand; a module that needs another one has a fixture of this name."""
    with run_stand(tmp_path_factory.mktemp("envoy")) as stand:
        yield stand


@pytest.fixture
def stand(running: Stand) -> Stand:
    """Give a test the module's stand as if nothing had been asked yet."""
    running.reset()
    return running
