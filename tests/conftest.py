"""What every test shares: hypothesis profiles, no sockets where none belong, golden files."""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.measured import is_measured, unmeasured

ROOT = Path(__file__).resolve().parent.parent

# Rooms whose tests open no socket at all; everywhere else only loopback and Unix sockets (pyproject.toml).
SOCKETLESS = ("tests/core", "tests/properties", "tests/wire", "tests/check", "tests/config")

# The same examples in every run: what fails here fails everywhere. `make properties` looks for new ones.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=100, database=None)
settings.register_profile("thorough", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--golden`, which is what `make golden` passes."""
    parser.addoption("--golden", action="store_true", help="write the golden files again, run nothing else")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Block sockets by folder, and keep only the tests of golden files under `--golden`."""
    for item in items:
        if item.path.is_relative_to(ROOT) and item.path.relative_to(ROOT).as_posix().startswith(SOCKETLESS):
            item.add_marker(pytest.mark.disable_socket)
    if config.getoption("golden"):
        kept = [item for item in items if "golden" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage only where it counts (tests/measured.py)."""
    with nullcontext() if is_measured(item.path) else unmeasured():
        return (yield)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Undo what a command that ran in this process did to the root logger: other tests look at records, too."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if each not in handlers and type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with a checked-in file, named from the root of the repository; `make golden` writes it."""
    is_writing = bool(request.config.getoption("golden"))

    def compare(name: str, text: str) -> None:
        path = ROOT / name
        if is_writing:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"`{name}` does not exist; `make golden` writes it"
        assert path.read_text(encoding="utf-8") == text, f"`{name}` differs; `make golden` writes it again"

    return compare
