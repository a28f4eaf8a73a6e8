"""Coverage is measured where its thresholds come from, and nowhere else.

To measure makes Python two to four times slower. What these folders run in processes and through Envoy is measured by
the tests of its rooms already; they show that the parts fit together.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from coverage import Coverage

ROOT = Path(__file__).resolve().parent.parent
UNMEASURED = (
    "tests/alerts",
    "tests/bench",
    "tests/chart",
    "tests/differential",
    "tests/e2e",
    "tests/envoy/",
    "tests/fuzz",
    "tests/image",
    "tests/properties",
    "tests/release",
    "tests/stress",
    "tests/test_ground.py",
    "tests/test_pages.py",
)
# By these, processes that a test starts measure themselves.
_VARIABLES = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


def is_measured(path: Path) -> bool:
    """True if the coverage of this test counts."""
    return not (path.is_relative_to(ROOT) and path.relative_to(ROOT).as_posix().startswith(UNMEASURED))


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing within, nor in processes that are started within."""
    current = Coverage.current()
    if current is not None:
        current.stop()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in _VARIABLES:
                patch.delenv(name, raising=False)
            yield
    finally:
        if current is not None:
            current.start()
