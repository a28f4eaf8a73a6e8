"""A table of cases as one test: thousands of tests of a microsecond each cost minutes to collect and to report."""

from collections.abc import Callable, Iterable
from typing import Any

Test = Callable[..., None]


def every(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Make a test of one case a test of all of them, which says of each that fails why it does.

    Args:
        names: the parameters that a case gives; a single name takes the case itself.
        cases: the table, read once.
    """
    keys = (names,) if isinstance(names, str) else names
    table = [(case,) if isinstance(names, str) else tuple(case) for case in cases]

    def group(test: Test) -> Test:
        def run(**given: Any) -> None:
            failed: dict[str, str] = {}
            for case in table:
                try:
                    test(**given, **dict(zip(keys, case, strict=True)))
                except AssertionError as exc:
                    failed[repr(case)] = str(exc)
            assert not failed, "\n".join(f"{case}: {why}" for case, why in failed.items())

        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        return run

    return group
