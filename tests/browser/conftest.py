"""A console and the demo's issuer on loopback, and Chromium in front of them."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.front import Front, running_front

INSTALLED = Path(__file__).resolve().parents[2] / "build" / "browser"


@contextmanager
def launch() -> Iterator[Any]:
    """Start Debian's Chromium, driven by Playwright (tools/install-browser)."""
    assert INSTALLED.is_dir(), "Playwright is not installed: run tools/install-browser"
    # Last, so that what .venv has is .venv's.
    sys.path.append(str(INSTALLED))
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    assert found, "Chromium is not installed: run tools/install-test-services"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


# Not of the session: as long as Playwright runs, this thread has a running event loop, and no other test can have one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start one browser for all tests of a file."""
    with launch() as browser:
        yield browser


@pytest.fixture
def front(chromium: Any) -> Iterator[Front]:
    """Run a console with a scene of its own."""
    with running_front(chromium) as running:
        yield running
