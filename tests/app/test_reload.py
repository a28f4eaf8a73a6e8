"""A changed configuration takes effect whole, or not at all."""

import asyncio
from pathlib import Path

import pytest

from agen_authz.app.reload import Watch, find_restarts
from agen_authz.config import Loaded, load

TEXT = """\
version: 1
server: {authz: "127.0.0.1:9191"}
providers:
  - {name: corp, issuer: "https://id.example.com/", leeway: 30s}
resources:
  - {name: crm, url: "https://mcp.example.com/mcp", providers: [corp], insecure_unsigned: true}
access:
  mapping: roles
  rules: [{name: read, tools: ["crm/get_*"], allow: [analyst]}]
"""


class Target:
    """Remembers what was applied and counted."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.outcomes: list[str] = []

    async def apply(self, loaded: Loaded) -> None:
        self.versions.append(loaded.version)

    def note_reload(self, outcome: str) -> None:
        self.outcomes.append(outcome)


def write(tmp_path: Path, old: str = "", new: str = "") -> Loaded:
    file = tmp_path / "agen.yaml"
    file.write_text(TEXT.replace(old, new) if old else TEXT, "utf-8")
    return load(file, environ={})


async def test_changed_file_is_applied(tmp_path):
    target = Target()
    watch = Watch(write(tmp_path), target)
    changed = write(tmp_path, "leeway: 30s", "leeway: 20s")
    await watch.reload()
    assert (target.versions, target.outcomes) == ([changed.version], ["ok"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("leeway: 30s", "leeway: soon"),
        ("version: 1", "version: 1\nnonsense: 1"),
        ("9191", "9999"),
        ("mapping: roles", "mapping: permissions"),
        ("version: 1", "version: 1\ntools: {pinning: enforce}"),
        ("version: 1", "version: 1\nstore: {url: 'sqlite:////elsewhere/agen.db'}"),
    ],
    ids=["invalid", "unknown key", "address", "mapping", "not built yet", "store"],
)
async def test_file_that_cannot_take_effect_keeps_the_last_good_set(tmp_path, old, new):
    target = Target()
    watch = Watch(write(tmp_path), target)
    (tmp_path / "agen.yaml").write_text(TEXT.replace(old, new), "utf-8")
    await watch.reload()
    assert (target.versions, target.outcomes) == ([], ["failed"])


async def test_good_file_after_a_bad_one_is_applied(tmp_path):
    target = Target()
    loaded = write(tmp_path)
    watch = Watch(loaded, target)
    loaded.file.write_text("version: 2", "utf-8")
    await watch.reload()
    changed = write(tmp_path, "analyst", "support")
    await watch.reload()
    assert (target.versions, target.outcomes) == ([changed.version], ["failed", "ok"])


def test_what_cannot_change_is_named_with_the_cure(tmp_path):
    before, after = write(tmp_path), write(tmp_path, "9191", "9999")
    (problem,) = find_restarts(before, after)
    assert (problem.path, problem.line) == ("server.authz", 2)
    assert "restart" in problem.cure


class Overwriting(Target):
    """Applies slowly: the file is written once more meanwhile."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__()
        self._tmp_path = tmp_path

    async def apply(self, loaded: Loaded) -> None:
        await super().apply(loaded)
        if len(self.versions) == 1:
            write(self._tmp_path, "leeway: 30s", "leeway: 11s")


async def test_file_that_changes_while_it_is_applied_is_read_again(tmp_path):
    target = Overwriting(tmp_path)
    watch = Watch(write(tmp_path), target)
    write(tmp_path, "leeway: 30s", "leeway: 20s")
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(20):
        while len(target.versions) < 2:
            await asyncio.sleep(0.05)
    running.cancel()
    assert target.versions[1] == load(tmp_path / "agen.yaml", environ={}).version


async def test_secret_of_any_kind_that_is_replaced_is_read_again(tmp_path):
    key = tmp_path / "crm-1"
    key.write_bytes(b"1" * 32)
    signing = f"signing_keys: [{{id: crm-1, secret_file: {key}}}]"
    target = Target()
    watch = Watch(write(tmp_path, "insecure_unsigned: true", signing), target)
    running = asyncio.create_task(watch.run())
    staged = tmp_path / "new"
    staged.write_bytes(b"2" * 32)
    staged.replace(key)
    async with asyncio.timeout(20):
        while not target.versions:
            await asyncio.sleep(0.05)
    running.cancel()
    assert target.outcomes[0] == "ok"
