"""What is attacked: the sidecar as it runs, a real Envoy before it, and a slow reader of its events."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from agen_authz.config import load
from agen_authz.core.errors import ConfigError
from bench.attack.kind import HEAVY
from tests.stage.storm import Stage, staged

# As a log shipper reads: ten megabytes a second, a pipe's worth at a time.
READ_BYTES, READ_PER_SECOND = 65_536, 10_000_000
PLAIN = 20


def configured(text: str, folder: Path) -> tuple[str, list[str]]:
    """Add the policies that the attacks need; those that do not load are left out, and named."""
    wide = [f"args.amount > {1000 + number}.0" for number in range(PLAIN)]
    rows = [(f"wide {number}", "crm/get_wide", when) for number, when in enumerate(wide)]
    rows += [(name, f"crm/get_{name}", when) for name, when in HEAVY]
    refused: list[str] = []
    for name, tool, when in rows:
        more = f'policies:\n  - {{name: {name}, state: enforce, tools: ["{tool}"], when: ["{when}"], then: deny}}\n'
        changed = text.replace("policies:\n", more, 1)
        if is_loadable(changed, folder):
            text = changed
        else:
            refused.append(when)
    return text, refused


def is_loadable(text: str, folder: Path) -> bool:
    """True if the text is a configuration that loads."""
    file = folder / "tried.yaml"
    file.write_text(text, "utf-8")
    try:
        load(file)
    except ConfigError:
        return False
    return True


@contextmanager
def slow_reader() -> Iterator[int]:
    """A pipe that is read at a bounded rate; yields the end that is written to."""
    reader, writer = os.pipe()

    def read() -> None:
        while os.read(reader, READ_BYTES):
            time.sleep(READ_BYTES / READ_PER_SECOND)

    thread = Thread(target=read, daemon=True)
    thread.start()
    try:
        yield writer
    finally:
        os.close(writer)
        thread.join(10)
        os.close(reader)


@contextmanager
def attacked(engine: str) -> Iterator[tuple[Stage, list[str]]]:
    """Run all of it; yields the stage and the conditions that did not load."""
    refused: list[str] = []

    def change(text: str, folder: Path) -> str:
        changed, left_out = configured(text, folder)
        refused.extend(left_out)
        return changed

    with slow_reader() as events, staged(engine, configured=change, events=events) as stage:
        yield stage, refused
