"""Runs the fuzzer on one target until the time is up or a promise breaks; `__main__` starts it as a process.

python -m tests.fuzz.engine SITE TARGET LIBFUZZER-OPTION... FOLDER...
"""

import importlib
import sys

# Code that is counted line by line; what is generated would only slow it down.
INSTRUMENTED = ["agen_authz"]
NOT_INSTRUMENTED = ["agen_authz._pb"]


def main(site: str, name: str, *options: str) -> None:
    """Fuzz one target; returns never, the fuzzer ends the process.

    Args:
        site: where tools/install-fuzz put the fuzzer.
    """
    sys.path.insert(0, site)
    atheris = importlib.import_module("atheris")
    # INVARIANT: nothing of agen_authz has been imported so far, or it would not be instrumented.
    with atheris.instrument_imports(include=INSTRUMENTED, exclude=NOT_INSTRUMENTED):
        every = importlib.import_module("tests.fuzz.targets.every")
    target = every.TARGETS[name]
    limits = (f"-max_len={target.max_bytes}", "-timeout=10", "-rss_limit_mb=2048")
    atheris.Setup([name, *limits, *options], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
