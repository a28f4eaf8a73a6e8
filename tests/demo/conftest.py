"""A fresh issuer for each test, with a separate clock, on one server."""

from collections.abc import Iterator

import pytest

from tests.demo.live import LiveIssuer, Stage, running_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Run the server that all issuers of these tests appear on, one after the other."""
    with running_stage() as running:
        yield running


@pytest.fixture
def live(stage: Stage) -> LiveIssuer:
    """Put an issuer for two resources on the stage."""
    return stage.put_on()
