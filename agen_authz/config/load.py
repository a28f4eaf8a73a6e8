"""From the file to a checked configuration: all mistakes at once, each with file, line and what to do."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from agen_authz.config.loaded import Loaded
from agen_authz.config.model import Config, check_config
from agen_authz.config.reading.explain import explain
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.salvage import salvage
from agen_authz.config.reading.tree import MAX_FILE_BYTES, Tree, read_tree
from agen_authz.config.secret import Secrets, read_secrets
from agen_authz.core.digest import fingerprint
from agen_authz.core.errors import ConfigError, Problem

_VERSION_CHARS = 12
_REQUIRED: Mapping[str, Any] = {"version": 1, "providers": [], "resources": [], "access": {"mapping": "roles"}}


def load(file: Path, *, secrets: bool = True, environ: Mapping[str, str] | None = None) -> Loaded:
    """Load and check a configuration.

    Args:
        file: the configuration file.
        secrets: whether the files and variables of secrets must be there and are read.
        environ: where `*_env` keys are looked up; the process's environment if None.

    Raises:
        ConfigError: with every mistake that was found.
    """
    raw = _read_file(file)
    tree, config, findings, problems = _check(_decode(raw, str(file)), str(file))
    held = read_secrets(findings, config, os.environ if environ is None else environ) if secrets else Secrets()
    problems += findings.problems
    if problems:
        raise _refuse(problems)
    return Loaded(config, held, file, tree, _name_version(raw), findings.conditions, raw)


def load_again(file: Path, raw: bytes, secrets: Secrets) -> Loaded:
    """Load what another process has loaded: the bytes that it read and the secrets that it found.

    Neither the file nor those of its secrets are read: what they hold may have changed meanwhile.

    Raises:
        ConfigError: with every mistake that was found.
    """
    tree, config, findings, problems = _check(_decode(raw, str(file)), str(file))
    problems += findings.problems
    if problems:
        raise _refuse(problems)
    return Loaded(config, secrets, file, tree, _name_version(raw), findings.conditions, raw)


def find_problems(text: str, file: str) -> tuple[Problem, ...]:
    """Find what is wrong with the text of a configuration, apart from its secrets; `file` is what problems name."""
    try:
        _, _, findings, problems = _check(text, file)
    except ConfigError as exc:
        return exc.problems
    return (*problems, *findings.problems)


def _check(text: str, file: str) -> tuple[Tree, Config, Findings, list[Problem]]:
    """Read and check a configuration.

    Raises:
        ConfigError: there is not enough of it to check the rest.
    """
    tree = read_tree(text, file)
    if not tree.is_readable:
        raise _refuse(tree.problems)
    mistakes, kept = salvage(tree, Config, _REQUIRED)
    problems = tree.problems + explain(mistakes, tree, Config, file)
    if kept is None:
        raise _refuse(problems)
    findings = Findings(kept, tree, file)
    check_config(findings, kept.config)
    return tree, kept.config, findings, problems


def read_version(file: Path) -> str:
    """Name the bytes of a configuration file, as `Loaded.version` does.

    Raises:
        ConfigError: the file cannot be read.
    """
    return _name_version(_read_file(file))


def _name_version(raw: bytes) -> str:
    return fingerprint(raw)[:_VERSION_CHARS]


def _refuse(problems: Iterable[Problem]) -> ConfigError:
    unique = dict.fromkeys(problems)
    return ConfigError(tuple(sorted(unique, key=lambda problem: problem.line or 0)))


def _read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or "not the name of a file"
        problem = Problem(str(file), None, "", f"cannot be read: {why}", "name a file that this user may read")
        raise ConfigError((problem,)) from exc
    if len(raw) > MAX_FILE_BYTES:
        problem = Problem(str(file), None, "", "larger than 4 MiB", "keep rules general: selectors take patterns")
        raise ConfigError((problem,))
    return raw


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ConfigError((Problem(file, line, "", "not UTF-8", "save the file as UTF-8"),)) from exc
