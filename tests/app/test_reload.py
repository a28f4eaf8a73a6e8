"""A changed configuration takes effect whole, or not at all."""

import asyncio
import threading
from pathlib import Path

import pytest

from agen_authz.app.reload import Watch, find_restarts
from agen_authz.config import Loaded, load
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.whole_file import is_open_for_writing
from tests.certificates import issue
from tests.stage.process import BOUND_S

POLL_S = 0.01
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

    def let_go(self) -> None:
        pass

    def note_reload(self, outcome: str, kept: str = "") -> None:
        self.outcomes.append(f"{outcome} {kept}".strip())


def write(tmp_path: Path, old: str = "", new: str = "") -> Loaded:
    file = tmp_path / "agen.yaml"
    file.write_text(TEXT.replace(old, new) if old else TEXT, "utf-8")
    return load(file, environ={})


async def test_changed_file_is_applied(tmp_path):
    target = Target()
    watch = Watch(write(tmp_path))
    changed = write(tmp_path, "leeway: 30s", "leeway: 20s")
    await watch.reload(target)
    assert (target.versions, target.outcomes) == ([changed.version], ["ok"])


async def test_change_that_came_while_the_store_did_not_answer_takes_effect_once_it_does(tmp_path):
    class Late(Target):
        async def apply(self, loaded: Loaded) -> None:
            if len(self.outcomes) < 2:
                raise Unavailable(Reason.STORE_UNAVAILABLE, "store")
            await super().apply(loaded)

    target = Late()
    watch = Watch(write(tmp_path), poll_s=POLL_S, ask=lambda _: False)
    changed = write(tmp_path, "leeway: 30s", "leeway: 20s")
    running = asyncio.create_task(watch.run(target))
    async with asyncio.timeout(BOUND_S):
        while not target.versions:
            await asyncio.sleep(POLL_S)
    running.cancel()
    assert (target.versions, target.outcomes[:3]) == ([changed.version], ["failed", "failed", "ok"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("leeway: 30s", "leeway: soon"),
        ("version: 1", "version: 1\nnonsense: 1"),
        ("9191", "9999"),
        ("mapping: roles", "mapping: permissions"),
        ("version: 1", "version: 1\naudit: {chain: true}"),
        ("version: 1", "version: 1\nstore: {url: 'sqlite:////elsewhere/agen.db'}"),
        ("insecure_unsigned: true", "signing_keys: [{id: a, secret_file: /nowhere/key}]"),
    ],
    ids=["invalid", "unknown key", "address", "mapping", "not built yet", "store", "secret"],
)
async def test_file_that_cannot_take_effect_keeps_the_last_good_set(tmp_path, old, new):
    target = Target()
    watch = Watch(write(tmp_path))
    (tmp_path / "agen.yaml").write_text(TEXT.replace(old, new), "utf-8")
    await watch.reload(target)
    assert (target.versions, target.outcomes) == ([], ["failed"])


async def test_good_file_after_a_bad_one_is_applied(tmp_path):
    target = Target()
    loaded = write(tmp_path)
    watch = Watch(loaded)
    loaded.file.write_text("version: 2", "utf-8")
    await watch.reload(target)
    changed = write(tmp_path, "analyst", "support")
    await watch.reload(target)
    assert (target.versions, target.outcomes) == ([changed.version], ["failed", "ok"])


FIXED = {
    "server.authz": ("9191", "9999"),
    "server.check_timeout": ("server: {", "server: {check_timeout: 2s, "),
    "store.url": ("version: 1", "version: 1\nstore: {url: 'sqlite:////elsewhere/agen.db'}"),
    "access.mapping": ("mapping: roles", "mapping: permissions"),
    "limits.request_bytes": ("version: 1", "version: 1\nlimits: {request_bytes: 2MiB}"),
    "limits.in_flight": ("version: 1", "version: 1\nlimits: {in_flight: 4096}"),
    "limits.sessions": ("version: 1", "version: 1\nlimits: {sessions: 10}"),
    "limits.store_timeout": ("version: 1", "version: 1\nlimits: {store_timeout: 100ms}"),
}


@pytest.mark.parametrize("path", FIXED)
def test_what_cannot_change_is_named_with_the_cure(tmp_path, path):
    old, new = FIXED[path]
    before, after = write(tmp_path), write(tmp_path, old, new)
    (problem,) = find_restarts(before, after)
    assert (problem.path, problem.line) == (path, after.line_of(*path.split(".")))
    assert "restart" in problem.cure


def test_key_of_the_store_cannot_change_though_its_file_keeps_its_name(tmp_path):
    key = tmp_path / "store.key"
    written = ("version: 1", f"version: 1\nstore: {{encryption_key_file: {key}}}")
    key.write_bytes(b"1" * 32)
    before = write(tmp_path, *written)
    key.write_bytes(b"2" * 32)
    (problem,) = find_restarts(before, write(tmp_path, *written))
    assert (problem.path, problem.line) == ("store.encryption_key_file", 2)


def test_console_cannot_begin_under_a_running_server(tmp_path):
    pages = "version: 1\napprovals: {base_url: 'https://people.example'}"
    before = write(tmp_path, "version: 1", pages)
    (tmp_path / "secret").write_text("of the console", "utf-8")
    console = f"console: {{provider: corp, client_id: agen, client_secret_file: {tmp_path / 'secret'}}}"
    problems = find_restarts(before, write(tmp_path, "version: 1", f"{pages}\n{console}"))
    assert [(each.path, each.line) for each in problems] == [("approvals", 2), ("console", 3)]


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
    watch = Watch(write(tmp_path), poll_s=POLL_S)
    write(tmp_path, "leeway: 30s", "leeway: 20s")
    running = asyncio.create_task(watch.run(target))
    async with asyncio.timeout(BOUND_S):
        while len(target.versions) < 2:
            await asyncio.sleep(0.05)
    running.cancel()
    assert target.versions[1] == load(tmp_path / "agen.yaml", environ={}).version


async def until(condition) -> None:
    async with asyncio.timeout(BOUND_S):
        while not condition():
            await asyncio.sleep(0.005)


async def test_configuration_that_is_still_open_for_writing_is_not_loaded(tmp_path):
    target = Target()
    said: list[bool | None] = []

    def ask(path: Path) -> bool | None:
        said.append(is_open_for_writing(path))
        return said[-1]

    watch = Watch(write(tmp_path), poll_s=POLL_S, ask=ask)
    running = asyncio.create_task(watch.run(target))
    whole = TEXT + "policies: [{name: a, state: enforce, tools: [crm/get_a], then: deny}]\n"
    with (tmp_path / "agen.yaml").open("w", encoding="utf-8") as stream:
        # As far as it has come, it is valid and has fewer policies.
        stream.write(TEXT)
        stream.flush()
        watch.ask()
        await until(lambda: len(said) > 20)
        assert target.outcomes == []
        stream.write(whole[len(TEXT) :])
    await until(lambda: target.versions)
    running.cancel()
    assert target.versions == [load(tmp_path / "agen.yaml", environ={}).version]


async def test_file_is_read_outside_of_the_event_loop(tmp_path):
    # Calls on grpcio are answered there: reading must not end before the loop had its turn.
    had_its_turn = threading.Event()

    def load_late(file: Path) -> Loaded:
        assert had_its_turn.wait(20)
        return load(file, environ={})

    target = Target()
    watch = Watch(write(tmp_path), read=load_late)
    reloading = asyncio.create_task(watch.reload(target))
    await asyncio.sleep(0)
    had_its_turn.set()
    await reloading
    assert target.outcomes == ["ok"]


async def test_file_that_changes_while_it_is_read_is_not_applied(tmp_path):
    def load_slowly(file: Path) -> Loaded:
        loaded = load(file, environ={})
        write(tmp_path, "analyst", "admin")
        return loaded

    target = Target()
    watch = Watch(write(tmp_path), read=load_slowly)
    write(tmp_path, "analyst", "support")
    await watch.reload(target)
    assert (target.versions, target.outcomes) == ([], [])


async def test_file_without_its_last_line_is_not_loaded_once_it_had_one(tmp_path):
    target = Target()
    file = tmp_path / "agen.yaml"
    file.write_text(TEXT + "end: true\n", "utf-8")
    watch = Watch(load(file, environ={}))
    write(tmp_path)
    await watch.reload(target)
    assert (target.versions, target.outcomes) == ([], ["failed"])


async def test_secret_of_any_kind_that_is_replaced_is_read_again(tmp_path):
    key = tmp_path / "crm-1"
    key.write_bytes(b"1" * 32)
    signing = f"signing_keys: [{{id: crm-1, secret_file: {key}}}]"
    target = Target()
    watch = Watch(write(tmp_path, "insecure_unsigned: true", signing), poll_s=POLL_S)
    running = asyncio.create_task(watch.run(target))
    staged = tmp_path / "new"
    staged.write_bytes(b"2" * 32)
    staged.replace(key)
    async with asyncio.timeout(BOUND_S):
        while not target.versions:
            await asyncio.sleep(0.05)
    running.cancel()
    assert target.outcomes[0] == "ok"


async def test_secret_that_comes_after_the_configuration_that_names_it_needs_no_second_change(tmp_path):
    target = Target()
    watch = Watch(write(tmp_path), poll_s=POLL_S)
    late = tmp_path / "crm-2"
    named = TEXT.replace("insecure_unsigned: true", f"signing_keys: [{{id: crm-2, secret_file: {late}}}]")
    (tmp_path / "agen.yaml").write_text(named, "utf-8")
    running = asyncio.create_task(watch.run(target))
    async with asyncio.timeout(BOUND_S):
        while not target.outcomes:
            await asyncio.sleep(0.05)
        late.write_bytes(b"2" * 32)
        while not target.versions:
            await asyncio.sleep(0.05)
    running.cancel()
    assert target.outcomes[0] == "failed" and target.versions == [load(tmp_path / "agen.yaml").version]


@pytest.fixture
def with_tls(tmp_path) -> tuple[str, str]:
    certificate, key = issue("server", issue("authority")).write(tmp_path, "server")
    tls = f"{{cert_file: {certificate}, key_file: {key}, client_ca_file: {certificate}}}"
    return "server: {", f"server: {{tls: {tls}, "


async def test_renewed_certificates_are_reported_as_a_reload(tmp_path, with_tls):
    target = Target()
    watch = Watch(write(tmp_path, *with_tls), poll_s=POLL_S)
    issue("renewed").write(tmp_path, "server")
    running = asyncio.create_task(watch.run(target))
    async with asyncio.timeout(BOUND_S):
        while "ok" not in target.outcomes:
            await asyncio.sleep(0.05)
    running.cancel()


@pytest.mark.parametrize("name", ["server.crt", "server.key"])
async def test_certificates_that_cannot_be_used_stop_no_configuration_and_are_reported(tmp_path, with_tls, name):
    target = Target()
    watch = Watch(write(tmp_path, *with_tls))
    (tmp_path / name).write_text("no PEM", "utf-8")
    changed = TEXT.replace("analyst", "support").replace(*with_tls)
    (tmp_path / "agen.yaml").write_text(changed, "utf-8")
    await watch.reload(target)
    assert (target.versions, target.outcomes) == ([load(tmp_path / "agen.yaml").version], ["failed certificates serve"])
