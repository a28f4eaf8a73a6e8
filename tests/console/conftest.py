"""A console for each test."""

import pytest

from tests.console.rig import Stand


@pytest.fixture
def stand() -> Stand:
    """Build a console without any request."""
    return Stand()
