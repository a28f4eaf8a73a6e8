"""Commands as they are typed: what they print, and the exit codes 0 ok, 1 finding, 2 misuse."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agen_authz.adapters.clock import SystemEntropy
from agen_authz.app.state import open_state
from agen_authz.cli.main import app
from agen_authz.config import load
from tests.adapters.database import STEPS
from tests.config.test_mistakes import GOOD
from tests.stage.forked import run_command
from tests.stage.port import reserve_address

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


def write(tmp_path: Path, text: str = GOOD) -> str:
    file = tmp_path / "agen.yaml"
    file.write_text(text, "utf-8")
    return str(file)


def typed(*words: str) -> tuple[int, str]:
    """Run a command as a process: `serve` forks, which only a process with one thread may do."""
    code, _, said = run_command(*words)
    return code, said


def checked(config: str) -> tuple[int, str]:
    told = RUN.invoke(app, ["check-config", config])
    return told.exit_code, told.stderr


def with_store(tmp_path: Path, text: str = GOOD) -> str:
    return write(tmp_path, text + f"store: {{url: 'sqlite:///{tmp_path}/agen.db'}}\n")


def commands() -> list[tuple[str, ...]]:
    return [
        ("serve",),
        ("check-config",),
        ("config-schema",),
        ("envoy-config",),
        ("migrate",),
        ("sign",),
        ("verify",),
        ("demo",),
        ("demo", "token"),
    ]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_of_every_command_has_an_example(words):
    told = RUN.invoke(app, [*words, "--help"])
    assert (told.exit_code, "Example:" in told.output) == (0, True)


def test_good_file_is_ok(tmp_path):
    told = RUN.invoke(app, ["check-config", with_store(tmp_path)])
    assert (told.exit_code, told.output.endswith("ok\n")) == (0, True)
    assert "`resources.insecure_unsigned` weakens" in told.output


def test_what_is_not_built_yet_is_a_note_where_the_file_is_checked_alone(tmp_path):
    told = RUN.invoke(app, ["check-config", "--no-secrets", write(tmp_path, GOOD + "audit: {chain: true}\n")])
    assert (told.exit_code, "audit.chain: not available yet" in told.output) == (0, True)


REFUSED = {
    "not built": (
        GOOD + "audit: {chain: true}\nstore: {url: 'sqlite:///STORE'}\n",
        "audit.chain: not available yet",
    ),
    "url in a file": (GOOD + "store: {url_file: /etc/passwd}\n", "store.url_file: does not hold the URL of a store"),
    "store without a folder": (
        GOOD + "store: {url: 'sqlite:////nowhere/at/all/agen.db'}\n",
        "`/nowhere/at/all` is not a folder",
    ),
    "store that is a folder": (GOOD + "store: {url: 'sqlite:////tmp'}\n", "store.url: cannot be"),
    "store that is none": (
        GOOD + "store: {url: 'sqlite:////etc/passwd'}\n",
        "store.url: the store cannot be used as a database",
    ),
    "certificates": (
        GOOD.replace(
            "server:\n", "server:\n  tls: {cert_file: /nowhere/c, key_file: /nowhere/k, client_ca_file: /nowhere/a}\n"
        )
        + "store: {url: 'sqlite:///STORE'}\n",
        "server.tls.key_file: cannot read",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_serve_refuses_fails(tmp_path, case):
    text, message = REFUSED[case]
    # Another sidecar on this machine may have the default addresses.
    free = f"server:\n  ops: {reserve_address()}\n  proc: {reserve_address()}\n"
    text = text.replace("server:\n", free)
    config = write(tmp_path, text.replace("STORE", f"{tmp_path}/agen.db"))
    told = [checked(config), typed("serve", "--config", config)]
    assert [(code, message in said) for code, said in told] == [(1, True), (1, True)], told
    assert list(tmp_path.iterdir()) == [tmp_path / "agen.yaml"] or case in ("certificates", "not built")


def test_mapping_and_last_line_that_the_store_remembers_are_checked(tmp_path):
    async def remember() -> None:
        state = await open_state(load(Path(with_store(tmp_path, GOOD)).with_name("agen.yaml")), SystemEntropy())
        await state.store.remember({"config.end": "true"})
        await state.store.close()

    asyncio.run(remember())
    changed = with_store(tmp_path, GOOD.replace("mapping: roles", "mapping: permissions"))
    for code, said in (checked(changed), typed("serve", "--config", changed)):
        assert (code, "may be cut short" in said or "made for `roles`" in said) == (1, True), said


def test_request_to_reload_does_not_end_a_serve_that_starts(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        RUN.invoke(app, ["serve", "--config", str(tmp_path / "nowhere.yaml")])
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_serve_refuses_a_file_without_its_last_line_once_it_had_one(tmp_path):
    whole = with_store(tmp_path)
    Path(whole).write_text(Path(whole).read_text("utf-8") + "end: true\n", "utf-8")

    async def start() -> None:
        state = await open_state(load(Path(whole)), SystemEntropy())
        await state.store.close()

    asyncio.run(start())
    told = [checked(with_store(tmp_path)), typed("serve", "--config", whole)]
    assert [(code, "may be cut short" in said) for code, said in told] == [(1, True), (1, True)], told


def test_serve_refuses_a_file_that_is_open_for_writing(tmp_path):
    config = with_store(tmp_path)
    with Path(config).open("a", encoding="utf-8"):
        code, said = typed("serve", "--config", config)
    assert (code, "is open for writing" in said) == (1, True), said


def test_findings_go_to_standard_error_and_exit_1(tmp_path):
    told = RUN.invoke(app, ["check-config", write(tmp_path, GOOD.replace("allow: [analyst]", "allow: []"))])
    assert (told.exit_code, told.stdout) == (1, "")
    assert "agen.yaml:26: access.rules[0].allow: the list is empty" in told.stderr


def test_findings_as_json(tmp_path):
    told = RUN.invoke(app, ["check-config", "--json", write(tmp_path, GOOD + "zzz: 1\n")])
    (problem,) = json.loads(told.stdout)["problems"]
    assert (told.exit_code, problem["line"], problem["path"]) == (1, 27, "zzz")


def test_good_file_as_json(tmp_path):
    told = json.loads(RUN.invoke(app, ["check-config", "--json", with_store(tmp_path)]).stdout)
    assert (told["ok"], told["not_available_yet"]) == (True, [])


def test_file_that_is_not_there_is_misuse(tmp_path):
    assert RUN.invoke(app, ["check-config", str(tmp_path / "none.yaml")]).exit_code == 2


@pytest.mark.parametrize("words", [[], ["nonsense"], ["serve"], ["check-config", "--nonsense", "x"]], ids=str)
def test_misuse_exits_2(words):
    assert RUN.invoke(app, words).exit_code == 2


def test_schema_is_json():
    told = RUN.invoke(app, ["config-schema"])
    assert json.loads(told.stdout)["title"] == "agen-authz configuration"


def test_store_is_migrated_once(tmp_path):
    config = with_store(tmp_path)
    first, second = (RUN.invoke(app, ["migrate", "--config", config]) for _ in range(2))
    assert (first.stdout, second.stdout) == ("".join(f"{step}\n" for step in STEPS), "the store is up to date\n")
    assert json.loads(RUN.invoke(app, ["migrate", "--config", config, "--json"]).stdout) == {"ok": True, "steps": []}


def test_store_that_cannot_be_used_is_a_finding(tmp_path):
    config = write(tmp_path, GOOD + "store: {url: 'sqlite:////nowhere/at/all/agen.db'}\n")
    told = RUN.invoke(app, ["migrate", "--config", config])
    assert (told.exit_code, "store.url" in told.stderr) == (1, True)


def test_serve_refuses_what_is_not_built_yet(tmp_path):
    hook = "hooks: [{name: h, state: enforce, on: call, url: 'https://h'}]\n"
    code, said = typed("serve", "--config", with_store(tmp_path, GOOD + hook))
    assert code == 1
    assert re.search(r"agen\.yaml:\d+: hooks: not available yet", said)


def test_serve_refuses_to_start_without_a_key_that_it_signs_with(tmp_path):
    keys = f"signing_keys: [{{id: crm-1, secret_file: {tmp_path}/crm-1}}]"
    config = with_store(tmp_path, GOOD.replace("insecure_unsigned: true", keys, 1))
    code, said = typed("serve", "--config", config)
    assert code == 1
    assert re.search(r"agen\.yaml:\d+: resources\[0\]\.signing_keys\[0\]\.secret_file: .*cannot be read", said)


def test_serve_refuses_another_mapping_and_says_what_to_do(tmp_path):
    told = RUN.invoke(app, ["migrate", "--config", with_store(tmp_path)])
    assert told.exit_code == 0

    async def remember() -> None:
        state = await open_state(load(Path(with_store(tmp_path))), SystemEntropy())
        await state.store.close()

    asyncio.run(remember())
    changed = with_store(tmp_path, GOOD.replace("mapping: roles", "mapping: permissions"))
    code, said = typed("serve", "--config", changed)
    assert code == 1
    assert "access.mapping: this store was made for `roles`" in said
    assert "set `mapping: roles`, or review every rule and start with a new store" in said


def test_envoy_configuration_is_printed(tmp_path):
    words = ["--upstream", "crm=10.0.0.7:8080", "--listen", "127.0.0.1:10001", "--admin", "127.0.0.1:9901"]
    sockets = ["--authz", "unix:///run/a.sock", "--proc", "unix:///run/p.sock"]
    told = RUN.invoke(app, ["envoy-config", "--config", write(tmp_path), *words, *sockets])
    document = yaml.safe_load(told.stdout)
    assert (told.exit_code, document["static_resources"]["listeners"][0]["name"]) == (0, "mcp")
    assert ("path: /run/a.sock" in told.stdout, "path: /run/p.sock" in told.stdout) == (True, True)


@pytest.mark.parametrize(
    "words",
    [
        ["--upstream", "nobody=10.0.0.7:8080"],
        ["--upstream", "crm"],
        ["--listen", "10001"],
        ["--admin", "0.0.0.0:9901"],
        ["--authz", "x"],
        ["--proc", "x"],
        ["--for", "istio"],
    ],
    ids=str,
)
def test_envoy_configuration_that_cannot_be_is_misuse(tmp_path, words):
    told = RUN.invoke(app, ["envoy-config", "--config", write(tmp_path), *words])
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.count("\n") == 1


def test_off_word_needs_its_key(tmp_path):
    key = tmp_path / "metadata.key"
    config = write(tmp_path, GOOD.replace("  authz", f"  metadata_key_file: {key}\n  authz"))
    assert RUN.invoke(app, ["envoy-config", "--config", config]).exit_code == 2
    key.write_bytes(b"k" * 32)
    assert RUN.invoke(app, ["envoy-config", "--config", config]).exit_code == 0


def test_configuration_of_the_readme_is_good(tmp_path):
    (text,) = re.findall(r"```yaml\n(version: 1.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    told = RUN.invoke(app, ["check-config", write(tmp_path, text)])
    assert told.exit_code == 0


def test_backends_layer_alone_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; from agen_authz.cli import main; main()"
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    told = "agen-authz: `typer` is not installed; install `agen-authz[server]`\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", told)


@pytest.mark.parametrize("missing", ["agen_authz.envoy.render", "envoy_data_plane"])
@pytest.mark.parametrize("words", [("--config", "agen.yaml"), ("--check", "envoy.yaml")], ids=str)
def test_where_envoys_side_is_not_installed_envoy_config_says_what_to_install(missing, words):
    code = f"import sys; sys.modules['{missing}'] = None; from agen_authz.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "envoy-config", *words], check=False, capture_output=True, text=True
    )
    cure = "run this with `agen-authz[server]` installed"
    told = f"`{missing}` is not installed (the image is without it); {cure}\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", told)


def imported_by(*words: str, run: str = "from agen_authz.cli import main; run = main") -> set[str]:
    """Run a command in a separate process; list what it has imported."""
    code = f"import sys; {run}\ntry: run()\nexcept SystemExit: print('', *sys.modules, sep='\\n')"
    ran = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    return set(ran.stdout.rpartition("\n\n")[2].split())


def test_serving_imports_nothing_that_only_other_commands_need():
    imported = imported_by("serve", "--config", "/nowhere/agen.yaml")
    # Envoy's messages as Python take as long as everything else together, and 13 MB.
    assert {"envoy_data_plane", "alembic", "mcp", "hypothesis"}.isdisjoint(imported)
    assert {"agen_authz.app.run", "agen_authz.config", "grpc"} <= imported


def test_help_imports_only_what_it_prints():
    imported = imported_by("--help")
    ours = {name for name in imported if name.startswith("agen_authz.") and not name.startswith("agen_authz.cli")}
    # `--for` lists the platforms.
    assert ours == {"agen_authz.envoy", "agen_authz.envoy.model"}
    bare = imported_by("--help", run="import typer; run = typer.Typer(rich_markup_mode=None); run.command()(print)")
    packages = {name.partition(".")[0] for name in imported - bare} - sys.stdlib_module_names
    assert packages == {"agen_authz"}
