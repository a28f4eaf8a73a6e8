"""One PostgreSQL for all tests of a run that need it; each test has a separate database in it."""

from collections.abc import Iterator

import pytest

from tests.services import running_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Run a server; its URL."""
    with running_postgresql() as url:
        yield url
